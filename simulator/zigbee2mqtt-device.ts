import { setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Instant, instant } from "../agent/domain/instant.ts";
import { Secret } from "../agent/domain/secret.ts";
import { faultNames, faultWith } from "./fault.ts";
import { blankChip } from "./lock.ts";
import type { Remembered } from "./memory-file.ts";
import { type Sight, Witness } from "./witness.ts";
import { type Answer, doorModes, type Misfortunes, type Request, ZigbeeDoor } from "./zigbee-door.ts";
import { type Sent, ZigbeeRadio } from "./zigbee-radio.ts";

/** What can be done to a lock, or happens at it. Codes are those of the ZCL notifications (lock-interfaces, 1.2). */
export const doorAct = z.discriminatedUnion("act", [
  z.strictObject({ act: z.literal("mode"), mode: z.enum(doorModes) }),
  faultWith({ act: z.literal("fault") }),
  z.strictObject({ act: z.literal("mend"), fault: z.enum(faultNames) }),
  z.strictObject({ act: z.literal("type"), digits: z.string() }),
  z.strictObject({ act: z.literal("operate"), source: z.int(), code: z.int(), user: z.int() }),
  z.strictObject({ act: z.literal("program"), source: z.int(), code: z.int(), user: z.int() }),
  z.strictObject({ act: z.literal("bolt"), state: z.int().min(0).max(2) }),
  z.strictObject({ act: z.literal("battery"), halves: z.int().min(0).max(200) }),
]);
export type DoorAct = z.infer<typeof doorAct>;

export interface DeviceModel {
  readonly name: string;
  readonly ieee: string;
  /** It sleeps, and what does not reach it is sent again later. */
  readonly pollControl: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
  /** What is left of it from an earlier time. */
  readonly remembered?: Remembered | undefined;
  /** What goes wrong at it from the beginning. */
  readonly misfortunes?: Misfortunes;
}

/** Who sees what is done to a lock's memory, and who keeps it. */
export interface Onlookers {
  see(sight: Sight): void;
  remember(lock: string, what: Remembered): void;
}
const nobody: Onlookers = { see: () => undefined, remember: () => undefined };

type Payload = Readonly<Record<string, unknown>>;

/** What zigbee2mqtt forgets at once of what it says about a device, beside what `filtered_cache` names. */
const neverCached = /^action.*$/;

/** One lock as zigbee2mqtt has it: its options, its cached state, and the way to it. */
export class PersonaDevice {
  readonly ieee: string;
  readonly name: string;
  readonly pollControl: boolean;
  readonly door: ZigbeeDoor;
  available = false;
  /** How often its bolt has been told to move, whatever became of it. */
  boltCommands = 0;
  readonly #radio: ZigbeeRadio;
  readonly #onlookers: Onlookers;
  readonly #witness: Witness;
  #options: Payload;
  #heardOf = false;
  #cache: Payload = {};

  constructor(model: DeviceModel, onlookers: Onlookers = nobody) {
    const { name, ieee, pollControl, options = {}, remembered } = model;
    this.name = name;
    this.ieee = ieee;
    this.pollControl = pollControl;
    this.#options = remembered?.options ?? options;
    this.door = new ZigbeeDoor(remembered?.chip ?? blankChip(ieee), model.misfortunes);
    this.#radio = new ZigbeeRadio(this.door, pollControl);
    this.#onlookers = onlookers;
    this.#witness = new Witness(name, (sight) => onlookers.see(sight), remembered?.unanswered);
  }

  get options(): Payload {
    return this.#options;
  }

  set options(options: Payload) {
    this.#options = options;
    this.#remember();
  }

  /** Sends over the air, and notes a sign of life. */
  async send(request: Request): Promise<Sent> {
    const isWrite = request.to === "setPinCode";
    const fate = this.door.fate(request, now());
    const { delay, becomes, lateBy } = fate;
    // zigbee2mqtt tells nobody what the lock answered to these: only a read does (lock-interfaces, 1.3).
    if (isWrite || request.to === "clearPinCode") this.#witness.sent(isWrite ? "write" : "clear", String(request.user));
    if (request.to === "lockDoor" || request.to === "unlockDoor") this.boltCommands += 1;
    if (delay > 0) await sleep(delay / 2);
    const sent = this.#watch(() => this.#radio.send(request, fate));
    if (becomes === "late" && "gaveUp" in sent) {
      setTimeout(() => this.#watch(() => this.#radio.arrive(request, fate)), lateBy).unref();
    }
    if (delay > 0) await sleep(delay / 2);
    if (!("answer" in sent)) return sent;
    this.#heardOf = true;
    if (request.to === "getPinCode") this.#witness.answered(String(request.user));
    return sent;
  }

  /** What was kept for it is sent once more: the answers. */
  catchUp(): readonly Answer[] {
    return this.#watch(() => this.#radio.catchUp((request) => this.door.fate(request, now())));
  }

  /** Does what may change the lock's memory, under the eyes of who looks on. */
  #watch<T>(act: () => T): T {
    const before = this.door.chip;
    const result = act();
    if (this.door.chip !== before) {
      // Kept before it is told: who hears of it may pull the plug.
      this.#remember();
      this.#witness.compare(before, this.door.chip);
    }
    return result;
  }

