import { setTimeout as delay } from "node:timers/promises";
import type { Packet } from "mqtt-packet";
import type { MqttProxy } from "../../support/mqtt-proxy.ts";
import type { AgentProcess } from "../support/agent-process.ts";
import type { LocksProcess } from "./locks-process.ts";

/** At which moment the agent is killed. */
export const aims = [
  /** At some time in its start. */
  "start",
  /** Soon after a command has reached it. */
  "command",
  /** It has said yes to a command, and the broker does not hear it. */
  "puback",
  /** The reply does not leave. */
  "reply",
  "event",
  /** A write or clear does not leave for its lock, but for the books it has. */
  "unsent",
  /** Soon after a write or clear has left for its lock. */
  "sent",
  /** Soon after a lock has done it. */
  "stored",
] as const;
export type Aim = (typeof aims)[number];

const isPuback = (packet: Packet): boolean => packet.cmd === "puback";
const isOn =
  (part: string) =>
  (packet: Packet): boolean =>
    packet.cmd === "publish" && packet.topic.includes(part);
const isChange = (packet: Packet): boolean =>
  packet.cmd === "publish" && packet.topic.endsWith("/set") && packet.payload.toString().includes('"pin_code"');

/** On a machine that is busy with other tests, a start takes seconds. */
const longestStart = 30_000;

/** Kills an agent with -9, at moments that are seen from outside. */
export class Gun {
  readonly #agent: AgentProcess;
  readonly #cloud: MqttProxy;
  readonly #link: MqttProxy;
  readonly #locks: readonly LocksProcess[];
  readonly #longestLife: number;
  readonly #random: () => number;
  /** What is waited for now. */
  #heard: { command(): void; change(): void; connect(): void; stored(): void } = quiet;

  constructor(of: {
    readonly agent: AgentProcess;
    /** Between the agent and its own broker. */
    readonly cloud: MqttProxy;
    /** Between the agent's links and theirs. */
    readonly link: MqttProxy;
    readonly locks: readonly LocksProcess[];
    /** Whatever it waits for, an agent lives no longer once it is connected; in ms. */
    readonly longestLife: number;
    readonly random: () => number;
  }) {
    this.#agent = of.agent;
    this.#cloud = of.cloud;
    this.#link = of.link;
    this.#locks = of.locks;
    this.#longestLife = of.longestLife;
    this.#random = of.random;
    this.#cloud.listen(({ from, packet }) => {
      if (from === "agent" && packet.cmd === "connect") this.#heard.connect();
      if (from === "broker" && isOn("/command/")(packet)) this.#heard.command();
    });
    this.#link.listen(({ from, packet }) => {
      if (from === "agent" && isChange(packet)) this.#heard.change();
    });
    for (const some of this.#locks) {
      some.asked = () => this.#heard.change();
      some.seen = ({ happened }) => happened !== "rewritten_blindly" && this.#heard.stored();
    }
  }

  /** Starts the agent, and kills it at such a moment. Resolves with when that was, once it is gone. */
  async fire(aim: Aim): Promise<number> {
    // Drawn before anything happens: a seed gives the same moments, however fast the machine is.
    const [luck, pause] = [this.#random(), this.#random()];
    const shot = new Once<number>();
    const shoot = (): void => {
      this.#agent.shoot();
      shot.resolve(Date.now());
    };
    const soon = (within: number) => (): void => void delay(luck * within).then(shoot);
    this.#agent.launch();
    const connected = new Once<true>();
    this.#heard = { ...quiet, connect: () => connected.resolve(true) };
    const deadline = new AbortController();
    const late = (after: number): Promise<undefined> =>
      delay(after, undefined, { signal: deadline.signal }).catch(() => undefined);
    if (aim === "start") {
      await delay(100 + luck * 1_000);
      shoot();
    } else if (await Promise.race([connected.promise, late(longestStart)])) {
      // Work goes on for a while, in most lives.
      await delay(Math.max(0, pause - 0.2) * 700);
      switch (aim) {
        case "command":
          this.#heard = { ...quiet, command: soon(20) };
          break;
        case "puback":
          this.#cloud.cutAt(isPuback, shoot);
          break;
        case "reply":
          this.#cloud.cutAt(isOn("/reply/"), shoot);
          break;
        case "event":
          this.#cloud.cutAt(isOn("/event/"), shoot);
          break;
        case "unsent":
          this.#link.cutAt(isChange, shoot);
          break;
        case "sent":
          this.#heard = { ...quiet, change: soon(60) };
          break;
        case "stored":
          this.#heard = { ...quiet, stored: soon(5) };
          break;
      }
    }
    await Promise.race([shot.promise, late(this.#longestLife)]);
    deadline.abort();
    this.#heard = quiet;
    for (const proxy of [this.#cloud, this.#link]) proxy.cutAt(() => false);
    shoot();
    await this.#agent.kill("SIGKILL");
    return shot.promise;
  }
}

const nothing = (): void => {};
const quiet = { command: nothing, change: nothing, connect: nothing, stored: nothing };

/** A promise that somebody else resolves. */
class Once<T> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void = nothing;

  constructor() {
    this.promise = new Promise((done) => {
      this.resolve = done;
    });
  }
}
