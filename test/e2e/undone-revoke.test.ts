import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { perform } from "../../agent/commands/perform.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { instant, later } from "../../agent/domain/instant.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { Keeper } from "../../agent/sync/keeper.ts";
import type { Link, LinkEvent, LockDevice, Memory } from "../../drivers/driver.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { Zigbee2mqttPersona } from "../../simulator/zigbee2mqtt.ts";
import { startBroker } from "../support/broker.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { configured } from "../support/memory-store.ts";
import { rest, VirtualClock } from "../support/virtual-clock.ts";
import { agentFacts, openInMemory } from "../support/world.ts";
import { silent, until } from "./mqtt-support.ts";

const [name, person, settles] = ["front-door", "ann", 24 * 3600_000];
const pair = { user_identity_id: person, device_id: name };
type Told = { readonly type: string; readonly at: number; readonly evidence: unknown };

test("a revoke that a queued write undoes: noticed, cleared again, and called gone 24 h after the write", async () => {
  const house = await build();
  const { clock, persona, store } = house;
  await house.ask("user_identities/grant_access_to_device", { ...pair, user_identity_id: "before" });
  await house.run(1_000);
  expect(persona.codes(name).size).toBe(1);

  // The lock falls silent just as it is written to, and the revoke comes while it is.
  house.beforeWrite = async () => void (await persona.act(name, { act: "mode", mode: "dead" }));
  const written = clock.now();
  await house.ask("user_identities/grant_access_to_device", pair);
  await house.run(1_000);
  expect(receipt(store)).toMatchObject({ state: "unconfirmed" });
  await house.ask("user_identities/revoke_access_to_device", pair);
  await house.run(20_000);
  expect(receipt(store)).toMatchObject({ state: "removing", credentials: [{ reason: "lock_away" }] });
  house.beforeWrite = undefined;

  // It is back, and at its first sign of life zigbee2mqtt delivers what it has kept. Nobody tells of it.
  await persona.act(name, { act: "mode", mode: "ok" });
  const back = house.steps.length;
  await house.run(10 * 60_000);
  const seen = house.steps.slice(back);
  expect(seen.slice(seen.indexOf("read known"))).toEqual(
    expect.arrayContaining(["read known", "clear stored", "read empty"]),
  );
  expect(seen.at(-1)).toBe("read empty");
  expect(persona.codes(name).size).toBe(1);
  const end = later(written, settles);
  const watched = { state: "removing", until: new Date(end).toISOString(), reason: "earlier_write_in_doubt" };
  expect(receipt(store)).toMatchObject({ state: "removing", credentials: [watched] });

  await house.run(end - clock.now() - 60_000);
  expect(receipt(store)).toMatchObject({ state: "removing", credentials: [watched] });
  expect(house.gone()).toEqual([]);
  await house.run(2 * 60_000);
  expect(house.gone()).toMatchObject([{ evidence: "read_back" }]);
  expect(house.gone()[0]?.at).toBeGreaterThanOrEqual(end);
  expect(receipt(store)).toBeUndefined();
  expect(persona.codes(name).size).toBe(1);
});

/** A round lets others have their turn now and then. */
async function comeToRest(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await rest();
}

interface House {
  readonly clock: VirtualClock;
  readonly persona: Zigbee2mqttPersona;
  readonly store: Store;
  /** What the lock's memory was asked, and its answers: such as `read empty`. */
  readonly steps: readonly string[];
  /** Called before each write leaves for the lock. */
  beforeWrite: (() => Promise<void>) | undefined;
  ask(command: string, parameters: object): Promise<void>;
  /** Lets time pass for the agent; what it asks of the lock meanwhile is answered in real time. */
  run(ms: number): Promise<void>;
  /** The events `access.gone`, so far. */
  gone(): readonly Told[];
}

