import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { z } from "zod";
import type { Request } from "./zigbee-door.ts";
import { type DeviceModel, type DoorAct, type Onlookers, PersonaDevice } from "./zigbee2mqtt-device.ts";
import { bridgeInfo, describe, stable, timedOut } from "./zigbee2mqtt-papers.ts";

export interface PersonaOptions {
  readonly url: string;
  readonly baseTopic: string;
  readonly locks: readonly DeviceModel[];
  /** Its `advanced` settings, as far as they show. */
  readonly advanced?: Readonly<Record<string, unknown>>;
  /** How long its radio tries a lock that does not answer, in ms. */
  readonly patience?: number;
  readonly onlookers?: Onlookers;
}

/** `{"pin_code": {"user": 3}}` and the like: which slot, and whether there is a code to write. */
const pinCode = z.object({ user: z.number(), pin_code: z.union([z.string(), z.number()]).nullish() });
const readEscape = z.object({
  cluster: z.string(),
  attributes: z.array(z.string()),
  state_property: z.string().optional(),
});
const optionsRequest = z.object({
  id: z.string(),
  options: z.record(z.string(), z.unknown()),
  transaction: z.string().optional(),
});

/** The highest user that zigbee2mqtt sends to a lock of this make, whatever the lock has. */
const users = 250;

/**
 * zigbee2mqtt 2.14 with some locks, as a driver meets it: the same topics, payloads, order of start, and the same silence
 * where a lock refuses (reference: lock-interfaces, 1). `test/interop` compares it with the real one.
 */
export class Zigbee2mqttPersona implements AsyncDisposable {
  readonly #options: PersonaOptions;
  readonly #devices: readonly PersonaDevice[];
  #client: MqttClient | undefined;
  #lastLogged = "";
  #transactions = 0;

  constructor(options: PersonaOptions) {
    this.#options = options;
    this.#devices = options.locks.map((lock) => new PersonaDevice(lock, options.onlookers));
  }

