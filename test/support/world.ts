import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { ClockWatch } from "../../agent/clock-watch.ts";
import type { Context } from "../../agent/commands/command.ts";
import { perform } from "../../agent/commands/perform.ts";
import type { EventFields } from "../../agent/commands/records.ts";
import { type CredentialId, secretOf } from "../../agent/domain/credential.ts";
import { type DeviceId, deviceId, userIdentityId } from "../../agent/domain/ids.ts";
import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { standing } from "../../agent/domain/receipt.ts";
import type { IntakeParts } from "../../agent/intake.ts";
import { migrate, type Opened } from "../../agent/store/open.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { Vault } from "../../agent/store/vault.ts";
import { Alarm } from "../../agent/sync/alarm.ts";
import { Keeper } from "../../agent/sync/keeper.ts";
import type { Clock, Link, LinkEvent, Log } from "../../drivers/driver.ts";
import { seeded } from "../../simulator/faults.ts";
import { CodeLives } from "./code-lives.ts";
import { keepPromise } from "./kept-promise.ts";
import { rest, VirtualClock } from "./virtual-clock.ts";
import { House } from "./world-house.ts";
import { type LockSpec, never, owner, type Process, WorldLock } from "./world-lock.ts";

export const migrations: string = new URL("../../agent/store/migrations", import.meta.url).pathname;

/** Where nothing is answered before it is carried out. */
export const caughtUp: IntakeParts["catchUp"] = {
  start: () => {
    throw new Error("Commands are answered that nobody will carry out");
  },
  caughtUp: () => undefined,
};
export const agentFacts: Context["agent"] = () => ({
  agentId: "gateway-1",
  version: "0.0.0",
  startedAt: instant(0),
  unlockGoodFor: 10_000,
  broker: { connected: true, sessionLost: undefined, idInUseSince: undefined, unheard: [] },
  clock: { trusted: true, reason: undefined, since: undefined, source: "system", hint: undefined },
  exposures: [],
  links: [],
});

/** A database in memory, as {@link openDatabase} leaves one on disk. */
export function openInMemory(image: Buffer = blankImage()): Opened {
  const db = new Database(image);
  return { db, vault: new Vault(randomBytes(32)), epoch: "e-1", workspaceId: "w-1" };
}

/** A new database as a file would hold it: made once for many worlds, since that takes longer than most of them. */
export function blankImage(): Buffer {
  const db = new Database(":memory:");
  migrate(db, migrations, ":memory:");
  const image = db.serialize();
  db.close();
  return image;
}

const quiet = (): void => undefined;
/** An agent that is told to end does so within as many turns of the event loop, as no time passes for it. */
const turnsToClose = 1_000;
const looksEvery: Milliseconds = 5 * 60_000;

export interface WorldSpec {
  readonly seed: number;
  readonly locks: readonly LockSpec[];
  /** How many of the locks the wire bears together. */
  readonly atOnce: 1 | "unlimited";
}

/** Locks on a bad wire, and an agent that is started, stopped and killed: the parts of the real one, in a time of their own. */
export class World implements Disposable {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly house: House;
  /** What must never be said or done, and was. */
  readonly sins: string[] = [];
  /** By a lock's identity: the one whose place it took, as the agent has told. */
  readonly replaced = new Map<string, string>();
  readonly counts: Map<string, number>;
  readonly #codeLives = new CodeLives();
  /** How many events were heard, which is the number of the last. */
  #heardOf = 0;
  readonly #began = this.clock.now();
  readonly #opened: Opened;
  readonly #spec: WorldSpec;
  readonly #unheard: LinkEvent[] = [];
  readonly #history: { readonly at: Instant; readonly what: string; readonly details: object | undefined }[] = [];
  readonly #codes = new Map<CredentialId, string>();
  /** How far the clock of the gateway is ahead. */
  #ahead: Milliseconds = 0;
  #process: Process = { dead: true };
  #store: Store;
  #keeper: Keeper;
  #alarm: Alarm;
  #watch: ClockWatch;