  #remember(): void {
    const { chip } = this.door;
    this.#onlookers.remember(this.name, { chip, unanswered: [...this.#witness.unanswered], options: this.#options });
  }

  /** What is published when the lock has said something: the cache with the news in it. */
  say(news: Payload): Payload {
    const users = { ...record(this.#cache["users"]), ...record(news["users"]) };
    const all = { ...this.#cache, ...news, ...(Object.keys(users).length > 0 ? { users } : {}) };
    const filters = z.array(z.string()).catch([]).parse(this.options["filtered_cache"]);
    const isFiltered = (key: string): boolean =>
      neverCached.test(key) || filters.some((filter) => new RegExp(`^${filter}$`).test(key));
    this.#cache = Object.fromEntries(Object.entries(all).filter(([key]) => !isFiltered(key)));
    return this.#heardOf ? { ...all, linkquality: 100 } : all;
  }

  /** The property that an answer is published as: undefined for those of which zigbee2mqtt says nothing. */
  published(answer: Answer): Payload | undefined {
    if (answer.to === "read") return lockStateIn(answer.values["lockState"]);
    if (answer.to !== "getPinCode") return undefined;
    const pin = this.options["expose_pin"] === true ? { pin_code: answer.pin } : {};
    return { users: { [answer.user]: { status: answer.status, ...pin } } };
  }

  /** What the lock tells of an act: undefined for one that it does not tell of. */
  happened(act: DoorAct): Payload | undefined {
    if (act.act === "mode" || act.act === "fault" || act.act === "mend") return this.#set(act);
    if (!this.door.tells(now())) return undefined;
    this.#heardOf = true;
    switch (act.act) {
      case "type": {
        const user = this.door.type(new Secret(act.digits), now());
        return user === undefined ? notification(operations, 0, 5, 0xffff) : notification(operations, 0, 2, user);
      }
      case "operate":
        return notification(operations, act.source, act.code, act.user);
      case "program":
        return notification(programmings, act.source, act.code, act.user);
      case "bolt":
        if (act.state > 0) this.#watch(() => this.door.turn(act.state === 1 ? "locked" : "unlocked"));
        return lockStateIn(act.state);
      case "battery":
        return { battery: act.halves / 2 };
    }
  }

  /** What the lock tells after its bolt was moved over the air: its state, and who did it. */
  moved(): readonly Payload[] {
    if (!this.door.tells(now())) return [];
    const isLocked = this.door.place === "locked";
    return [lockStateIn(isLocked ? 1 : 2) ?? {}, notification(operations, 1, isLocked ? 1 : 2, 0xffff)];
  }

  #set(act: DoorAct & { readonly act: "mode" | "fault" | "mend" }): undefined {
    switch (act.act) {
      case "mode":
        this.door.setMode(act.mode, now());
        return;
      case "fault": {
        const { act: _, ...setting } = act;
        this.door.begin(setting, now());
        return;
      }
      case "mend":
        this.door.end(act.fault, now());
    }
  }
}

const now = (): Instant => instant(Date.now());

const record = (value: unknown): Payload => z.record(z.string(), z.unknown()).catch({}).parse(value);

const lockStateIn = (value: number | undefined): Payload | undefined =>
  value === undefined ? undefined : { state: value === 1 ? "LOCK" : "UNLOCK", lock_state: bolts[value] };
const bolts = ["not_fully_locked", "locked", "unlocked"];
const sources = ["keypad", "rf", "manual", "rfid", "fingerprint"];
const operations = [
  "unknown",
  "lock",
  "unlock",
  "lock_failure_invalid_pin_or_id",
  "lock_failure_invalid_schedule",
  "unlock_failure_invalid_pin_or_id",
  "unlock_failure_invalid_schedule",
  "one_touch_lock",
  "key_lock",
  "key_unlock",
  "auto_lock",
  "schedule_lock",
  "schedule_unlock",
  "manual_lock",
  "manual_unlock",
  "non_access_user_operational_event",
];
const programmings = [
  "unknown",
  "master_code_changed",
  "pin_code_added",
  "pin_code_deleted",
  "pin_code_changed",
  "rfid_code_added",
  "rfid_code_deleted",
];

const notification = (names: readonly string[], source: number, code: number, user: number): Payload => ({
  action: names[code],
  action_user: user === 0xffff ? null : user,
  action_source: source,
  action_source_name: sources[source],
});
