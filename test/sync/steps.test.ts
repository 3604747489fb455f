import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { later } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { intendWrite, settleWrite } from "../../agent/domain/settle.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { Acquaintance } from "../../agent/sync/acquaintance.ts";
import { Steps } from "../../agent/sync/steps.ts";
import type { Surroundings } from "../../agent/sync/surroundings.ts";
import type { Log, Memory } from "../../drivers/driver.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const one = slotName("1");
const never = (): Promise<never> => Promise.reject(new Error("nothing is to be sent"));

/** The first door, whose keypad has said what it is. */
function metAt({ store: { rounds } }: MemoryStore) {
  const [door] = doors;
  const { memory: limits } = keypad();
  assert(door && limits);
  rounds.learn(door, keypad(), []);
  return { rounds, door, limits };
}

/** What a round needs beside the lock, where nothing else happens. */
const aroundOf = (ledger: Surroundings["ledger"]): Surroundings => ({
  ledger,
  clock: new VirtualClock(),
  log,
  random: () => 0,
  committed: quiet,
  due: quiet,
  isAwaited: () => false,
  turn: async () => undefined,
  claimed: () => undefined,
});

test("a code that waits to be cleared is not, once a survey has seen its owner's code in that slot", async () => {
  using desk = new MemoryStore();
  const { rounds, door, limits } = metAt(desk);
  const pair = { user_identity_id: "ann", device_id: door };
  desk.ask("user_identities/grant_access_to_device", pair);
  rounds.choose(door);
  const [placement] = rounds.placements(door);
  assert(placement);
  const stored = { result: "stored", slot: one, proof: "read_back" } as const;
  rounds.change(door, placement.id, (before) =>
    settleWrite(intendWrite(before, one, desk.now, undefined), before, stored, desk.now, undefined),
  );
  desk.ask("user_identities/revoke_access_to_device", pair);
  rounds.change(door, placement.id, (now) => ({ ...now, next: later(desk.now, 1_000) }));

  const sent: string[] = [];
  const memory: Memory = {
    write: never,
    clear: async (slot) => {
      sent.push(`clear ${slot}`);
      return stored;
    },
    read: async () => ({ state: "known", credential: { kind: "pin", digits: new Secret("246801") } }),
  };
  const around = aroundOf(rounds);
  const known = new Acquaintance(door);
  known.asked = true;
  const steps = new Steps(door, memory, limits, known, around, new AbortController().signal);
  await steps.perform({ do: "survey", slot: one });
  await steps.perform({ do: "clear", placement: placement.id, slot: one });
  expect(sent).toEqual([]);
  expect(desk.events().at(-1)).toMatchObject({ event_type: "access.gone", evidence: "read_back" });
});

/** A step of a person's code at a door, whose intent waits for the disk until a test lets it go. */
async function whileOnItsWay(of: "write" | "clear", meanwhile: (desk: MemoryStore, known: Acquaintance) => void) {
  using desk = new MemoryStore();
  const { rounds, door, limits } = metAt(desk);
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: door });
  rounds.choose(door);
  const [placement] = rounds.placements(door);
  assert(placement);
  const stored = { result: "stored", slot: one, proof: "read_back" } as const;
  if (of === "clear") {
    rounds.change(door, placement.id, (before) =>
      settleWrite(intendWrite(before, one, desk.now, undefined), before, stored, desk.now, undefined),
    );
  }
  const sent: string[] = [];
  const send = (what: string) => async () => {
    sent.push(what);
    return stored;
  };
  let onDisk = quiet;
  const known = new Acquaintance(door);
  known.asked = true;
  const disk = new Promise<void>((done) => (onDisk = done));
  const around = aroundOf({ ...rounds, onDisk: () => disk });
  const memory: Memory = { write: send("write"), clear: send("clear"), read: async () => ({ state: "empty" }) };
  const steps = new Steps(door, memory, limits, known, around, new AbortController().signal);
  await steps.perform({ do: "look", slot: one });
  const performed = steps.perform({ do: of, placement: placement.id, slot: one });
  expect(sent).toEqual([]);
  meanwhile(desk, known);
  onDisk();
  await performed;
  return { sent, belief: rounds.placement(placement.id)?.belief.at };
}

test("what nobody takes back while its intent goes to the disk is sent then", async () => {
  expect(await whileOnItsWay("write", quiet)).toEqual({ sent: ["write"], belief: "held" });
});

const revoked = (desk: MemoryStore): unknown =>
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ann", device_id: doors[0] });

test("a code that is revoked while its intent goes to the disk is not written any more", async () => {
  expect(await whileOnItsWay("write", revoked)).toMatchObject({ sent: [] });
});

test.each(["write", "clear"] as const)(
  "a %s is not sent where another lock may have come while its intent went to the disk",
  async (of) => {
    const outcome = await whileOnItsWay(of, (_, known) => {
      known.asked = false;
    });
    expect(outcome).toEqual({ sent: [], belief: of === "write" ? "nowhere" : "held" });
  },
);

test("what happens to a slot while a list of the lock goes to the disk is newer than the list", async () => {
  using desk = new MemoryStore();
  const { rounds, door, limits } = metAt(desk);
  for (const person of ["ann", "bob"])
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: person, device_id: door });
  rounds.choose(door);
  const slots = [one, slotName("2")];
  const held = rounds.placements(door).map(({ id, credential }, at) => ({ id, credential, slot: slots[at] ?? one }));
  for (const { id, slot } of held) {
    const stored = { result: "stored", slot, proof: "read_back" } as const;
    rounds.change(door, id, (before) =>
      settleWrite(intendWrite(before, slot, desk.now, undefined), before, stored, desk.now, undefined),
    );
  }
  let onDisk = quiet;
  const disk = new Promise<void>((done) => (onDisk = done));
  const memory: Memory = {
    write: never,
    clear: never,
    async *list() {
      for (const { slot, credential } of held)
        yield { slot, contents: { state: "known", credential: rounds.credential(credential) } };
    },
  };
  const around = aroundOf({ ...rounds, onDisk: () => disk });
  const steps = new Steps(door, memory, limits, new Acquaintance(door), around, new AbortController().signal);
  const surveyed = steps.perform({ do: "survey", slot: undefined });
  for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => void setImmediate(done));
  for (const slot of slots) rounds.happened(door, { suspect: slot, foreign: true, awake: true, events: [] });
  onDisk();
  await surveyed;
  expect(rounds.placements(door).map(({ suspect }) => suspect)).toEqual([true, true]);
});

test("for a slot that is looked at not all is read that is on its lock, and for a list once", async () => {
  using desk = new MemoryStore();
  const { rounds, door, limits } = metAt(desk);
  let loads = 0;
  const placements: Surroundings["ledger"]["placements"] = (device) => {
    loads += 1;
    return rounds.placements(device);
  };
  const slots = ["1", "2", "3"].map(slotName);
  const memory: Memory = {
    write: never,
    clear: never,
    read: async () => ({ state: "opaque" }),
    async *list() {
      for (const slot of slots) yield { slot, contents: { state: "opaque" } };
    },
  };
  const known = new Acquaintance(door);
  known.asked = true;
  const around = aroundOf({ ...rounds, placements });
  const steps = new Steps(door, memory, limits, known, around, new AbortController().signal);
  for (const slot of slots) await steps.perform({ do: "look", slot });
  for (const slot of slots) await steps.perform({ do: "survey", slot });
  expect(loads).toBe(0);
  await steps.perform({ do: "survey", slot: undefined });
  expect(loads).toBe(1);
  expect([...known.occupied.keys()]).toEqual(slots);
});
