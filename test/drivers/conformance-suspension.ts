import { describe, expect, test } from "vitest";
import type { SlotName } from "../../agent/domain/slot.ts";
import type { WriteOutcome } from "../../drivers/driver.ts";
import { type Able, entry, never, type Stand } from "./bench.ts";

/** A code that is there and does not open: for locks that can suspend one, and can be asked. */
export function describeSuspension(able: Able, stand: () => Stand): void {
  const overwrites = able.memory !== "assigned";

  /** A code in a slot, of a lock that was asked what it can do: as a round does it. */
  async function stored(): Promise<{ digits: string; slot: SlotName }> {
    const { link, bench } = stand();
    const digits = stand().pin();
    const slot = await stand().stored(digits, 3);
    await link.lock(bench.address).abilities(never());
    return { digits, slot };
  }

  async function enable(slot: SlotName, digits: string, on: boolean): Promise<WriteOutcome> {
    const outcome = await stand().memory.enable?.(slot, entry(digits), on, never());
    if (!outcome) throw new Error("a lock that can suspend a code has enable()");
    return outcome;
  }

  async function isDisabled(slot: SlotName): Promise<boolean> {
    const contents = await stand().memory.read?.(slot, never());
    return contents !== undefined && "disabled" in contents && (contents.disabled ?? false);
  }

  describe("with suspension", () => {
    test("enable() keeps a code from opening, and lets it open again, as read() says", async () => {
      const { digits, slot } = await stored();
      for (const on of [false, false, true, true, false]) {
        expect(await enable(slot, digits, on)).toMatchObject({ result: "stored", slot });
        expect(await stand().opens(digits)).toBe(on);
        expect(await isDisabled(slot)).toBe(!on);
      }
    });

    test.runIf(overwrites)("write() over a code that is suspended opens", async () => {
      const { digits, slot } = await stored();
      await enable(slot, digits, false);
      const after = able.memory === "keyed" ? digits : stand().pin();
      expect(await stand().stored(after, 3)).toBe(slot);
      expect(await stand().opens(after)).toBe(true);
      expect(await stand().opens(digits)).toBe(after === digits);
    });

    test("clear() of a code that is suspended empties its slot", async () => {
      const { digits, slot } = await stored();
      await enable(slot, digits, false);
      expect(await stand().memory.clear(slot, never())).toMatchObject({ result: "stored", slot });
      expect(await stand().memory.read?.(slot, never())).toEqual({ state: "empty" });
      await stand().stored(digits, 3);
      expect(await stand().opens(digits)).toBe(true);
    });

    test("enable() of a slot that is empty is refused, and leaves it so", async () => {
      const { digits, slot } = await stored();
      await stand().memory.clear(slot, never());
      for (const on of [false, true]) expect(await enable(slot, digits, on)).toMatchObject({ result: "refused" });
      expect(await stand().opens(digits)).toBe(false);
    });

    test("what is suspended is so after the link was closed and opened again", async () => {
      const { digits, slot } = await stored();
      await enable(slot, digits, false);
      await stand().reopen();
      const { link, bench } = stand();
      await link.lock(bench.address).abilities(never());
      expect(await stand().opens(digits)).toBe(false);
      expect(await enable(slot, digits, true)).toMatchObject({ result: "stored" });
      expect(await stand().opens(digits)).toBe(true);
    });

    test.runIf(able.wire).each([false, true])(
      "enable(%j) whose answer is lost is unconfirmed, and read() then tells the truth",
      async (on) => {
        const { digits, slot } = await stored();
        await enable(slot, digits, !on);
        await stand().peer.mode("storenoreply");
        const outcome = await stand().tried(enable(slot, digits, on));
        expect(outcome).not.toMatchObject({ result: "stored" });
        expect(outcome).not.toMatchObject({ result: "refused" });
        await stand().peer.mode("ok");
        expect(await isDisabled(slot)).toBe(!(await stand().opens(digits)));
      },
    );

    test.runIf(able.wire).each([false, true])("enable(%j) by a lock that lies is not stored", async (on) => {
      const { digits, slot } = await stored();
      await enable(slot, digits, !on);
      await stand().peer.mode("lie");
      expect(await stand().tried(enable(slot, digits, on))).not.toMatchObject({ result: "stored" });
      await stand().peer.mode("ok");
      expect(await stand().opens(digits)).toBe(!on);
    });
  });
}
