import { describe, expect, test } from "vitest";
import { movedIn, placeOf, wordOf } from "../../../drivers/zwave/codec-bolt.ts";

describe("placeOf()", () => {
  test.each([
    [0xff, "locked"],
    [0x00, "unlocked"],
    [0x01, "unlocked"],
    [0x20, "unlocked"],
    // It opens from inside, and from nowhere else.
    [0x10, undefined],
    [0xfe, undefined],
    [undefined, undefined],
  ] as const)("of mode %j is %j", (mode, place) => {
    expect(placeOf(mode)).toBe(place);
  });
});

test("wordOf() takes a lock that is at it for one that has not said how it ended", () => {
  expect([0xff, 0x02, 0x00, 0x01, undefined].map(wordOf)).toEqual([
    "yes",
    { no: undefined },
    { no: undefined },
    undefined,
    undefined,
  ]);
});

describe("movedIn()", () => {
  const mode = { commandClass: 0x62, property: "currentMode" };

  test("tells of a mode that was another before, once", () => {
    expect(movedIn({ ...mode, prevValue: 0xff, newValue: 0 })).toEqual({ event: "unlocked", method: "unknown" });
    expect(movedIn({ ...mode, prevValue: 0, newValue: 0xff })).toEqual({ event: "locked", method: "unknown" });
    expect(movedIn({ ...mode, prevValue: 0, newValue: 0 })).toBeUndefined();
    expect(movedIn({ ...mode, prevValue: 0, newValue: 1 })).toBeUndefined();
  });

  test("tells nothing of a mode that is first heard of, nor of what the bolt is only told", () => {
    expect(movedIn({ ...mode, newValue: 0 })).toBeUndefined();
    expect(movedIn({ ...mode, property: "targetMode", prevValue: 0xff, newValue: 0 })).toBeUndefined();
  });
});
