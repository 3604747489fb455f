import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  beforeLooking,
  type ClockTrust,
  confirmed,
  type KeptTrust,
  looked,
  type Sight,
  supposed,
  wasSet,
} from "../../agent/domain/clock-trust.ts";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { massExpiry } from "../../agent/domain/mass-expiry.ts";

const minute = 60_000;
const hour = 60 * minute;
const year = 365 * 24 * hour;
const built = instant(Date.UTC(2026, 0, 1));
const now = instant(Date.UTC(2026, 5, 1));

/** A machine whose clock can be set. */
class Machine {
  #monotonic = 1_000_000;
  #ahead = 0;
  #synchronised = true;
  mark: Instant | undefined = now;
  state: ClockTrust;

  constructor(of: { readonly kept?: KeptTrust; readonly ahead?: number; readonly synchronised?: boolean } = {}) {
    this.#ahead = of.ahead ?? 0;
    this.#synchronised = of.synchronised ?? true;
    this.state = beforeLooking(this.sight(), of.kept);
    this.#look();
  }

  sight(): Sight {
    return {
      wall: instant(now + this.#monotonic - 1_000_000 + this.#ahead),
      monotonic: this.#monotonic,
      synchronised: this.#synchronised,
    };
  }

  run(ms: number): this {
    for (let left = ms; left > 0; left -= 10_000) {
      this.#monotonic += Math.min(left, 10_000);
      this.#look();
    }
    return this;
  }

  set(ahead: number): this {
    this.#ahead = ahead;
    return this.run(10_000);
  }

  confirm(): this {
    this.state = confirmed(this.state, this.sight(), "operator", built) ?? this.state;
    this.mark = this.sight().wall;
    return this.run(10_000);
  }

  #look(): void {
    this.state = looked(this.state, this.sight(), { built, mark: this.mark });
    if (this.state.doubt === undefined && (this.mark === undefined || this.sight().wall > this.mark)) {
      this.mark = this.sight().wall;
    }
  }
}

describe("the clock is trusted", () => {
  test("when the system says so and nothing speaks against it", () => {
    expect(new Machine().run(hour).state.doubt).toBeUndefined();
  });
  test("though it is put right little by little", () => {
    const machine = new Machine();
    for (let ahead = 0; ahead < hour; ahead += 30_000) expect(machine.set(ahead).state.doubt).toBeUndefined();
  });
  test("again when it is back at the true time after an hour in another decade", () => {
    const machine = new Machine().set(13 * year).run(hour);
    expect(machine.state.doubt).toBe("stepped");
    expect(machine.set(0).state.doubt).toBeUndefined();
  });
  test("after ten steady minutes where it was set by less than an hour", () => {
    const machine = new Machine().set(40 * minute).run(9 * minute);
    expect(machine.state.doubt).toBe("stepped");
    expect(machine.run(2 * minute).state.doubt).toBeUndefined();
  });
  test("when an operator says that it is right, also after it was set far", () => {
    expect(new Machine().set(-3 * year).state.doubt).toBe("before_build");
    expect(new Machine().set(2 * year).run(24 * hour).state.doubt).toBe("stepped");
    expect(
      new Machine()
        .set(2 * year)
        .confirm()
        .run(hour).state.doubt,
    ).toBeUndefined();
    expect(new Machine({ synchronised: false }).confirm().state.doubt).toBeUndefined();
  });
  test("after a restart that took a week", () => {
    expect(new Machine({ ahead: 7 * 24 * hour }).run(minute).state.doubt).toBeUndefined();
  });
});

