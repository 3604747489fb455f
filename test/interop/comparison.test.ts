import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeDevices, decodeInfo, optionsOf } from "../../drivers/zigbee2mqtt/codec-bridge.ts";
import { Zigbee2mqttPersona } from "../../simulator/zigbee2mqtt.ts";
import type { DoorAct } from "../../simulator/zigbee2mqtt-device.ts";
import { type Broker, bestBroker, startBroker } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { allowance } from "../support/pace.ts";
import { friendlyName, ieee, RealZigbee2mqtt, zigbee2mqttSkipReason } from "./real-zigbee2mqtt.ts";

/** Either of the two whose words are compared. */
interface Side extends AsyncDisposable {
  start(): Promise<void>;
  stop(): Promise<void>;
  act(act: DoorAct): Promise<void>;
  codes(): Promise<ReadonlyMap<number, string>>;
}
type Step = { readonly act: DoorAct } | { readonly send: string; readonly payload: unknown } | { readonly codes: true };
/** What was heard in a step: topic and content, or what the lock held. */
type Heard = readonly (readonly [string, unknown])[];

const lock = friendlyName;
const set = (payload: unknown): Step => ({ send: `${lock}/set`, payload });
const get = (payload: unknown): Step => ({ send: `${lock}/get`, payload });
const setPin = (user: number, pin: unknown): Step => set({ pin_code: { user, pin_code: pin } });
const getPin = (user: number): Step => get({ pin_code: { user } });
const mode = (to: DoorAct & { act: "mode" }): Step => ({ act: to });
const options = (id: string, wanted: object): Step => ({
  send: "bridge/request/device/options",
  payload: { id, options: wanted, transaction: "t" },
});
const ok = mode({ act: "mode", mode: "ok" });

const script: readonly (readonly [string, ...Step[]])[] = [
  ["a change of no options", options(ieee, {})],
  ["options of a device that is not there", options("nobody", { expose_pin: true })],
  ["a read without expose_pin, and with the cache not filtered", setPin(0, "20304050"), getPin(0)],
  ["the cache is said again", { act: { act: "battery", halves: 150 } }],
  ["options by IEEE address", options(ieee, { expose_pin: true, filtered_cache: ["users", "caps"] })],
  ["what was cached before is said once more", { act: { act: "battery", halves: 149 } }],
  ["and then no more", { act: { act: "battery", halves: 148 } }],
  ["options by name", options(lock, { expose_pin: true })],
  [
    "the lock's own word",
    set({
      read: {
        cluster: "closuresDoorLock",
        attributes: ["numOfPinUsersSupported", "maxPinLen", "minPinLen"],
        state_property: "caps",
      },
    }),
  ],
  ["a bolt that is asked for", get({ state: "" })],
  [
    "a bolt that is asked for by its attribute",
    set({ read: { cluster: "closuresDoorLock", attributes: ["lockState"], state_property: "bolt" } }),
  ],
  ["a bolt that is told to go where it is", set({ state: "UNLOCK" })],
  ["a bolt that is told to move", set({ state: "LOCK" })],
  ["a write", setPin(3, "04711147"), getPin(3)],
  ["a write that takes the place of another", setPin(3, "04711148"), getPin(3)],
  ["a PIN of another slot", setPin(4, "04711148"), getPin(4)],
  ["a PIN that is too short", setPin(5, "123"), getPin(5)],
  ["a user that the lock does not have", setPin(77, "71717171"), getPin(77)],
  ["users that zigbee2mqtt does not send", setPin(300, "71717171"), getPin(300), getPin(-1)],
  ["by IEEE address", { send: `${ieee}/get`, payload: { pin_code: { user: 3 } } }],
  ["a clear", setPin(3, null), getPin(3)],
  ["a clear of what is empty", setPin(3, null), getPin(3)],
  ["a clear without its value", set({ pin_code: { user: 3 } })],
  ["a key that it does not know", set({ transaction: "x" })],
  ["the lock is used", { act: { act: "operate", source: 0, code: 2, user: 3 } }],
  ["by hand", { act: { act: "operate", source: 2, code: 13, user: 0xffff } }],
  ["the wrong PIN is typed", { act: { act: "type", digits: "99887766" } }],
  ["the lock's memory is changed at the lock", { act: { act: "program", source: 0, code: 3, user: 8 } }],
  ["the bolt is stuck", { act: { act: "bolt", state: 0 } }],
  ["the bolt is out", { act: { act: "bolt", state: 1 } }],
  ["refused", mode({ act: "mode", mode: "reject" }), setPin(6, "60606060"), getPin(6), ok],
  ["lied to", mode({ act: "mode", mode: "lie" }), setPin(6, "60606060"), getPin(6), ok],
  ["masked", mode({ act: "mode", mode: "mask" }), setPin(6, "60606060"), getPin(6), ok],
  ["what the lock holds", { codes: true }],
];
const trouble: readonly (readonly [string, ...Step[]])[] = [
  ["options", options(lock, { expose_pin: true, filtered_cache: ["users"] })],
  ["the lock is deaf", mode({ act: "mode", mode: "dead" }), setPin(12, "12121212"), getPin(12)],
  ["it is cleared when it is back", ok, setPin(12, null), getPin(12)],
  ["what the lock holds then", { codes: true }],
  ["its answer is lost", mode({ act: "mode", mode: "storenoreply" }), setPin(13, "13131313"), getPin(13)],
  ["what the lock holds by then", { codes: true }],
  ["it is asked again", ok, getPin(13)],
  ["what the lock holds at last", { codes: true }],
];

