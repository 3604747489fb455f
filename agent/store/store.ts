import { join } from "node:path";
import type { Desk } from "../commands/perform.ts";
import type { EventFields } from "../commands/records.ts";
import type { ActionAttempt, AttemptEnd } from "../domain/action-attempt.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { TimeZones } from "../domain/time-zone.ts";
import { AccessCodes } from "./access-codes.ts";
import { AccessGrants } from "./access-grants.ts";
import { ActionAttempts } from "./action-attempts.ts";
import { Backlog } from "./backlog.ts";
import { begin } from "./begin.ts";
import { BrokerSessions } from "./broker-sessions.ts";
import { Calendar } from "./calendar.ts";
import { checkMeanwhile, type Looked } from "./check.ts";
import { Choices } from "./choices.ts";
import { Chooser, type PinPolicy } from "./chooser.ts";
import { ClockRecord } from "./clock-record.ts";
import { CodeDelays } from "./code-delays.ts";
import { CodeEvents } from "./code-events.ts";
import { Credentials } from "./credentials.ts";
import { Debt } from "./debt.ts";
import { DecisionsHere } from "./decisions-here.ts";
import { DeviceEvents } from "./device-events.ts";
import { type ConfiguredDevice, Devices } from "./devices.ts";
import { type DoorBook, doorBookOf } from "./doors.ts";
import { DriverStates } from "./driver-states.ts";
import type { Budget } from "./event-budget.ts";
import { EventSearch } from "./event-search.ts";
import { Grants } from "./grants.ts";
import { Journal } from "./journal.ts";
import { Keys } from "./keys.ts";
import { PlacementLedger } from "./ledger.ts";
import { Locks } from "./locks.ts";
import { Marks } from "./marks.ts";
import { Meetings } from "./meetings.ts";
import { type Opened, openDatabase } from "./open.ts";
import { Outbox } from "./outbox.ts";
import { Placements } from "./placements.ts";
import { recordsOf } from "./records.ts";
import { Requests } from "./requests.ts";
import { RetainedRefusals } from "./retained-refusals.ts";
import { type RoundStore, roundLedgerOf } from "./round-ledger.ts";
import { Transactions } from "./transactions.ts";
import { UserIdentities } from "./user-identities.ts";
import { type Turn, Windows } from "./windows.ts";

export interface StoreOptions {
  readonly dataDir: string;
  readonly keyFile: string;
  /** The directory with the numbered `.sql` files. */
  readonly migrations: string;
  readonly devices: readonly ConfiguredDevice[];
  readonly pins: PinPolicy;
  /** Of latchd. */
  readonly version?: string;
  /** Of events that wait to be told. */
  readonly events: Budget;
  readonly now: () => Instant;
  /** Whether the time is known (Law 12). */
  readonly isClockTrusted?: () => boolean;
  /** The share of a device's codes that may end at once after nobody has looked for a while; all of them where left out. */
  readonly maxMassExpiry?: number;
}

/** Rows of a table that are removed in one go: a few milliseconds, for which everything else waits. */
const pruneAtOnce = 250;

/** Every method is one transaction, on disk when it returns. */
interface AttemptBook {
  /** @param isTold whether the lock has told of it by itself. */
  end(attempt: ActionAttempt, end: AttemptEnd, isTold: boolean): void;
  /** At start: what was under way is not carried out any more. */
  interrupt(): void;
}

/** All that latchd keeps. Whatever changes together changes in one `transaction`, and is on disk when that returns. */
export interface Store extends Desk, Pick<Transactions, "transaction" | "transactionUnsynced" | "synced"> {
  readonly outbox: Outbox;
  readonly backlog: Backlog;
  readonly journal: Pick<Journal, "takeFresh">;
  readonly driverStates: DriverStates;
  readonly rounds: RoundStore;
  readonly debt: Debt;
  readonly attempts: AttemptBook;
  readonly doors: DoorBook;
  readonly codeDelays: CodeDelays;
  readonly clock: ClockRecord;
  /** What is to be said of the clock. The caller's transaction. */
  tellClock(event: { readonly type: string; readonly fields: EventFields }): void;
  readonly keys: Keys;
  readonly sessions: BrokerSessions;
  readonly retainedRefusals: RetainedRefusals;
  /**
   * Opens and closes the windows of grants whose time has come: some of them, in one transaction.
   *
   * @param isConfirmed somebody else than the system has said that the clock is right.
   */
  turn(isConfirmed?: boolean): Turn;
  /** Devices that the configuration had once, and has no longer. */
  formerDevices(): readonly DeviceId[];
  /** Devices of which something changed since this was last asked. */
  takeChanged(): ReadonlySet<DeviceId>;
  /** Devices of which something is to be chosen because of what was committed since this was last asked. */
  takeDue(): ReadonlySet<DeviceId>;
  /** Goes on to look through the database, where it is large. Returns what ends it. */
  checkOn(told: Looked): () => void;
  /** Removes some of what is past its time of keeping. True where there is more: ask again, in another turn of the loop. */
  prune(): boolean;
  close(): void;
}

/** @throws ConfigError, StoreError as {@link openDatabase}. */
export function openStore(options: StoreOptions): Store {
  const { dataDir, keyFile, migrations, now } = options;
  return storeOn(openDatabase(fileIn(dataDir), keyFile, migrations, now()), options);
}

const fileIn = (dataDir: string): string => join(dataDir, "latchd.db");

