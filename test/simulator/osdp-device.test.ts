import { array, assert, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import { Face } from "../../simulator/osdp-face.ts";
import { Outputs } from "../../simulator/osdp-outputs.ts";

const start = instant(1_790_000_000_000);
const states = (...orders: readonly (readonly [code: number, tenths: number, at: number])[]): string => {
  const outputs = new Outputs(1);
  const switched = orders.flatMap(([code, timer, at]) => {
    const before = outputs.tick(later(start, at * 100));
    outputs.set({ output: 0, code, timer }, later(start, at * 100));
    return before;
  });
  return [...switched, ...outputs.tick(later(start, 10_000))]
    .map(({ on, at }) => `${on ? "on" : "off"} ${(at - start) / 100}`)
    .join(", ");
};

test("Outputs: each code does what the standard says, and a timer ends to the tenth of a second", () => {
  expect(states([2, 0, 1])).toBe("on 1");
  expect(states([2, 0, 1], [1, 0, 5])).toBe("on 1, off 5");
  expect(states([0, 0, 1])).toBe("");
  // For a time, then back.
  expect(states([5, 30, 1])).toBe("on 1, off 31");
  expect(states([2, 0, 0], [6, 30, 1])).toBe("on 0, off 1, on 31");
  // For good, and the timer stops; or once it is over.
  expect(states([5, 30, 1], [1, 0, 5])).toBe("on 1, off 5");
  expect(states([5, 30, 1], [2, 0, 5])).toBe("on 1");
  expect(states([5, 30, 1], [4, 0, 5])).toBe("on 1");
  expect(states([5, 30, 1], [4, 0, 5], [3, 0, 6])).toBe("on 1, off 31");
  expect(states([5, 30, 1], [5, 30, 11])).toBe("on 1, off 41");
});

test("Outputs: what is not there, and a timer without a time, is not admitted", () => {
  const outputs = new Outputs(2);
  expect(outputs.admits({ output: 1, code: 5, timer: 1 })).toBe(true);
  expect(outputs.admits({ output: 2, code: 5, timer: 1 })).toBe(false);
  expect(outputs.admits({ output: 0, code: 5, timer: 0 })).toBe(false);
  expect(outputs.admits({ output: 0, code: 7, timer: 1 })).toBe(false);
  expect(outputs.admits({ output: 0, code: 1, timer: 0 })).toBe(true);
});

test("Outputs: whatever is ordered, what switched adds up to what is, in the order of time", () => {
  const order = record({
    output: integer({ min: 0, max: 1 }),
    code: integer({ min: 0, max: 6 }),
    timer: integer({ min: 1, max: 9 }),
  });
  assert(
    property(array(record({ order, after: integer({ min: 0, max: 12 }) })), (life) => {
      const outputs = new Outputs(2);
      const told = [false, false];
      let now = start;
      const hear = (): void => {
        let last = 0;
        for (const { output, on, at } of outputs.tick(now)) {
          expect(told[output]).toBe(!on);
          expect(at).toBeGreaterThanOrEqual(last);
          expect(at).toBeLessThanOrEqual(now);
          told[output] = on;
          last = at;
        }
        expect(outputs.on).toEqual(told);
      };
      for (const { order: given, after } of life) {
        now = later(now, after * 100);
        hear();
        outputs.set(given, now);
      }
      now = later(now, 10_000);
      hear();
      expect(outputs.next).toBeUndefined();
    }),
  );
});

test("Face: a light for a time goes over the lasting one, blinks, and ends, also before its time", () => {
  const face = new Face(1, start);
  const at = (tenths: number): string => face.colours(later(start, tenths * 100)).join();
  expect(at(0)).toBe("black");
  face.light(0, { on: 1, off: 0, onColour: 1, offColour: 1 }, start);
  face.lightFor(0, { on: 5, off: 5, onColour: 2, offColour: 0 }, 30, start);
  expect([at(0), at(4), at(5), at(9), at(10), at(29), at(30)]).toEqual([
    "green",
    "green",
    "black",
    "black",
    "green",
    "black",
    "red",
  ]);
  face.endLight(0);
  expect(at(1)).toBe("red");
  face.restart(start);
  expect(at(1)).toBe("black");
});

test("Face: beeps as often as it is told, or until it is told to stop", () => {
  const face = new Face(1, start);
  const beeps = (): number =>
    Array.from({ length: 100 }, (_, tenths) => face.isSounding(later(start, tenths * 100 + 1))).filter(Boolean).length;
  expect(beeps()).toBe(0);
  face.sound({ on: 2, off: 2, count: 3 }, start);
  expect(beeps()).toBe(6);
  face.sound({ on: 1, off: 1, count: 0 }, start);
  expect(beeps()).toBe(50);
  face.sound(undefined, start);
  expect(beeps()).toBe(0);
});