  /** Resolves when it takes commands. */
  async start(): Promise<void> {
    const { url, baseTopic } = this.#options;
    const will = { topic: `${baseTopic}/bridge/state`, payload: Buffer.from('{"state":"offline"}'), retain: true };
    const client = await connectAsync(url, { will: { ...will, qos: 1 }, reconnectPeriod: 200 });
    this.#client = client;
    client.on("error", () => undefined);
    await this.#connected(client);
    client.on("connect", () => void this.#connected(client));
    await this.#retain("bridge/info", this.#info());
    await this.#retain("bridge/devices", describe(this.#devices));
    for (const device of this.#devices) await this.#publishAvailability(device);
    client.on("message", (topic, payload, { retain }) => {
      if (!retain) this.#heard(topic.slice(baseTopic.length + 1), payload.toString("utf8"));
    });
    await this.#log("info", "z2m: Zigbee2MQTT started!");
  }

  /** Stops as an operator stops it, or like a power cut: then the broker has to tell. */
  async stop(how: "orderly" | "power cut" = "orderly"): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    if (how === "power cut") {
      client.stream.destroy();
    } else {
      await client.publishAsync(this.#topic("bridge/state"), '{"state":"offline"}', { retain: true });
    }
    await client.endAsync(true);
  }

  /** Something is done to a lock, or happens at it: what the lock tells of it, if anything. */
  async act(name: string, act: DoorAct): Promise<Readonly<Record<string, unknown>> | undefined> {
    const device = this.#device(name);
    if (!device) throw new Error(`no lock called ${name}`);
    const news = device.happened(act);
    if (news) await this.#alive(device, news);
    return news;
  }

  /** The codes in a lock, by user: what a test compares a driver's word with. */
  codes(name: string): ReadonlyMap<number, string> {
    const entries = Object.entries(this.#device(name)?.door.chip.entries ?? {});
    return new Map(entries.map(([user, { value }]) => [Number(user), value]));
  }

  /** Where a lock's bolt is, and how often it has been told to move. */
  bolt(name: string): { readonly place: "locked" | "unlocked"; readonly commands: number } {
    const device = this.#device(name);
    return { place: device?.door.place ?? "locked", commands: device?.boltCommands ?? 0 };
  }

  /** The lock has not been heard of for as long as zigbee2mqtt waits before it calls it offline. */
  async miss(name: string): Promise<void> {
    const device = this.#device(name);
    if (!device) return;
    device.available = false;
    await this.#publishAvailability(device);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #connected(client: MqttClient): Promise<void> {
    await client.publishAsync(this.#topic("bridge/state"), '{"state":"online"}', { retain: true, qos: 1 });
    await client.subscribeAsync([this.#topic("+/set"), this.#topic("+/get"), this.#topic("bridge/request/#")]);
  }

  #heard(topic: string, text: string): void {
    const [, name = "", verb] = /^(.+)\/(set|get)$/.exec(topic) ?? [];
    const doing =
      topic === "bridge/request/device/options" ? this.#setOptions(text) : this.#command(name, verb === "get", text);
    // Only a broker that went away in the middle rejects these; what is lost then is lost for the real one too.
    doing.catch(() => undefined);
  }

  async #command(name: string, isGet: boolean, text: string): Promise<void> {
    const device = this.#device(name);
    if (!device) return this.#log("error", `z2m: Entity '${name}' is unknown`);
    const message = z.record(z.string(), z.unknown()).safeParse(parse(text)).data ?? {};
    for (const [key, value] of Object.entries(message)) {
      if (key === "pin_code") await (isGet ? this.#getPin(device, value) : this.#setPin(device, value));
      else if (key === "state") await (isGet ? this.#getState(device) : this.#setState(device, value));
      else if (key === "read" && !isGet) await this.#read(device, value);
      else await this.#log("error", `z2m: No converter available for '${key}' on '${device.name}': (${stable(value)})`);
    }
  }

  async #setPin(device: PersonaDevice, value: unknown): Promise<void> {
    const { data } = pinCode.safeParse(value);
    if (!data || data.user < 0 || data.user >= users) {
      return this.#failed(device, "set", "pin_code", "Error: user must be in range for device");
    }
    const { user, pin_code: pin } = data;
    const request: Request =
      pin === undefined || pin === null ? { to: "clearPinCode", user } : { to: "setPinCode", user, pin: String(pin) };
    await this.#send(device, request, "set", "pin_code");
  }

  async #getPin(device: PersonaDevice, value: unknown): Promise<void> {
    const { data } = pinCode.safeParse(value);
    const asked = data ? [data.user] : Array.from({ length: users }, (_, user) => user);
    for (const user of asked) {
      if (user < 0 || user >= users) {
        return this.#failed(device, "get", "pin_code", "Error: userId must be in range for device");
      }
      await this.#send(device, { to: "getPinCode", user }, "get", "pin_code");
    }
  }

  async #getState(device: PersonaDevice): Promise<void> {
    await this.#send(device, { to: "read", attributes: ["lockState"] }, "get", "state");
  }

  /** What becomes of it is told by the lock, or by nobody. */
  async #setState(device: PersonaDevice, value: unknown): Promise<void> {
    const to = value === "LOCK" ? "lockDoor" : value === "UNLOCK" ? "unlockDoor" : undefined;
    if (!to) return this.#failed(device, "set", "state", `Error: Invalid value '${String(value)}'`);
    const before = device.door.place;
    await this.#send(device, { to }, "set", "state");
    if (device.door.place === before) return;
    for (const news of device.moved()) await this.#alive(device, news);
  }

  async #read(device: PersonaDevice, value: unknown): Promise<void> {
    const { data } = readEscape.safeParse(value);
    if (!data) return;
    const answer = await this.#send(device, { to: "read", attributes: data.attributes }, "set", "read");
    if (answer?.to !== "read") return;
    await this.#log("info", `zhc:tz: Read result of '${data.cluster}': ${JSON.stringify(answer.values)}`);
    if (data.state_property !== undefined) await this.#publishState(device, { [data.state_property]: answer.values });
    const news = device.published(answer);
    if (news) await this.#publishState(device, news);
  }

  async #send(device: PersonaDevice, request: Request, verb: "set" | "get", key: string) {
    const sent = await device.send(request);
    if ("kept" in sent) return undefined;
    if ("gaveUp" in sent) {
      await sleep(this.#options.patience ?? 400);
      await this.#failed(device, verb, key, timedOut(device, request, ++this.#transactions));
      return undefined;
    }
    // Who reads an attribute is told first; that it is news of the lock, too, comes after it.
    await this.#alive(device, key === "read" ? undefined : device.published(sent.answer));
    return sent.answer;
  }

  /** The lock was heard of: what it says is published, and it is sent what was kept for it. */
  async #alive(device: PersonaDevice, news: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    if (news) await this.#publishState(device, news);
    if (!device.available) {
      device.available = true;
      await this.#publishAvailability(device);
    }
    // What arrived together with the message that woke it is sent first.
    await setImmediate();
    for (const answer of device.catchUp()) {
      const late = device.published(answer);
      if (late) await this.#publishState(device, late);
    }
  }

