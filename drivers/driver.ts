import type { z } from "zod";
import type { Abilities } from "../agent/domain/abilities.ts";
import type { Credential, CredentialKind } from "../agent/domain/credential.ts";
import type { Instant, Milliseconds } from "../agent/domain/instant.ts";
import type { When } from "../agent/domain/lock-window.ts";
import type { Secret } from "../agent/domain/secret.ts";
import type { Proof, SlotContents, SlotName } from "../agent/domain/slot.ts";
import type { ChangeOutcome, LinkStanding, ScanRequest, ScanStep, WireFrames } from "../agent/domain/wire-tools.ts";

/** Knows one way of talking to locks. Stateless: everything that lives is behind {@link Driver.open}. */
export interface Driver<Options = unknown> {
  readonly name: string;
  /** The shape of this driver's part of a link in the configuration file. */
  readonly options: z.ZodType<Options>;
  /** Opens the wire. Rejects with {@link LinkError} when it cannot; the caller tries again later. */
  open(options: Options, host: Host): Promise<Link>;
  /**
   * Looks who is on a wire that no link has open, and needs no configuration for that. Absent where nobody can be found so.
   * Throws {@link LinkError} where the wire cannot be opened, or is lost.
   */
  scan?(request: ScanRequest, clock: Clock, signal: AbortSignal): AsyncIterable<ScanStep>;
}

/** All that a driver may ask of the agent. */
export interface Host {
  readonly clock: Clock;
  /** Whether the time is believed: while it is not, no lock's clock is set by it (Law 12). Absent: it is. */
  readonly isTimeTrusted?: () => boolean;
  readonly log: Log;
  readonly state: DriverState;
  /** Resolves when the event is committed: only then may the driver advance the lock's own feed. */
  report(event: LinkEvent): Promise<void>;
}

/** Wall time and waiting, so that tests can use a time of their own. */
export interface Clock {
  now(): Instant;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void>;
}

/** A constant message, and fields. Never a secret: a {@link Secret} prints as `[secret]`, a string does not. */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a driver keeps across restarts, per link: sealed at rest, committed when `set` returns. */
export interface DriverState {
  get(key: string): Secret | undefined;
  set(key: string, value: Secret): void;
  delete(key: string): void;
  /** A directory of the link's own, mode 0700, for drivers whose library or simulated hardware keeps files. */
  readonly directory: string;
}

/** One open wire: a serial port, a broker session. Dispose it to close. */
export interface Link extends AsyncDisposable {
  /** The lock at an address. Does no I/O, so it works while the lock is asleep or away. The same object each time. */
  lock(address: string): LockDevice;
  /** How many of its locks may be worked on together: 1 on a wire. */
  readonly atOnce: number | "unlimited";
  /** Weaknesses of the far end that put secrets at risk, found at start: each with the setting that ends it. */
  exposures?(signal: AbortSignal): Promise<readonly Exposure[]>;
  /** How it stands now, for people. Absent where nothing is counted. */
  standing?(): LinkStanding;
  /** A physical act at a lock, where the far end is simulated. Absent on every link that ends in real hardware. */
  act?(address: string, act: PhysicalAct): Promise<ActEffect>;
  /** Begins or ends a fault of a simulated lock; which there are is the simulator's to know. Absent as `act` is. */
  fault?(address: string, change: FaultChange): Promise<FaultsOn>;
  /** What a simulated lock really holds, past all its lies. Absent as `act` is. */
  look?(address: string): Promise<Inside>;
  /**
   * Gives a key to a lock that has none of its own yet, and waits until it has proven it or `within` is over. A deliberate
   * act: whoever listens meanwhile may hear the key. Absent where locks have no keys that we give them.
   */
  pair?(address: string, within: Milliseconds, signal: AbortSignal): Promise<ChangeOutcome>;
  /** Gives a lock another key, under the one that it has. Both are kept until the lock has proven which of them it has. */
  rotateKey?(address: string, signal: AbortSignal): Promise<ChangeOutcome>;
  /** Gives a lock another address on its wire. The configuration is to follow: until then it is known by the old one. */
  readdress?(address: string, to: string, signal: AbortSignal): Promise<ChangeOutcome>;
  /**
   * What was said on the wire after the frame of that number. It is written down only while somebody asks, as often as every
   * few seconds; the first time, without a number, there is nothing yet.
   */
  frames?(after: number | undefined): WireFrames;
}

