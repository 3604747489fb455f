import { describe, expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import { type Able, type Bench, entry, never, Stand } from "./bench.ts";
import { describeSlots } from "./conformance-slots.ts";
import { describeSuspension } from "./conformance-suspension.ts";
import { describeTrouble } from "./conformance-trouble.ts";
import { describeWindows } from "./conformance-windows.ts";

const proofs = {
  full: "read_back",
  masked: "read_back_masked",
  occupancy: "read_back_masked",
  none: "acknowledged",
} as const;

/** The first part of what every driver must do, whatever the wire: DESIGN, "The driver contract". */
export function describeDriver(name: string, able: Able, setup: () => Promise<Bench>): void {
  const reads = able.readBack !== "none";

  describe(`driver ${name}`, () => {
    const stand = Stand.forEach(able, setup);

    test("abilities() says who the lock is and what it takes, the same each time", async () => {
      const { link, bench } = stand();
      const first = await link.lock(bench.address).abilities(never());
      expect(await link.lock(bench.address).abilities(never())).toEqual(first);
      expect(first.identity).not.toBe("");
      expect(first.memory?.readBack).toBe(able.readBack);
      expect(first.memory?.windows).toEqual(able.windows ?? "none");
      expect(first.memory?.suspends ?? false).toBe(able.suspends ?? false);
      expect(link.lock(bench.address).memory?.enable !== undefined).toBe(able.suspends ?? false);
      const limits = first.memory?.kinds.get("pin");
      expect(limits?.lengths).toContain(8);
      const slots = limits?.slots ?? [];
      expect("map" in slots ? "numbered" : Object.keys(slots)[0]).toBe(able.memory);
    });

    test("lock() gives the same lock each time", () => {
      const { link, bench } = stand();
      expect(link.lock(bench.address)).toBe(link.lock(bench.address));
    });

    test("write() stores a PIN, with the proof that the lock can give", async () => {
      const digits = stand().pin();
      expect(await stand().write(digits, 3)).toMatchObject({ result: "stored", proof: proofs[able.readBack] });
      expect(await stand().opens(digits)).toBe(true);
    });

    test.runIf(able.readBack === "full")("read() says which PIN is in a slot", async () => {
      const { memory } = stand();
      const digits = stand().pin();
      const slot = await stand().stored(digits, 3);
      const contents = await memory.read?.(slot, never());
      const known = contents?.state === "known" && contents.credential.kind === "pin" && contents.credential.digits;
      expect(known && known.equals(new Secret(digits))).toBe(true);
    });

    test.runIf(reads && able.readBack !== "full")("read() says that something is in a slot", async () => {
      const slot = await stand().stored(stand().pin(), 3);
      expect(await stand().memory.read?.(slot, never())).toMatchObject({ state: "opaque" });
    });

    test.runIf(!reads)("a lock that cannot be asked has no read()", () => {
      expect(stand().memory).not.toHaveProperty("read");
    });

    test("write() keeps leading zeros", async () => {
      const digits = `00${stand().pin().slice(2)}`;
      await stand().stored(digits, 3);
      expect(await stand().opens(digits)).toBe(true);
      expect(await stand().opens(digits.slice(2))).toBe(false);
    });

    test("clear() empties a slot, and an empty slot too", async () => {
      const digits = stand().pin();
      const slot = await stand().stored(digits, 3);
      for (let time = 0; time < 2; time++) {
        expect(await stand().memory.clear(slot, never())).toMatchObject({ result: "stored", slot });
        expect(await stand().opens(digits)).toBe(false);
      }
    });

    test.runIf(reads)("read() of a slot that was cleared says empty", async () => {
      const slot = await stand().stored(stand().pin(), 3);
      await stand().memory.clear(slot, never());
      expect(await stand().memory.read?.(slot, never())).toEqual({ state: "empty" });
    });

    test("write() of a PIN that is too short is refused", async () => {
      expect(await stand().write("918", 3)).toMatchObject({ result: "refused", reason: "invalid" });
      expect(await stand().opens("918")).toBe(false);
    });

    test("write() of a card to a lock for PINs is refused", async () => {
      const credential = { kind: "card", format: "raw", bits: new Secret(stand().pin()) } as const;
      const slot = able.memory === "numbered" ? slotName("3") : undefined;
      const outcome = await stand().memory.write({ ...entry("0"), credential }, slot, never());
      expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
    });

    test.runIf(able.lists)("list() finds every slot that is taken", async () => {
      const { memory } = stand();
      const slots = [await stand().stored(stand().pin(), 3), await stand().stored(stand().pin(), 5)];
      const listed: SlotName[] = [];
      for await (const { slot } of memory.list?.(never()) ?? []) listed.push(slot);
      expect(listed.toSorted()).toEqual(slots.toSorted());
    });

    test("what was stored is there after the link was closed and opened again", async () => {
      const digits = stand().pin();
      const slot = await stand().stored(digits, 3);
      await stand().reopen();
      expect(await stand().opens(digits)).toBe(true);
      expect(await stand().memory.clear(slot, never())).toMatchObject({ result: "stored" });
      expect(await stand().opens(digits)).toBe(false);
    });

    test("works that are asked for together each end with their own outcome", async () => {
      const digits = Array.from({ length: 4 }, () => stand().pin());
      const outcomes = await Promise.all(digits.map((each, index) => stand().write(each, index + 1)));
      expect(outcomes.map(({ result }) => result)).toEqual(digits.map(() => "stored"));
      expect(await Promise.all(digits.map((each) => stand().opens(each)))).toEqual(digits.map(() => true));
    });

    describeSlots(able, stand);
    if (able.windows) describeWindows(able, able.windows, stand);
    if (able.suspends) describeSuspension(able, stand);
    if (able.wire) describeTrouble(able, stand);
  });
}