  async #setOptions(text: string): Promise<void> {
    const { data } = optionsRequest.safeParse(parse(text));
    const device = data && this.#device(data.id);
    const transaction = data?.transaction === undefined ? {} : { transaction: data.transaction };
    if (!device) {
      const error = data ? `Device '${data.id}' does not exist` : "Invalid payload";
      await this.#log(
        "error",
        `z2m: Request '${this.#topic("bridge/request/device/options")}' failed with error: '${error}'`,
      );
      return this.#publish("bridge/response/device/options", { data: {}, status: "error", error, ...transaction });
    }
    const from = device.options;
    device.options = { ...from, ...data.options };
    await this.#retain("bridge/info", this.#info());
    await this.#log("info", `z2m: Successfully changed config for device ${data.id}`);
    const answer = { from, to: device.options, id: data.id, restart_required: false };
    await this.#publish("bridge/response/device/options", { data: answer, status: "ok", ...transaction });
    await this.#retain("bridge/devices", describe(this.#devices));
    await this.#retain("bridge/info", this.#info());
  }

  async #failed(device: PersonaDevice, verb: string, key: string, error: string): Promise<void> {
    await this.#log("error", `z2m: Publish '${verb}' '${key}' to '${device.name}' failed: '${error}'`);
  }

  async #publishState(device: PersonaDevice, news: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#publish(device.name, device.say(news));
  }

  async #publishAvailability(device: PersonaDevice): Promise<void> {
    const state = device.available ? "online" : "offline";
    await this.#publish(`${device.name}/availability`, { state }, true);
  }

  /** Publishes, after it has said in its log what: with all that is in it, as the real one does. */
  async #publish(topic: string, payload: object, retain = false): Promise<void> {
    const text = stable(payload);
    await this.#log("info", `z2m:mqtt: MQTT publish: topic '${this.#topic(topic)}', payload '${text}'`);
    await this.#client?.publishAsync(this.#topic(topic), text, { retain });
  }

  /** Resolves when the broker has it: who subscribes then finds it kept. */
  async #retain(topic: string, payload: object): Promise<void> {
    await this.#client?.publishAsync(this.#topic(topic), stable(payload), { retain: true, qos: 1 });
  }

  async #log(level: "info" | "error", message: string): Promise<void> {
    const text = stable({ level, message });
    if (text === this.#lastLogged) return;
    this.#lastLogged = text;
    await this.#client?.publishAsync(this.#topic("bridge/logging"), text);
  }

  #info(): object {
    return bridgeInfo(this.#devices, this.#options.baseTopic, this.#options.advanced ?? {});
  }

  #device(id: string): PersonaDevice | undefined {
    return this.#devices.find(({ name, ieee }) => name === id || ieee === id);
  }

  #topic(rest: string): string {
    return `${this.#options.baseTopic}/${rest}`;
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
