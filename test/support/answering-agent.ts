import { copyFileSync, existsSync, rmSync } from "node:fs";
import { CatchUp } from "../../agent/catch-up.ts";
import { carryOut, type IntakeParts, mqttIntake } from "../../agent/intake.ts";
import type { Arrival, Intake } from "../../agent/mqtt/inbox.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";
import type { ConfiguredDevice } from "../../agent/store/devices.ts";
import type { Store } from "../../agent/store/store.ts";
import { worldOf } from "../../agent/world.ts";
import { StoreDir } from "./store-dir.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { agentFacts } from "./world.ts";

export const topics = topicsOf("access", "gateway-1");
export const commandTopic = (name: string): string => `access/gateway-1/command/${name}`;

/** What an intake needs, on a store; nothing is ever done about what it asks for. */
export const partsOn = (
  store: Store,
  of: Pick<IntakeParts, "now" | "catchUp"> & Partial<IntakeParts>,
): IntakeParts => ({
  store,
  log: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  saidAt: of.now,
  facts: agentFacts,
  world: worldOf(
    [],
    () => undefined,
    () => true,
  ),
  failed: () => {},
  wished: () => {},
  committed: () => {},
  ...of,
});

/** A reply as the broker got it. */
export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly correlation: string | undefined;
}

interface Run {
  readonly store: Store;
  readonly intake: Intake;
  readonly catchUp: CatchUp;
  isDead: boolean;
}

/** The intake on a store on disk, with all that answers first; and a broker that brings again what was not acknowledged. */
export class AnsweringAgent implements Disposable {
  readonly clock = new VirtualClock();
  readonly heard: Heard[] = [];
  readonly failures: unknown[] = [];
  readonly #dir = new StoreDir();
  #run: Run;
  #unacknowledged: (readonly Arrival[])[] = [];

  constructor() {
    this.#run = this.#start();
    this.#picture();
  }

  get store(): Store {
    return this.#run.store;
  }

  get parts(): IntakeParts {
    const { store, catchUp } = this.#run;
    return partsOn(store, { now: () => this.#dir.now, catchUp, failed: (error) => this.failures.push(error) });
  }

  get database(): string {
    return this.#dir.database;
  }

  /** Resolves when these, and all before them, are acknowledged; never, where it is killed before. */
  async bring(arrivals: readonly Arrival[]): Promise<void> {
    const run = this.#run;
    this.#unacknowledged.push(arrivals);
    await run.intake.accept(arrivals);
    if (run.isDead) return;
    this.#unacknowledged = this.#unacknowledged.filter((batch) => batch !== arrivals);
    this.#picture();
  }

  /** The broker takes that many replies; whether the agent learns of it. */
  deliver(atMost: number, isTold = true): number {
    const { outbox } = this.store;
    const letters = outbox.next(new Set(), atMost, { rank: "reply", after: 0 });
    for (const { topic, payload, correlation } of letters) {
      this.heard.push({ topic, payload, correlation: correlation && Buffer.from(correlation).toString("hex") });
    }
    if (letters.length > 0) this.#picture();
    if (!isTold) return letters.length;
    const rows = outbox.deliveredEarly(letters.map(({ id }) => id));
    this.store.transactionUnsynced(() => outbox.delivered(rows));
    return letters.length;
  }

  /** Ends it at once, with the power or without, and starts it again; the broker brings again what it has to. */
  async crash(isPowerLost: boolean, devices?: readonly ConfiguredDevice[]): Promise<void> {
    this.#run.isDead = true;
    this.#dir.close();
    if (isPowerLost) this.#restore();
    this.#run = this.#start(devices);
    const again = this.#unacknowledged.splice(0);
    // Before anything else that comes, and in the old order.
    for (const batch of again) await this.bring(batch);
  }

  /** All is acknowledged, carried out and told. */
  async settle(): Promise<void> {
    for (let second = 0; second < 1_000 && !this.#isSettled; second += 1) {
      await this.store.synced();
      await this.clock.run(1_000);
    }
    if (!this.#isSettled) throw new Error("commands are left that nobody carries out");
    await this.store.synced();
    while (this.deliver(1_000) > 0);
  }

  get #isSettled(): boolean {
    return this.store.backlog.size === 0 && this.#unacknowledged.length === 0;
  }

  [Symbol.dispose](): void {
    this.#run.isDead = true;
    this.#dir[Symbol.dispose]();
  }

  #start(devices?: readonly ConfiguredDevice[]): Run {
    const store = this.#dir.open(devices ? { devices } : {});
    const { backlog } = store;
    const catchUp = new CatchUp({
      backlog,
      carryOut: () => {
        if (run.isDead) throw new Error("it is dead");
        carryOut(parts);
      },
      clock: this.clock,
      failed: (error) => void (run.isDead || this.failures.push(error)),
    });
    const failed = (error: unknown): void => void (run.isDead || this.failures.push(error));
    const parts = partsOn(store, { now: () => this.#dir.now, catchUp, failed });
    const intake = mqttIntake(parts, topics, { codes: "never", commands: ["*"] });
    const run = { store, catchUp, intake, isDead: false };
    catchUp.start();
    return run;
  }

  /** What is on disk for certain: who was told of something found it there. */
  #picture(): void {
    for (const file of this.#files) if (existsSync(file)) copyFileSync(file, `${file}.then`);
  }

  #restore(): void {
    for (const file of this.#files) copyFileSync(`${file}.then`, file);
    rmSync(`${this.database}-shm`, { force: true });
  }

  get #files(): readonly string[] {
    return [this.database, `${this.database}-wal`];
  }
}