  constructor(spec: WorldSpec, counts: Map<string, number>, opened: Opened) {
    this.#opened = opened;
    this.#spec = spec;
    this.counts = counts;
    this.random = seeded(spec.seed);
    this.house = new House(
      spec.locks,
      (name, lock) =>
        new WorldLock(
          name,
          lock,
          this.clock,
          this.random,
          (fault) => this.count(fault),
          (event) => this.#report(event),
          (what, details) => this.#note(what, details),
        ),
    );
    ({ store: this.#store, keeper: this.#keeper, alarm: this.#alarm, watch: this.#watch } = this.#start());
  }

  get store(): Store {
    return this.#store;
  }

  /** By address. */
  get locks(): readonly WorldLock[] {
    return this.house.places;
  }

  device(index: number): DeviceId {
    return this.house.doors[index]?.id ?? deviceId("none");
  }

  #note(what: string, details?: object): void {
    this.#history.push({ at: this.clock.now(), what, details });
  }

  /** What happened, for whoever has to find out why a world failed. */
  get history(): readonly string[] {
    return this.#history.map(({ at, what, details }) =>
      [(at - this.#began) / 1000, what, ...(details ? [JSON.stringify(details)] : [])].join(" "),
    );
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** A command as it comes from a publisher; the parsed reply. */
  ask(name: string, parameters: object): { readonly ok: boolean; readonly [member: string]: unknown } {
    this.#note(name, parameters);
    const touched = new Set<DeviceId>();
    const payload = Buffer.from(JSON.stringify(parameters));
    const { reply } = this.#store.transaction(() =>
      perform(
        { name, payload, door: "local", retained: false, replyAddress: "usable", isOpen: true },
        this.#store,
        {
          now: this.#watch.now(),
          saidAt: this.#watch.now(),
          door: "local",
          by: "local",
          codes: true,
          agent: () => ({ ...agentFacts(), clock: { ...agentFacts().clock, trusted: this.#watch.isTrusted } }),
          touch: (device) => void touched.add(device),
          operate: () => undefined,
        },
        (error) => this.sins.push(`a command failed: ${String(error)}`),
      ),
    );
    this.#listen();
    for (const device of touched) this.#keeper.due(device);
    this.#alarm.nudge();
    keepPromise(name, reply.body);
    return JSON.parse(reply.body);
  }

  /** The clock of the gateway is set wrong by so much; the locks' own, and the time, go on. */
  setAhead(ms: Milliseconds): void {
    this.#note(`the clock is set ${ms / 1000} s ahead`);
    this.#ahead = ms;
    this.#watch.look();
  }

  /** The clock is right again, and somebody says so. */
  confirmClock(): void {
    this.setAhead(0);
    if (!this.#watch.confirm("operator")) this.sins.push("a clock that is right could not be confirmed");
    this.#alarm.nudge();
  }

  /** The power goes: what was not committed is lost, what was sent may arrive. */
  async kill(meanwhile: () => void = quiet): Promise<void> {
    const sent = this.#rows({}).find(({ belief }) => "inFlight" in belief && belief.inFlight);
    this.count(sent ? `killed_in_${sent.belief.at}` : "killed_between_steps");
    this.#note("killed");
    await this.#startAgain(meanwhile);
  }

  async restart(meanwhile: () => void = quiet): Promise<void> {
    this.#watch.close();
    const closed = Promise.all([this.#keeper.close(), this.#alarm.close()]).then(() => "closed");
    for (let turn = 0; (await Promise.race([closed, rest()])) !== "closed"; turn++) {
      if (turn > turnsToClose) throw new Error("the agent does not end");
    }
    this.count("restarted");
    await this.#startAgain(meanwhile);
  }

  async #startAgain(meanwhile: () => void): Promise<void> {
    this.#process.dead = true;
    // What was on the wire arrives before anyone is back.
    await this.clock.run(1_000);
    meanwhile();
    ({ store: this.#store, keeper: this.#keeper, alarm: this.#alarm, watch: this.#watch } = this.#start());
    for (const event of this.#unheard.splice(0)) this.#report(event);
  }

  /** Counts how receipts have changed from state to state: rows are closed, never overwritten. */
  countTransitions(): void {
    const all = this.#opened.db.prepare<[], { placement_id: string; state: string; valid_to: number | null }>(
      "SELECT placement_id, state, valid_to FROM placements ORDER BY row",
    );
    const last = new Map<string, { readonly state: string; readonly isClosed: boolean }>();
    for (const { placement_id: id, state, valid_to: end } of all.all()) {
      const before = last.get(id)?.state ?? "new";
      if (before !== state) this.count(`${before} > ${state}`);
      last.set(id, { state, isClosed: end !== null });
    }
    for (const { state, isClosed } of last.values()) if (isClosed) this.count(`${state} > gone`);
  }

  [Symbol.dispose](): void {
    this.#process.dead = true;
  }

  #start(): { store: Store; keeper: Keeper; alarm: Alarm; watch: ClockWatch } {
    const process: Process = { dead: false };
    this.#process = process;
    const watch = this.#newWatch(process);
    const clock: Clock = {
      now: () => watch.now(),
      sleep: async (ms, signal) => {
        try {
          await this.clock.sleep(ms, signal);
        } finally {
          if (process.dead) await never();
        }
      },
    };
    const store = storeOn(this.#opened, {
      dataDir: join(tmpdir(), "latchd-world"),
      devices: this.house.configured(),
      pins: { issue: true, length: 6 },
      events: { rows: 100_000, days: 30 },
      now: () => watch.now(),
      isClockTrusted: () => watch.isTrusted,
    });
    void watch.start(store);
    watch.look();
    store.rounds.interrupt();
    this.#store = store;
    this.#catchUp();
    const link: Link = {
      atOnce: this.#spec.atOnce,
      lock: (address) => this.house.device(address, process),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const keeper = new Keeper({
      turn: async () => undefined,
      // A settlement and what it says are one commit: it must be true at that instant.
      ledger: { ...store.rounds, change: (device, id, by) => this.#heard(store.rounds.change(device, id, by)) },
      devices: this.house.whereabouts(),
      linkOf: () => link,
      clock,
      log: this.#log(),
      random: this.random,
      committed: () => this.#listen(),
      failed: (error) => this.sins.push(`the store failed: ${error.message}`),
    });
    const alarm = new Alarm({
      clock,
      turn: () => {
        watch.look();
        return this.#heard(store.turn(watch.isConfirmed));
      },
      due: (...due) => keeper.due(...due),
      // It has to wake at the moment itself, and when it is told of a change.
      atLeastEvery: 5 * 60_000,
      failed: (error) => this.sins.push(`the alarm failed: ${String(error)}`),
    });
    keeper.opened("wire");
    alarm.start();
    return { store, keeper, alarm, watch };
  }

  #newWatch(process: Process): ClockWatch {
    return new ClockWatch({
      clock: {
        now: () => later(this.clock.now(), this.#ahead),
        // Less often than the real one: it looks before whatever depends on the time, too.
        sleep: async (ms, signal) => {
          await this.clock.sleep(Math.max(ms, looksEvery), signal);
          if (process.dead) await never();
        },
      },
      monotonic: () => this.clock.now() - this.#began,
      synchronisation: { ask: async () => undefined, found: { source: "system", synchronised: true } },
      ask: undefined,
      built: instant(1_700_000_000_000),
      log: this.#log(),
      changed: () => {
        if (!process.dead) this.#alarm?.nudge();
      },
      failed: (error) => this.sins.push(`the watch of the clock failed: ${String(error)}`),
    });
  }

  #log(): Log {
    const error = (fields: object, message: string): void => {
      this.sins.push(`${message}: ${"error" in fields && fields.error instanceof Error ? fields.error.stack : ""}`);
    };
    return { trace: quiet, debug: quiet, info: quiet, warn: quiet, error };
  }

  #report(event: LinkEvent): void {
    this.#note(`reported ${event.event} ${event.address}`);
    if (this.#process.dead) this.#unheard.push(event);
    else this.#keeper.reported("wire", event);
  }

  #heard<T>(result: T): T {
    this.#listen();
    return result;
  }

  /** What was committed by a process that was killed before anybody could listen is in the journal. */
  #catchUp(): void {
    const told = this.#store.records.eventsOf({ after: this.#heardOf, limit: 10_000 });
    const fresh = this.#store.journal.takeFresh();
    for (const { event_type: type, ...fields } of told.slice(0, told.length - fresh.length)) {
      this.#codeLives.missed({ type: String(type), fields });
    }
    this.#heardOf += told.length - fresh.length;
    this.#listen(fresh);
  }

  /** Holds what is told against what is so. */
  #listen(fresh = this.#store.journal.takeFresh()): void {
    this.#heardOf += fresh.length;
    for (const { type, fields } of fresh) {
      this.count(type);
      this.#note(type, fields);
      if (type === "device.replaced") {
        this.#lockCalled(fields["is"])?.toBeRead();
        this.replaced.set(String(fields["is"]), String(fields["was"]));
      }
      const isOfCodes = type.startsWith("access_code.") || type === "device.renamed";
      const sin = isOfCodes ? this.#codeLives.hear({ type, fields }, this.#rows({})) : undefined;
      if (sin !== undefined) this.sins.push(sin);
      this.#hold(type, fields);
    }
  }

  #hold(type: string, { user_identity_id: who, device_id: where, evidence }: EventFields): void {
    if (who === undefined || evidence === "acknowledged") return;
    if (type === "access.live") this.#mustBeLive(who, String(where), String(evidence));
    // What is still on a lock, or may arrive there, belongs to another door that the person may use.
    if (type === "access.paused") this.#mustBeShut(who, String(where));
    if (type === "access.gone" || type === "access.paused") {
      const rows = this.#rows({});
      for (const lock of this.house.locks) {
        const strays = this.unaccounted(lock, rows).filter((stray) => stray.startsWith(`${who}/`));
        for (const stray of strays) this.sins.push(`${type} by ${String(evidence)}, but ${stray} is on ${lock.name}`);
      }
    }
  }

  /** Codes that were told to be on a device, and of which nothing is left. */
  get forgottenCodes(): readonly string[] {
    return this.#codeLives.forgotten(this.#rows({}));
  }

  #lockCalled(identity: unknown): WorldLock | undefined {
    return this.house.locks.find((lock) => lock.identity === identity);
  }

  #mustBeLive(who: string, where: string, evidence: string): void {
    const door = this.house.doors.find(({ id }) => id === where);
    const lock = door && this.house.lockAt(door);
    // A belief of old may be told again where the owner has acted since and nobody has said so.
    if (lock && lock.untold > 0) return;
    // So may one of a lock that was changed for another, of which nobody could hear since: a window opens by itself, or a
    // command opens it.
    if (lock?.isStranger) return;
    if (this.#isTimedByItself(lock)) return;
    // Of two people who have one code, whose it is on the lock nobody can tell: it opens for both.
    const held = lock?.opening().filter(({ label }) => label !== owner) ?? [];
    const isThere = this.#rows({ identity: userIdentityId(who) })
      .filter(({ device, wanted, belief }) => device === where && wanted && belief.at === "held")
      .filter((placement) => lock?.identities.includes(placement.lock))
      .some(({ credential }) => held.some(({ value }) => value === this.code(credential)));
    if (!isThere) this.sins.push(`live by ${evidence}, but ${who} is not on ${String(lock?.name)} of ${where}`);
  }

  #mustBeShut(who: string, where: string): void {
    const door = this.house.doors.find(({ id }) => id === where);
    const lock = door && this.house.lockAt(door);
    // As for a code that opens; and of a lock that has not said that it is there, nobody can know what it has.
    if (!lock || lock.untold > 0 || lock.isStranger) return;
    if (this.#isTimedByItself(lock)) return;
    // What is left of another door is in the debt, or is that door's until the agent has heard that the lock is at this one.
    const rows = this.#rows({ identity: userIdentityId(who) }).filter(({ lock: on }) => lock.identities.includes(on));
    const isOwed = (code: string): boolean =>
      rows.some((row) => isOwedAt(where, row) && this.code(row.credential) === code);
    const open = lock.opening().filter(({ label, value }) => label === who && !isOwed(value));
    if (open.length > 0) this.sins.push(`paused, but ${who} may open ${lock.name} of ${where}`);
  }

  /** While the time is not known, windows neither open nor close for the agent, and do for a lock that keeps them (Law 12). */
  #isTimedByItself(lock: WorldLock | undefined): boolean {
    return !this.#watch.isTrusted && lock?.spec.keepsWindows === true;
  }

  /** Codes of ours that are on a lock, or on their way, and that the agent knows nothing of: whose, and which. */
  unaccounted(lock: WorldLock, rows = this.#rows({})): readonly string[] {
    const known = new Set(
      rows
        .filter((placement) => lock.identities.includes(placement.lock))
        .filter(({ belief, late }) => belief.at !== "nowhere" || late !== undefined)
        .map(({ identity, credential }) => `${identity}/${this.code(credential)}`),
    );
    const held = lock.held().filter(({ label }) => label !== owner);
    const there = [...held.map(({ label, value }) => `${label}/${value}`), ...lock.arriving];
    return there.filter((code) => !known.has(code));
  }

  #rows(of: Parameters<Store["records"]["placements"]>[0]): readonly Placement[] {
    return this.#store.records.placements(of).map(({ placement }) => placement);
  }

  /** What a credential is, which never changes. */
  code(credential: CredentialId): string {
    const known = this.#codes.get(credential);
    if (known !== undefined) return known;
    const code = secretOf(this.#store.rounds.credential(credential)).reveal();
    this.#codes.set(credential, code);
    return code;
  }
}

const isOwedAt = (where: string, placement: Placement): boolean =>
  placement.device !== where || standing(placement).state === "removing";