/** The agent's parts in a time of their own; the driver and the persona of its zigbee2mqtt in ours, over a real broker. */
async function build(): Promise<House> {
  const broker = await startBroker("aedes");
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const locks = [{ name, ieee: "0x000d6f0011223344", pollControl: true }];
  const persona = new Zigbee2mqttPersona({ url: broker.url, baseTopic: "zigbee2mqtt", locks, patience: 20 });
  await persona.start();
  onTestFinished(() => persona.stop());
  const clock = new VirtualClock();
  const device = deviceId(name);
  const store = storeOn(openInMemory(), {
    dataDir: join(tmpdir(), "latchd-undone"),
    devices: [configured(device, { driver: "zigbee2mqtt" })],
    pins: { issue: true, length: 6 },
    events: { rows: 100_000, days: 30 },
    now: () => clock.now(),
  });
  const told: Told[] = [];
  const listen = (): void => {
    for (const { type, fields } of store.journal.takeFresh()) {
      told.push({ type, at: clock.now(), evidence: fields["evidence"] });
    }
  };
  let link: Link | undefined;
  let asking = 0;
  let beforeWrite: (() => Promise<void>) | undefined;
  const counted = async <T>(ask: () => Promise<T>): Promise<T> => {
    asking += 1;
    try {
      return await ask();
    } finally {
      asking -= 1;
    }
  };
  const isAsking = (): boolean => asking > 0;
  const steps: string[] = [];
  const watched = (memory: Memory): Memory => ({
    write: (...given) =>
      counted(async () => {
        await beforeWrite?.();
        const outcome = await memory.write(...given);
        steps.push(`write ${outcome.result}`);
        return outcome;
      }),
    clear: (...given) =>
      counted(async () => {
        const outcome = await memory.clear(...given);
        steps.push(`clear ${outcome.result}`);
        return outcome;
      }),
    read: (...given) =>
      counted(async () => {
        const contents = (await memory.read?.(...given)) ?? { state: "unreadable" };
        steps.push(`read ${contents.state}`);
        return contents;
      }),
  });
  const lockOf = (address: string): LockDevice => {
    const lock = link?.lock(address);
    if (!lock?.memory) throw new Error("it has one");
    return { abilities: (signal) => counted(() => lock.abilities(signal)), memory: watched(lock.memory) };
  };
  const keeper = new Keeper({
    turn: async () => undefined,
    ledger: store.rounds,
    devices: [{ device, link: "zigbee", address: name }],
    linkOf: () => ({ atOnce: "unlimited", lock: lockOf, [Symbol.asyncDispose]: async () => undefined }),
    clock,
    log: silent,
    random: () => 0.5,
    committed: listen,
    failed: (error) => {
      throw error;
    },
  });
  const host = new RecordingHost(hurriedClock(10));
  onTestFinished(() => host[Symbol.dispose]());
  const { log, state } = host;
  const report = async (event: LinkEvent): Promise<void> => keeper.reported("zigbee", event);
  const options = zigbee2mqtt.options.parse({ url: broker.url, timeout_ms: 2_000 });
  link = await zigbee2mqtt.open(options, { clock: host.clock, log, state, report });
  onTestFinished(async () => {
    await keeper.close();
    await link?.[Symbol.asyncDispose]();
  });
  keeper.opened("zigbee");
  const answered = async (): Promise<void> => {
    // A step that ends may be followed by the next one of its round at once.
    for (await comeToRest(); isAsking(); await comeToRest()) await until("the lock was asked", () => !isAsking());
  };
  return {
    clock,
    persona,
    store,
    steps,
    get beforeWrite() {
      return beforeWrite;
    },
    set beforeWrite(act) {
      beforeWrite = act;
    },
    async ask(command, parameters) {
      const payload = Buffer.from(JSON.stringify(parameters));
      const call = {
        name: command,
        payload,
        door: "local",
        retained: false,
        replyAddress: "usable",
        isOpen: true,
      } as const;
      const context = {
        now: clock.now(),
        door: "local",
        by: "local",
        codes: true,
        agent: agentFacts,
        touch: () => undefined,
        operate: () => undefined,
        saidAt: clock.now(),
      } as const;
      const { reply } = store.transaction(() => perform(call, store, context, () => undefined));
      expect(JSON.parse(reply.body)).toMatchObject({ ok: true });
      listen();
      keeper.due(device);
    },
    async run(ms) {
      const end = instant(clock.now() + ms);
      await answered();
      while (clock.now() < end) {
        await clock.run(Math.min(1_000, end - clock.now()));
        await answered();
      }
    },
    gone: () => told.filter(({ type }) => type === "access.gone"),
  };
}

function receipt(store: Store): unknown {
  const call = {
    name: "access/list",
    payload: Buffer.from(JSON.stringify(pair)),
    door: "local",
    retained: false,
    replyAddress: "usable",
    isOpen: true,
  } as const;
  const context = {
    now: instant(0),
    door: "local",
    by: "local",
    codes: true,
    agent: agentFacts,
    touch: () => undefined,
    operate: () => undefined,
    saidAt: instant(0),
  } as const;
  const { reply } = store.transaction(() => perform(call, store, context, () => undefined));
  const { receipts } = JSON.parse(reply.body) as { receipts: readonly unknown[] };
  return receipts[0];
}
