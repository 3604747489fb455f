import { expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import { type Able, entry, never, type Stand } from "./bench.ts";

/** What differs by who names the slots: the writer, the lock, or the credential itself. */
export function describeSlots({ memory, readBack }: Able, stand: () => Stand): void {
  switch (memory) {
    case "numbered":
      return describeNumbered(readBack !== "none", stand);
    case "assigned":
      return describeAssigned(stand);
    case "keyed":
      return describeKeyed(stand);
  }
}

function describeNumbered(reads: boolean, stand: () => Stand): void {
  test("write() to a slot that is taken puts the new PIN in the place of the old", async () => {
    const [old, fresh] = [stand().pin(), stand().pin()];
    const first = await stand().stored(old, 3);
    expect(await stand().stored(fresh, 3)).toBe(first);
    expect(await stand().opens(fresh)).toBe(true);
    expect(await stand().opens(old)).toBe(false);
  });

  test("write() of what is there already is stored", async () => {
    const digits = stand().pin();
    expect(await stand().stored(digits, 3)).toBe(await stand().stored(digits, 3));
  });

  test("write() to a slot that is not there is refused", async () => {
    for (const slot of [...["9999", "-1", "x"].map(slotName), undefined]) {
      const outcome = await stand().memory.write(entry(stand().pin()), slot, never());
      expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
    }
  });

  test("write() of a PIN that another slot has is refused", async () => {
    const digits = stand().pin();
    await stand().stored(digits, 3);
    expect(await stand().write(digits, 4)).toMatchObject({ result: "refused" });
  });

  test.runIf(reads)("read() of a slot that was never written, and of one that was refused, says empty", async () => {
    const digits = stand().pin();
    expect(await stand().memory.read?.(slotName("3"), never())).toEqual({ state: "empty" });
    await stand().stored(digits, 3);
    await stand().write(digits, 4);
    expect(await stand().memory.read?.(slotName("4"), never())).toEqual({ state: "empty" });
  });
}

function describeAssigned(stand: () => Stand): void {
  test("write() says which slot the lock has chosen, another for each PIN", async () => {
    const slots = [await stand().stored(stand().pin(), 1), await stand().stored(stand().pin(), 1)];
    expect(new Set(slots).size).toBe(2);
  });

  test("write() of a PIN that another slot has is refused", async () => {
    const digits = stand().pin();
    await stand().stored(digits, 1);
    expect(await stand().write(digits, 1)).toMatchObject({ result: "refused", reason: "duplicate" });
  });

  test("write() to a slot of our choice is refused", async () => {
    const outcome = await stand().memory.write(entry(stand().pin()), slotName("3"), never());
    expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
  });
}

function describeKeyed(stand: () => Stand): void {
  test("write() of the same PIN is stored in the same slot, and of another in another", async () => {
    const digits = stand().pin();
    const slot = await stand().stored(digits, 1);
    expect(await stand().stored(digits, 1)).toBe(slot);
    expect(await stand().stored(stand().pin(), 1)).not.toBe(slot);
    expect(await stand().opens(digits)).toBe(true);
  });
}