// Each of some thirty steps is listened to for a while, which is longer the slower the machine is.
describe.skipIf(zigbee2mqttSkipReason())("the persona and the real zigbee2mqtt", { timeout: 900_000 }, () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker(bestBroker());
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  test("say the same while they start, are driven, and stop", async () => {
    const slower = await allowance(1);
    const [real, persona] = await Promise.all(sides("one", false).map((side) => hear(side, script, 250, slower)));
    expect(persona).toEqual(real);
    expect(real?.get("what the lock holds")).toEqual([
      [
        "codes",
        [
          [0, "20304050"],
          [6, "60606060"],
        ],
      ],
    ]);
  }, 120_000);

  test.skipIf(!isLong).each([false, true])("say the same in trouble, Poll Control %s", async (pollControl) => {
    const slower = await allowance(1);
    const [real, persona] = await Promise.all(
      sides(`two-${pollControl}`, pollControl).map((side) => hear(side, trouble, 600, slower)),
    );
    expect(persona).toEqual(real);
    // With Poll Control the write that was given up is done after the clear, and undoes it.
    expect(real?.get("what the lock holds then")).toEqual([["codes", pollControl ? [[12, "12121212"]] : []]]);
  });

  function sides(topic: string, pollControl: boolean): readonly (Side & { readonly topic: string })[] {
    const [realTopic, personaTopic] = [`real-${topic}`, `persona-${topic}`];
    const real = new RealZigbee2mqtt({ brokerUrl: broker.url, baseTopic: realTopic, pollControl });
    const locks = [{ name: friendlyName, ieee, pollControl }];
    const persona = new Zigbee2mqttPersona({ url: broker.url, baseTopic: personaTopic, locks });
    return [
      {
        topic: realTopic,
        start: () => real.running(),
        stop: () => real.stop(),
        act: async (act) => void (await real.act(act)),
        codes: () => real.act({ act: "look" }),
        [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
      },
      {
        topic: personaTopic,
        start: () => persona.start(),
        stop: () => persona.stop(),
        act: async (act) => void (await persona.act(friendlyName, act)),
        codes: async () => persona.codes(friendlyName),
        [Symbol.asyncDispose]: () => persona[Symbol.asyncDispose](),
      },
    ];
  }

  /**
   * All that a side says on the topics that the driver listens to, step by step.
   *
   * @param silence after so long it has said all that it has to say to a step; in ms, on an idle machine.
   * @param slower by how much this one is slower now.
   */
  async function hear(
    side: Side & { readonly topic: string },
    steps: typeof script,
    silence: number,
    slower: number,
  ): Promise<Map<string, Heard>> {
    const client = await connectAsync(broker.url);
    const heard: (readonly [string, unknown])[] = [];
    let last = Date.now();
    client.on("message", (topic, payload) => {
      const said = normal(topic.slice(side.topic.length + 1), payload.toString(), side.topic);
      if (said === undefined) return;
      last = Date.now();
      heard.push([topic.slice(side.topic.length + 1), said]);
    });
    await client.subscribeAsync(`${side.topic}/#`);
    const quiet = async (ms: number, after = 0): Promise<Heard> => {
      last = Date.now();
      while (Date.now() - last < after + ms * slower) await sleep(20);
      return heard.splice(0);
    };
    const all = new Map<string, Heard>();
    try {
      await side.start();
      while (!heard.some(([, said]) => JSON.stringify(said).includes("Zigbee2MQTT started!"))) await sleep(20);
      all.set("start", await quiet(200));
      // The first sign of life makes the real one ask for the state of the bolt 2 s later, which the driver ignores.
      await side.act({ act: "bolt", state: 2 });
      await quiet(500, 2_000);
      for (const [what, ...doing] of steps) {
        for (const step of doing) {
          if ("act" in step) await side.act(step.act);
          else if ("codes" in step) heard.push(["codes", [...(await side.codes())].toSorted(([a], [b]) => a - b)]);
          else await client.publishAsync(`${side.topic}/${step.send}`, JSON.stringify(step.payload));
          // The answer to one is there before the next is sent, unless the lock is deaf.
          await sleep(("act" in step ? 150 : 50) * slower);
        }
        all.set(what, await quiet(silence));
      }
      await side.stop();
      all.set("stop", await quiet(200));
      return all;
    } finally {
      await client.endAsync(true);
      await side[Symbol.asyncDispose]();
    }
  }
});

/** A message without what differs from run to run, and without what no driver looks at. */
function normal(topic: string, text: string, baseTopic: string): unknown {
  if (/\/(set|get)$|^bridge\/request\//.test(topic)) return undefined;
  switch (topic) {
    case "bridge/devices":
      return decodeDevices(text)?.filter((device) => device.ieee === ieee);
    case "bridge/info": {
      const info = decodeInfo(text);
      return info && { ...info.config, advanced: info.config.advanced, ours: optionsOf(info, ieee) };
    }
    case "bridge/logging":
      return logged(text.replaceAll(`${baseTopic}/`, ""));
    case lock:
    case `${lock}/availability`:
    case "bridge/state":
    case "bridge/response/device/options": {
      const { linkquality: _, last_seen: __, ...rest } = JSON.parse(text) as Record<string, unknown>;
      return rest;
    }
    default:
      return undefined;
  }
}

function logged(text: string): unknown {
  const { level, message } = JSON.parse(text) as { level: string; message: string };
  if (
    level !== "error" &&
    !/^(z2m:mqtt: MQTT publish|z2m: Successfully|z2m: Zigbee2MQTT started|zhc:tz: Read)/.test(message)
  ) {
    return undefined;
  }
  return { level, message: message.replace(/- \d+ after/, "- n after").replace(/,?\\?"linkquality\\?":100,?/, "") };
}
