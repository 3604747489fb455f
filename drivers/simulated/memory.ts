import type { Instant } from "../../agent/domain/instant.ts";
import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import type { LyingLock } from "../../simulator/lying-lock.ts";
import { type Entry, LinkError, type Memory, type WriteOutcome } from "../driver.ts";
import { clearVerdict, enableVerdict, wordOf, writeVerdict } from "./verdict.ts";
import type { Wire } from "./wire.ts";

type Listed = ReadonlyMap<SlotName, SlotContents>;
const empty: SlotContents = { state: "empty" };

/**
 * The memory of a simulated lock, as a driver has it: of what the lock says, only what was read back counts, where it can
 * be asked.
 */
export function memoryOf(lock: LyingLock, wire: Wire, now: () => Instant): Memory {
  const { readBack, suspends = false, kinds } = lock.limits;
  const [first] = kinds.values();
  const isAssigned = first !== undefined && "assigned" in first.slots;

  const read = (slot: SlotName, signal: AbortSignal): Promise<SlotContents> =>
    wire.ask("read", signal, (fate) => lock.read(slot, fate));
  const list = (signal: AbortSignal): Promise<Listed> =>
    wire.ask("read", signal, (fate) => new Map(lock.list(fate).map(({ slot, contents }) => [slot, contents])));

  const blindWrite = async (entry: Entry, at: SlotName | undefined, signal: AbortSignal): Promise<WriteOutcome> => {
    const reply = await orSilence(() => wire.ask("write", signal, (fate) => lock.write(entry, at, fate)), signal);
    return wordOf(reply, lock.keyOf(entry.credential) ?? at);
  };

  /** To a slot of which we know the name. */
  const writeTo = async (
    slot: SlotName,
    entry: Entry,
    at: SlotName | undefined,
    signal: AbortSignal,
  ): Promise<WriteOutcome> => {
    const before = await unsent(() => read(slot, signal));
    const reply = await orSilence(() => wire.ask("write", signal, (fate) => lock.write(entry, at, fate)), signal);
    const after = await orSilence(() => read(slot, signal), signal);
    return writeVerdict(entry, { slot, reply, before, after }, now());
  };

  /** To a slot that the lock chooses: where it does not say which, it is the one that is new. */
  const writeAnywhere = async (entry: Entry, at: SlotName | undefined, signal: AbortSignal): Promise<WriteOutcome> => {
    const before = await unsent(() => list(signal));
    const reply = await orSilence(() => wire.ask("write", signal, (fate) => lock.write(entry, at, fate)), signal);
    const after = await orSilence(() => list(signal), signal);
    const slot = reply?.says === "yes" ? reply.slot : newSlot(before, after);
    if (slot === undefined) return reply ? wordOf(reply, undefined) : { result: "unconfirmed" };
    const heard = { slot, reply, before: before.get(slot) ?? empty, after: after && (after.get(slot) ?? empty) };
    return writeVerdict(entry, heard, now());
  };

  const write: Memory["write"] = (entry, at, signal) =>
    wire.turn(signal, async (within) => {
      if (readBack === "none") return blindWrite(entry, at, within);
      const slot = isAssigned ? undefined : (lock.keyOf(entry.credential) ?? at);
      return slot === undefined ? writeAnywhere(entry, at, within) : writeTo(slot, entry, at, within);
    });

  const clear: Memory["clear"] = (slot, signal) =>
    wire.turn(signal, async (within) => {
      const reply = await orSilence(() => wire.ask("clear", within, (fate) => lock.clear(slot, fate)), within);
      if (readBack === "none") return wordOf(reply, slot);
      return clearVerdict({ slot, reply, after: await orSilence(() => read(slot, within), within) });
    });

  const enable: NonNullable<Memory["enable"]> = (slot, entry, on, signal) =>
    wire.turn(signal, async (within) => {
      const reply = await orSilence(() => wire.ask("enable", within, (fate) => lock.enable(slot, on, fate)), within);
      if (readBack === "none") return wordOf(reply, slot);
      const after = await orSilence(() => read(slot, within), within);
      return enableVerdict(entry, on, { slot, reply, after }, now());
    });

  return {
    write,
    clear,
    ...(suspends ? { enable } : {}),
    ...(readBack === "none"
      ? {}
      : {
          read: (slot: SlotName, signal: AbortSignal) => wire.turn(signal, (within) => read(slot, within)),
          async *list(signal: AbortSignal) {
            const found = await wire.turn(signal, (within) => list(within));
            for (const [slot, contents] of found) yield { slot, contents };
          },
        }),
  };
}

/** Undefined where the lock is silent: what became of the change is seen by reading, or open. */
async function orSilence<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof LinkError && !signal.aborted) return undefined;
    throw error;
  }
}

/** Before a change: where the lock is silent here, nothing is in doubt. */
async function unsent<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    throw new LinkError(error.message, { sent: false, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }
}

/** The one slot that was not there before. */
function newSlot(before: Listed, after: Listed | undefined): SlotName | undefined {
  const [slot, other] = [...(after?.keys() ?? [])].filter((name) => !before.has(name));
  return other === undefined ? slot : undefined;
}
