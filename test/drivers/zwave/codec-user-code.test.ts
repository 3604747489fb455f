import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../agent/domain/secret.ts";
import type { SlotContents } from "../../../agent/domain/slot.ts";
import { slotName } from "../../../agent/domain/slot.ts";
import {
  clearOutcome,
  contentsOf,
  saysCodes,
  slotOf,
  userOf,
  type Word,
  wordOf,
  writeOutcome,
} from "../../../drivers/zwave/codec-user-code.ts";

const pin = (digits: string) => ({ kind: "pin", digits: new Secret(digits) }) as const;
const slot = slotName("5");
const sent = pin("0471");
const known = (digits: string): SlotContents => ({ state: "known", credential: pin(digits) });

/** An assertion in vitest's eyes, too. */
function holds<T>(property: fc.IProperty<T>): void {
  expect(() => fc.assert(property)).not.toThrow();
}

test("userOf() takes the numbers of slots, and never 0, which stands for all of them", () => {
  for (const name of ["0", "00", "01", "-1", "1.5", "x", "", "65536", "100000"])
    expect(userOf(slotName(name))).toBe(undefined);
  holds(fc.property(fc.integer({ min: 1, max: 65_535 }), (user) => userOf(slotOf(user)) === user));
});

test.each([
  [{ userIdStatus: 0, userCode: "" }, { state: "empty" }],
  // Some locks fill the code of a slot that is free with something.
  [{ userIdStatus: 0, userCode: "0000" }, { state: "empty" }],
  [{ userIdStatus: 254 }, { state: "unreadable" }],
  [{ userIdStatus: 1, userCode: "****" }, { state: "opaque" }],
  [{ userIdStatus: 1, userCode: "" }, { state: "opaque" }],
  [{ userIdStatus: 1, userCode: Uint8Array.of(1, 2, 3, 4) }, { state: "opaque" }],
  [
    { userIdStatus: 2, userCode: "****" },
    { state: "opaque", disabled: true },
  ],
  [
    { userIdStatus: 3, userCode: "****" },
    { state: "opaque", disabled: true },
  ],
  [{ userIdStatus: 4, userCode: "****" }, { state: "opaque" }],
])("contentsOf(%j) is %j", (answer, contents) => {
  expect(contentsOf(answer)).toEqual(contents);
});

test("contentsOf() keeps leading zeros, and says that a code is disabled", () => {
  const contents = contentsOf({ userIdStatus: 2, userCode: "0471" });
  expect(contents).toMatchObject({ state: "known", disabled: true });
  expect(contents.state === "known" && contents.credential.kind === "pin" && contents.credential.digits.reveal()).toBe(
    "0471",
  );
});

test("saysCodes() is known only of a lock that has said a code, or hidden one", () => {
  expect(saysCodes({ userIdStatus: 1, userCode: "0471" })).toBe(true);
  expect(saysCodes({ userIdStatus: 1, userCode: "****" })).toBe(false);
  expect(saysCodes({ userIdStatus: 0, userCode: "" })).toBe(undefined);
});

test.each([
  [undefined, true, "silent"],
  [undefined, false, "delivered"],
  [{ status: 255 }, true, "yes"],
  [{ status: 2 }, true, "no"],
  [{ status: 1 }, true, "silent"],
  [{ status: 0 }, true, "silent"],
] as const)("wordOf(%j, %j) is %s", (result, isSupervised, word) => {
  expect(wordOf(result, isSupervised)).toBe(word);
});

const of = (word: Word, now: SlotContents | undefined, more: { wasEmpty?: boolean; isDuplicate?: boolean } = {}) =>
  writeOutcome({ slot, sent, word, now, wasEmpty: true, isDuplicate: false, ...more });

describe("writeOutcome()", () => {
  test.each(["yes", "delivered", "silent"] as const)("is read back where the lock says this code, after %s", (word) => {
    expect(of(word, known("0471"))).toEqual({ result: "stored", slot, proof: "read_back" });
  });

  test.each(["yes", "delivered", "silent"] as const)(
    "of some code in a slot that was empty is masked, after %s",
    (word) => {
      expect(of(word, { state: "opaque" })).toEqual({ result: "stored", slot, proof: "read_back_masked" });
    },
  );

  test("of some code in a slot that was taken is no more than acknowledged, and nothing after silence", () => {
    expect(of("yes", { state: "opaque" }, { wasEmpty: false })).toMatchObject({ proof: "acknowledged" });
    expect(of("silent", { state: "opaque" }, { wasEmpty: false })).toEqual({ result: "unconfirmed", slot });
  });

  test("is a refusal where the lock says so, or says yes and keeps nothing", () => {
    expect(of("no", undefined)).toMatchObject({ result: "refused", reason: "invalid" });
    expect(of("yes", { state: "empty" })).toMatchObject({ result: "refused", reason: "invalid" });
    expect(of("yes", known("9999"))).toMatchObject({ result: "refused", reason: "forbidden" });
    expect(of("no", undefined, { isDuplicate: true })).toEqual({ result: "refused", reason: "duplicate" });
    expect(of("delivered", { state: "empty" }, { isDuplicate: true })).toEqual({
      result: "refused",
      reason: "duplicate",
    });
  });

  test("is unconfirmed where the lock was silent and the code is not there: it may come late", () => {
    expect(of("silent", { state: "empty" })).toEqual({ result: "unconfirmed", slot });
    expect(of("silent", known("9999"))).toEqual({ result: "unconfirmed", slot });
  });

  const contents = fc.constantFrom<SlotContents | undefined>(
    undefined,
    { state: "unreadable" },
    { state: "empty" },
    { state: "opaque" },
    { state: "opaque", disabled: true },
    known("0471"),
    { ...known("0471"), disabled: true } as SlotContents,
    known("9999"),
  );
  const word = fc.constantFrom<Word>("yes", "no", "delivered", "silent");

  test("never says stored of what was not read to be there and to open", () => {
    expect.hasAssertions();
    holds(
      fc.property(word, contents, fc.boolean(), fc.boolean(), (said, now, wasEmpty, isDuplicate) => {
        const outcome = of(said, now, { wasEmpty, isDuplicate });
        if (outcome.result !== "stored") return true;
        const opens = (now?.state === "known" || now?.state === "opaque") && !now.disabled;
        return opens && (outcome.proof !== "read_back_masked" || wasEmpty);
      }),
    );
  });

  test("never says refused after silence, but for a duplicate that the lock has told of", () => {
    expect.hasAssertions();
    holds(fc.property(contents, fc.boolean(), (now, wasEmpty) => of("silent", now, { wasEmpty }).result !== "refused"));
  });
});

test("clearOutcome() takes only the lock's word that the slot is empty", () => {
  expect(clearOutcome(slot, { state: "empty" })).toEqual({ result: "stored", slot, proof: "read_back" });
  for (const now of [undefined, { state: "unreadable" }, { state: "opaque" }, known("0471")] as const) {
    expect(clearOutcome(slot, now)).toEqual({ result: "unconfirmed", slot });
  }
});
