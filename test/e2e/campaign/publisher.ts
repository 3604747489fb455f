import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { readReply } from "../support/agent-process.ts";
import { type Cloud, grantCommand, revokeCommand } from "../support/cloud.ts";

/** How long a reply is waited for before the command is sent again, as it was. */
const patience = 1_500;
/** How long the last replies may take. */
const lastPatience = 120_000;
const tick = 10;

interface Command {
  readonly id: string;
  /** What it is about: a second one about the same waits for the reply to the first (README, "Rules for publishers"). */
  readonly about: string;
  readonly name: string;
  readonly payload: string;
  readonly done: () => void;
  sentAt: number;
}

/** Sends commands without end, keeps each until its reply is there, and knows what must be true for those with a reply. */
export class Publisher {
  sent = 0;
  repeated = 0;
  /** Replies other than `ok`, by their type. */
  readonly refusals = new Map<string, number>();
  /** Every PIN that a person was ever to have by a command. */
  readonly ownPins = new Map<string, string>();
  readonly #cloud: Cloud;
  readonly #random: () => number;
  readonly #people: readonly string[];
  readonly #devices: readonly string[];
  readonly #perTick: number;
  readonly #open = new Map<string, Command>();
  readonly #granted = new Set<string>();
  readonly #pin = new Map<string, string>();

  constructor(
    cloud: Cloud,
    random: () => number,
    of: { readonly people: readonly string[]; readonly devices: readonly string[]; readonly perSecond: number },
  ) {
    this.#cloud = cloud;
    this.#random = random;
    this.#people = of.people;
    this.#devices = of.devices;
    this.#perTick = (of.perSecond * tick) / 1_000;
  }

  /** Until the signal, and then until each command has its reply. */
  async run(signal: AbortSignal): Promise<void> {
    for (let endedAt = 0; !signal.aborted || this.#open.size > 0; ) {
      if (signal.aborted) endedAt ||= Date.now();
      if (endedAt && Date.now() - endedAt > lastPatience)
        throw new Error(`no reply to ${[...this.#open.keys()].join(", ")}`);
      for (const command of this.#open.values()) this.#follow(command);
      if (!signal.aborted && this.#random() < this.#perTick) this.#next();
      await delay(tick);
    }
  }

  isGranted(person: string, device: string): boolean {
    return this.#granted.has(`${person}\t${device}`);
  }

  /** The PIN that a person has brought. */
  pinOf(person: string): string | undefined {
    return this.#pin.get(person);
  }

  /** What `access/list` must say of all grants (README, "Commands"). */
  digest(): string {
    // Sorted bytewise, as these are ASCII.
    const lines = [...this.#granted].map((pair) => `${pair}\tdirect\n`).toSorted((a, b) => (a < b ? -1 : 1));
    return createHash("sha256").update(lines.join("")).digest("hex");
  }

  #next(): void {
    const person = this.#one(this.#people);
    if (this.#random() < 0.15) {
      const value = String(1_000_000 + Math.floor(this.#random() * 9_000_000));
      this.ownPins.set(value, person);
      const parameters = { user_identity_id: person, kind: "pin", value };
      this.#send(`the PIN of ${person}`, "credentials/set", parameters, () => this.#pin.set(person, value));
      return;
    }
    const device = this.#one(this.#devices);
    const pair = `${person}\t${device}`;
    const parameters = { user_identity_id: person, device_id: device };
    const isGrant = this.#random() < 0.55;
    this.#send(pair, isGrant ? grantCommand : revokeCommand, parameters, () =>
      isGrant ? this.#granted.add(pair) : this.#granted.delete(pair),
    );
  }

  #send(about: string, name: string, parameters: object, done: () => void): void {
    if ([...this.#open.values()].some((command) => command.about === about)) return;
    this.sent += 1;
    const id = `c-${this.sent}`;
    const payload = JSON.stringify({ request_id: id, ...parameters });
    const command = { id, about, name, payload, done, sentAt: 0 };
    this.#open.set(id, command);
    this.#publish(command);
  }

  #follow(command: Command): void {
    const [reply] = this.#cloud.replies.get(command.id) ?? [];
    if (reply === undefined) {
      if (Date.now() - command.sentAt < patience) return;
      this.repeated += 1;
      this.#publish(command);
      return;
    }
    this.#open.delete(command.id);
    const { ok, error } = readReply(reply);
    if (ok) command.done();
    else this.refusals.set(error?.type ?? "?", (this.refusals.get(error?.type ?? "?") ?? 0) + 1);
  }

  #publish(command: Command): void {
    command.sentAt = Date.now();
    // A broker that has gone away in this test is a failure of its own.
    void this.#cloud.publish(command.name, command.payload);
  }

  #one(of: readonly string[]): string {
    return of[Math.floor(this.#random() * of.length)] ?? "";
  }
}