/** The store on a database that is open already. */
export function storeOn({ db, vault, ...names }: Opened, options: Omit<StoreOptions, "keyFile" | "migrations">): Store {
  const { dataDir, now, isClockTrusted = () => true } = options;
  const changed = new Set<DeviceId>();
  const clock = new ClockRecord(db);
  const calendar = new Calendar(db, clock, isClockTrusted);
  const outbox = new Outbox(db, vault, calendar);
  const backlog = new Backlog(db, outbox);
  const journal = new Journal(db, names, { outbox, budget: options.events, now, calendar });
  const codes = new AccessCodes(db, journal);
  const grants = new Grants(db);
  const accessGrants = new AccessGrants(db);
  const marks = new Marks(db, calendar);
  const credentials = new Credentials(db, vault);
  const placements = new Placements(db);
  const codeEvents = new CodeEvents(db, journal, placements);
  const choices = new Choices(db);
  const devices = new Devices(db, options.devices, changed);
  const attempts = new ActionAttempts(db, { journal, devices, calendar });
  const locks = new Locks(db, options.devices);
  const keys = new Keys(db, vault, journal, now);
  const requests = new Requests(db, vault, now, calendar);
  const retainedRefusals = new RetainedRefusals(db, vault);
  const ledger = new PlacementLedger({
    codes,
    codeEvents,
    grants,
    credentials,
    placements,
    choices,
    journal,
    devices,
    changed,
  });
  const configured = new Map(options.devices.map((device) => [device.id, device]));
  const zones = new TimeZones();
  const windows = new Windows({
    grants,
    accessGrants,
    choices,
    ledger,
    zones,
    settings: (device) => configured.get(device),
    memoryOf: (device) => devices.limits(device),
    journal,
    record: clock,
    maxMassExpiry: options.maxMassExpiry ?? 1,
    isClockTrusted,
  });
  const chooser = new Chooser({
    grants,
    credentials,
    placements,
    choices,
    devices,
    locks,
    ledger,
    windows,
    vault,
    pins: options.pins,
  });
  const here = new DecisionsHere(options.devices, { choices, chooser, devices });
  const parts = {
    codes,
    identities: new UserIdentities(db),
    search: new EventSearch(db),
    grants,
    accessGrants,
    windows,
    zones,
    marks,
    credentials,
    placements,
    choices,
    devices,
    deviceEvents: new DeviceEvents(db, devices, journal),
    locks,
    journal,
    outbox,
    ledger,
    chooser,
    vault,
    keys,
    attempts,
    chosenBy: vault.mark(["chosen by", JSON.stringify([options.version, options.pins, options.devices])]),
  };

  const transactions = new Transactions(db, {
    outbox,
    journal,
    caches: [devices, locks, placements],
    atEnd() {
      here.settle(now());
      journal.keepBudget(now());
    },
  });
  const transaction = <T>(act: () => T): T => transactions.transaction(act);
  const transactionUnsynced = <T>(act: () => T): T => transactions.transactionUnsynced(act);
  const synced = (): Promise<void> | undefined => transactions.synced();

  transaction(() => begin(db, options.devices, parts, now()));
  return {
    records: recordsOf({ ...parts, ...names, now }),
    replies: {
      // What is answered before it is carried out has used its id.
      find: (id, ...of) => (backlog.has(id) ? "conflict" : requests.find(id, ...of)),
      remember: (...of) => requests.remember(...of),
      has: (id) => backlog.has(id) || requests.has(id),
    },
    attempt: (act) => transactions.attempt(act),
    transaction,
    transactionUnsynced,
    synced,
    // Most of the time nothing has come to its time, and then nothing is to be written.
    turn: (isConfirmed = false) =>
      windows.isDue(now())
        ? transaction(() => windows.turn(now(), isConfirmed))
        : { due: new Set(), next: windows.next() },
    formerDevices: () => devices.former(),
    keys,
    takeChanged() {
      const taken = new Set(changed);
      changed.clear();
      return taken;
    },
    takeDue: () => here.takeDue(),
    outbox,
    backlog,
    journal,
    driverStates: new DriverStates(db, vault, join(dataDir, "links")),
    sessions: new BrokerSessions(db),
    retainedRefusals,
    clock,
    tellClock: ({ type, fields }) => journal.event(type, fields, now()),
    doors: doorBookOf({ ...parts, here, transaction }),
    attempts: {
      end: (attempt, end, isTold) => transaction(() => attempts.end(attempt, end, now(), isTold)),
      interrupt: () => transaction(() => attempts.interrupt(now())),
    },
    debt: new Debt(db, { placements, journal, codeEvents, transaction }),
    codeDelays: new CodeDelays(db, { placements, codeEvents, transaction }),
    rounds: roundLedgerOf({
      ...parts,
      meetings: new Meetings({ ...parts, transaction, now }),
      transaction,
      transactionUnsynced,
      synced,
      now,
      isClockTrusted,
    }),
    checkOn: (told) => checkMeanwhile(fileIn(dataDir), told).end,
    prune: () =>
      transaction(() => {
        const removed = [journal, outbox, requests, marks, retainedRefusals, attempts].map((kept) =>
          kept.prune(now(), pruneAtOnce),
        );
        removed.push(journal.makeRoom(now(), pruneAtOnce), calendar.catchUp(now(), pruneAtOnce));
        return removed.some((count) => count >= pruneAtOnce);
      }),
    close() {
      transactions.close();
      db.close();
    },
  };
}