/** One way in which codes leak from a system beside us. */
export interface Exposure {
  readonly address?: string;
  /** What leaks, and where to. */
  readonly problem: string;
  /** The setting that ends it. */
  readonly cure: string;
}

/**
 * `type`: digits; at a reader without a memory also `*` and `#`. `program`, `delete`, `reset`: the owner's hand. `power`: it
 * is gone for a moment. `battery`: it is as full as that, 0 to 1.
 */
export type PhysicalAct =
  | { readonly act: "type"; readonly digits: Secret }
  | { readonly act: "card"; readonly format: string; readonly bits: Secret }
  | { readonly act: "program"; readonly digits: Secret; readonly slot?: SlotName }
  | { readonly act: "delete"; readonly slot: SlotName | "all" }
  | { readonly act: "reset" | "power" }
  | { readonly act: "battery"; readonly level: number };
/** A reader without a memory says `opened` and `denied` as it was answered, `done` where it was not answered at once. */
export type ActEffect = { readonly effect: "opened" | "denied" | "done" | "refused" };

export interface FaultChange {
  readonly on: boolean;
  /** Its name under `fault`, and what can be set of it. */
  readonly setting: Readonly<Record<string, unknown>>;
}
/** `problem`: what is wrong with the change, which was not made. */
export type FaultsOn = { readonly faults: readonly object[] } | { readonly problem: string };

/** The memory of a lock as who has opened it would find it, without the codes. */
export interface Inside {
  readonly slots: readonly {
    readonly slot: SlotName;
    readonly kind: CredentialKind;
    readonly label: string;
    readonly when: When;
    readonly disabled: boolean;
    /** Whether it would open now. */
    readonly opens: boolean;
  }[];
  readonly locked: boolean;
  /** 0 to 1. */
  readonly battery: number;
  readonly faults: readonly object[];
}

/** One lock. It has the parts that it has; a missing part is an ability that it lacks. */
export interface LockDevice {
  /** Asks the lock itself. Rejects with {@link LinkError} when it does not answer. */
  abilities(signal: AbortSignal): Promise<Abilities>;
  readonly memory?: Memory | undefined;
  readonly reader?: Reader | undefined;
  readonly bolt?: Bolt | undefined;
}

/** Remembers nothing: it reports what it is shown, as {@link Asked}, and shows what was decided of it. */
export interface Reader {
  /**
   * Lights and sounds. `ignored`: nothing was decided, what was typed is forgotten. Nothing but what people see depends on it,
   * and it is no use to anybody who has gone away: after a few seconds it is not sent any more. Rejects with {@link LinkError}
   * on silence.
   */
  answer(to: Asked, decision: ReaderAnswer, signal: AbortSignal): Promise<void>;
}
export type ReaderAnswer = "admit" | "deny" | "ignored";
/** What a reader was shown. */
export type Asked = Extract<LinkEvent, { readonly event: "presented" | "keys" }>;
export const isAsked = (event: LinkEvent): event is Asked => event.event === "presented" || event.event === "keys";

/**
 * Moves when it is told to. Each call sends one command at most, and none once its signal is aborted: who wants a door
 * open wants it now. A timer is behind the signal, which stands still while the machine does: so `isOver` is asked right
 * before the command is sent. Where what did not get through may still be carried out much later, there is no bolt (Law 10).
 * Rejects with {@link LinkError} on silence.
 */
export interface Bolt {
  unlock(signal: AbortSignal, isOver?: () => boolean): Promise<ActOutcome>;
  lock?(signal: AbortSignal, isOver?: () => boolean): Promise<ActOutcome>;
}

/** `confirmed`: the lock has said where its bolt is now. `unknown`: the command was sent, and nothing tells what came of it. */
export type ActOutcome =
  | { readonly result: "done"; readonly confirmed: boolean }
  | { readonly result: "unknown" }
  | { readonly result: "refused"; readonly detail?: string };

