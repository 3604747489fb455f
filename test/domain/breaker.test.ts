import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Breaker, closed, failed, heard, isDue } from "../../agent/domain/breaker.ts";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";

const start = instant(1_750_000_000_000);
const minute = 60_000;
const steady = (): number => 0;

/** A lock that answers nothing, tried whenever the breaker says so: the pauses between its tries. */
function pausesOf(tries: number, random: () => number): number[] {
  let [breaker, now]: [Breaker, Instant] = [closed, start];
  return Array.from({ length: tries }, () => {
    breaker = failed(breaker, now, now, random);
    const pause = (breaker.next ?? now) - now;
    now = later(now, pause);
    return pause;
  });
}

test("a silent lock is tried again after seconds, from the third time after a minute, doubling to half an hour", () => {
  const minutes = [1, 2, 4, 8, 16, 30, 30].map((each) => each * minute);
  expect(pausesOf(9, steady)).toEqual([1_000, 2_000, ...minutes]);
});

test("half an hour is from try to try, however long a try takes", () => {
  let breaker: Breaker = closed;
  const [began, ended] = [later(start, 1_000 * minute), later(start, 1_003 * minute)];
  for (let time = 0; time < 3; time++) breaker = failed(breaker, began, began, steady);
  for (let time = 0; time < 9; time++) breaker = failed({ ...breaker, next: began }, began, ended, steady);
  expect(breaker.next).toBe(later(began, 30 * minute));
  breaker = failed({ ...breaker, next: began }, began, later(began, 45 * minute), steady);
  expect(breaker.next).toBe(later(began, 46 * minute));
});

const fail = (...at: number[]): Breaker =>
  at.reduce<Breaker>((breaker, ms) => failed(breaker, start, later(start, ms), steady), closed);

test("three failures open it only within five minutes", () => {
  expect(fail(0, 2 * minute, 5 * minute - 1).state).toBe("open");
  expect(fail(0, 2 * minute, 5 * minute).state).toBe("closed");
  expect(fail(0, 2 * minute, 5 * minute, 6 * minute).state).toBe("open");
});

test("a try before its time changes nothing, and being heard of makes it due at once", () => {
  let breaker: Breaker = closed;
  for (let time = 0; time < 3; time++) breaker = failed(breaker, start, start, steady);
  expect(failed(breaker, start, later(start, 30_000), steady)).toBe(breaker);
  const woken = heard(breaker, later(start, 30_000));
  expect(isDue(breaker, later(start, 30_000))).toBe(false);
  expect(isDue(woken, later(start, 30_000))).toBe(true);
  expect(failed(woken, start, later(start, 40_000), steady)).toMatchObject({
    since: start,
    next: later(start, 100_000),
  });
});

test("a clock that was set back keeps nobody waiting", () => {
  let breaker: Breaker = closed;
  for (let time = 0; time < 3; time++) breaker = failed(breaker, start, start, steady);
  const before = later(start, -24 * 60 * minute);
  expect(isDue(breaker, before)).toBe(true);
  expect(failed(breaker, before, before, steady)).toMatchObject({ next: later(before, 2 * minute) });
});

test("whatever happens, an open one is tried at least every half hour, and never opens of itself", () => {
  const deed = fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 40 * minute })),
    deed: fc.constantFrom("fails", "fails", "fails", "ends well", "is heard of"),
  });
  fc.assert(
    fc.property(
      fc.array(deed, { maxLength: 40 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (deeds, random) => {
        let [breaker, now, silent]: [Breaker, Instant, Instant[]] = [closed, start, []];
        for (const { after, deed: what } of deeds) {
          now = later(now, after);
          const before = breaker;
          if (what === "fails") {
            breaker = failed(breaker, now, now, () => random);
            silent.push(now);
          } else if (what === "ends well") {
            breaker = closed;
            silent = [];
          } else {
            breaker = heard(breaker, now);
          }
          const opens = before.state !== "open" && breaker.state === "open";
          const recent = silent.filter((at) => at > now - 5 * minute);
          const wasTried = what === "fails" && isDue(before, now);
          const pause = (breaker.next ?? now) - now;
          expect({
            opensForNothing: opens && (what !== "fails" || recent.length < 3),
            isLeftTooLong: !isDue(breaker, later(now, 30 * minute)),
            isTriedTooSoon: breaker.state === "open" && wasTried && pause < 0.9 * minute,
            isNotHeard: what === "is heard of" && !isDue(breaker, now),
          }).toEqual({ opensForNothing: false, isLeftTooLong: false, isTriedTooSoon: false, isNotHeard: false });
        }
      },
    ),
  );
});
