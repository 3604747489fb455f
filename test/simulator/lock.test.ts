import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { blankChip, type LockModel, SimulatedLock } from "../../simulator/lock.ts";

const model: LockModel = {
  memory: "numbered",
  slots: 2,
  kinds: ["pin"],
  lengths: [4],
  rules: [],
  readBack: "full",
};
const now = instant(1_790_000_000_000);
const pin = (digits: string) =>
  ({ credential: { kind: "pin", digits: new Secret(digits) }, when: "always", label: "" }) as const;

test.each([
  [undefined, ["1", "2"], "0", "3"],
  [0, ["0", "1"], "-1", "2"],
])("SimulatedLock() with firstSlot %s has its slots from there", (firstSlot, slots, below, above) => {
  const lock = new SimulatedLock({ ...model, ...(firstSlot === undefined ? {} : { firstSlot }) }, blankChip("s"));
  expect(lock.limits.kinds.get("pin")?.slots).toEqual(slots);
  for (const slot of [below, above]) {
    expect(lock.write(pin("1357"), slotName(slot))).toMatchObject({ result: "refused", reason: "invalid" });
  }
  for (const [index, slot] of slots.entries()) {
    expect(lock.write(pin(`135${index}`), slotName(slot))).toMatchObject({ result: "stored", slot });
  }
});

test("SimulatedLock.present() opens for what is stored, and for nothing else", () => {
  const lock = new SimulatedLock(model, blankChip("s"));
  lock.write(pin("0471"), slotName("1"));
  expect(lock.present(pin("0471").credential, now)).toBe("1");
  expect(lock.present(pin("471").credential, now)).toBeUndefined();
  lock.clear(slotName("1"));
  expect(lock.present(pin("0471").credential, now)).toBeUndefined();
});

test("SimulatedLock.chip holds what a lock remembers through a power cut", () => {
  const lock = new SimulatedLock(model, blankChip("s"));
  lock.write(pin("0471"), slotName("2"));
  const again = new SimulatedLock(model, structuredClone(lock.chip));
  expect(again.present(pin("0471").credential, now)).toBe("2");
});