/**
 * What is to be written: code, window and name go together or not at all. Where a lock takes them in two commands, the
 * window goes first, or the code disabled, so that no crash leaves a code without its window.
 */
export interface Entry {
  readonly credential: Credential;
  /** A window only where {@link MemoryLimits.windows} can keep it exactly. */
  readonly when: When;
  readonly label: string;
}

/** Remembers credentials, and opens for them by itself. */
export interface Memory {
  /** `at` is undefined where the lock chooses the slot, or the credential is the key. */
  write(entry: Entry, at: SlotName | undefined, signal: AbortSignal): Promise<WriteOutcome>;
  /** Clearing an empty slot is `stored`. */
  clear(slot: SlotName, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Suspends what is in a slot without deleting it, or lets it open again; `entry` is what was written there. `stored` is
   * of that; `read` tells it.
   */
  enable?(slot: SlotName, entry: Entry, on: boolean, signal: AbortSignal): Promise<WriteOutcome>;
  /** Asks the lock, never a cache; with its window, where the lock can keep one. */
  read?(slot: SlotName, signal: AbortSignal): Promise<SlotContents>;
  /** Every slot that is not empty: finds what a lost reply left behind. */
  list?(signal: AbortSignal): AsyncIterable<{ readonly slot: SlotName; readonly contents: SlotContents }>;
}

/**
 * A lock that answers has answered: refusal is an outcome. `unconfirmed`: the lock may or may not have done it. Of a
 * clear, `slot` and the `proof` are of the emptiness.
 */
export type WriteOutcome =
  | { readonly result: "stored"; readonly slot: SlotName; readonly proof: Proof }
  | { readonly result: "unconfirmed"; readonly slot?: SlotName }
  | { readonly result: "refused"; readonly reason: RefusalReason; readonly detail?: string };
type RefusalReason = "duplicate" | "invalid" | "full" | "forbidden";

/** What comes from a link unasked. `at` is when it happened, as far as the driver can tell. */
export type LinkEvent = { readonly at: Instant; readonly address: string; readonly index?: string } & (
  | { readonly event: "online" | "offline" | "jammed" | "tamper" | "all_deleted" | "reset" }
  /** Somebody on the wire does not keep its rules, in words for an operator: it is time that a person looks. */
  | { readonly event: "alarm"; readonly problem: string }
  | { readonly event: "used"; readonly slot?: SlotName }
  | { readonly event: "denied"; readonly slot?: SlotName; readonly reason?: string }
  | { readonly event: "locked" | "unlocked"; readonly method: UnlockMethod; readonly slot?: SlotName }
  /** `by` the owner's hand where the lock says so: what is there now is not what we wrote. */
  | { readonly event: "changed"; readonly slot: SlotName; readonly by?: "owner" }
  | { readonly event: "battery"; readonly level: number }
  | { readonly event: "door"; readonly open: boolean }
  | ({ readonly event: "presented"; readonly credential: Credential } & AtReader)
  /** One key or several, as they were pressed: digits, `*` (clear) and `#` (enter). */
  | ({ readonly event: "keys"; readonly digits: Secret } & AtReader)
);
/**
 * `reader`: which of several at the address. `stale`: it was shown before the reader was last (re)connected, or may have been:
 * it is written down, and nobody is let in for it.
 */
interface AtReader {
  readonly reader?: string;
  readonly stale?: true;
}
export type UnlockMethod = "keypad" | "manual" | "automatic" | "remote" | "card" | "unknown";

/**
 * Silence: the far end did not answer, or cannot be reached. `sent` tells whether a command may have left: only where it
 * surely has not is nothing in doubt. Never carries a secret.
 */
export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly sent: boolean;
  /** What an operator can do about it. */
  readonly hint: string | undefined;

  constructor(message: string, { sent = true, hint, cause }: { sent?: boolean; hint?: string; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.sent = sent;
    this.hint = hint;
  }
}

/** Fixes `Options` from the schema, so that a driver file states it once. */
export const defineDriver = <Options>(driver: Driver<Options>): Driver<Options> => driver;