describe("the clock is not trusted", () => {
  test("before latchd was made, whoever says otherwise", () => {
    const machine = new Machine({ ahead: -56 * year });
    expect(machine.state.doubt).toBe("before_build");
    expect(confirmed(machine.state, machine.sight(), "operator", built)).toBeUndefined();
  });
  test("before what was recorded", () => {
    expect(new Machine({ ahead: -24 * hour }).state.doubt).toBe("before_record");
  });
  test("where the system does not say that it is set", () => {
    expect(new Machine({ synchronised: false }).run(24 * hour).state.doubt).toBe("not_synchronised");
  });
  test.each([2 * hour, -2 * hour, 90 * minute])("after it was set by %i ms, however long ago", (ahead) => {
    expect(new Machine().set(ahead).run(48 * hour).state.doubt).toBeDefined();
  });
  test("over a restart, where it was set before", () => {
    const before = new Machine().set(5 * hour);
    const machine = new Machine({ ahead: 5 * hour, kept: before.state });
    expect(machine.run(hour).state.doubt).toBe("stepped");
    expect(machine.confirm().state.doubt).toBeUndefined();
  });
});

test("whatever happens to it, a clock that is trusted was not set far, and one that is right is trusted", () => {
  const act = fc.oneof(
    fc.record({ set: fc.integer({ min: -2 * year, max: 2 * year }) }),
    fc.record({ run: fc.integer({ min: 0, max: 2 * hour }) }),
  );
  const wrong = (acts: readonly ({ readonly set: number } | { readonly run: number })[]): boolean => {
    const machine = new Machine();
    let ahead = 0;
    return acts.some((each) => {
      if ("set" in each) machine.set((ahead = each.set));
      else machine.run(each.run);
      const isTrusted = machine.state.doubt === undefined;
      return isTrusted ? Math.abs(ahead) > hour + 2 * minute : ahead === 0;
    });
  };
  const property = fc.property(fc.array(act, { maxLength: 8 }), (acts) => !wrong(acts));
  expect(fc.check(property, { numRuns: 200 })).toMatchObject({ failed: false });
});

describe("supposed() is the time", () => {
  const began = { wall: now, monotonic: 1_000_000, synchronised: true };
  const known = { built, mark: now };
  const after = (ms: number, ahead: number): Sight => ({
    wall: instant(now + ms + ahead),
    monotonic: 1_000_000 + ms,
    synchronised: true,
  });

  test.each([13 * year, -55 * year, 2 * hour])(
    "counted on from when it was known, where the clock is %i ms off",
    (ahead) => {
      const trusted = looked(beforeLooking(began, undefined), began, known);
      const sight = after(hour, ahead);
      expect(wasSet(trusted, sight)).toBe(true);
      const state = looked(trusted, sight, known);
      expect(state.doubt).toBeDefined();
      expect(supposed(trusted, sight, known, began)).toBe(now + hour);
      expect(supposed(state, after(3 * hour, ahead), known, began)).toBe(now + 3 * hour);
    },
  );
  test("not before what was recorded, and going on, where it was never known since the process began", () => {
    const wrong = { ...began, wall: instant(0) };
    const state = looked(beforeLooking(wrong, undefined), wrong, known);
    const sight = { ...after(hour, 0), wall: instant(hour) };
    expect(supposed(state, sight, known, wrong)).toBe(now + hour);
    // Time that stood still would let no second try, and no lock after the first few, come due.
    expect(supposed(state, sight, { built, mark: undefined }, wrong)).toBe(built + hour);
    const unsaid = { ...after(hour, 0), synchronised: false };
    expect(supposed(state, unsaid, { built, mark: built }, wrong)).toBe(now + hour);
  });
  test("that of the clock, where it goes on as it did", () => {
    const trusted = looked(beforeLooking(began, undefined), began, known);
    expect(wasSet(trusted, after(3 * hour, 30_000))).toBe(false);
  });
});

test.each([
  [5, 5, "go"],
  [9, 9, "go"],
  [30, 10, "hold"],
  [100, 20, "go"],
  [100, 21, "hold"],
] as const)("of %i codes %i may end at once, or not: %s", (codes, ending, word) => {
  expect(massExpiry(codes, ending, 0.2)).toBe(word);
});
