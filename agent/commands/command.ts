import type { z } from "zod";
import type { FaultChange, FaultsOn, Inside, PhysicalAct } from "../../drivers/driver.ts";
import type { ActionAttempt } from "../domain/action-attempt.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant, Milliseconds } from "../domain/instant.ts";
import type { ChangeOutcome, LinkStanding, WireFrames } from "../domain/wire-tools.ts";
import type { Records } from "./records.ts";

/** Where a command came in. The local door is the socket in the data directory. */
export type Door = "mqtt" | "http" | "local";

/** A method of HTTP that says what a command does, as Seam has it. */
type Method = "GET" | "PUT" | "PATCH" | "DELETE";

/** The members of a reply beside `ok`. */
export type Body = Readonly<Record<string, unknown>>;

/** The members of a reply, each with its shape. */
type Returns = Readonly<Record<string, z.ZodType>>;

/** What an act of a command may use and must tell, beside the records. */
export interface Context {
  readonly now: Instant;
  /** When it may have been said at the earliest, where the command does not say so itself: before this process stood still. */
  readonly saidAt: Instant;
  readonly door: Door;
  /** Who asks, for the journal: the door, and where it has keys, which of them. */
  readonly by: string;
  /** Whether codes may be told through this door (WIRE, "Telling a PIN"). */
  readonly codes: boolean;
  /** Whoever asks is for these devices only. */
  readonly devices?: readonly DeviceId[] | undefined;
  readonly agent: () => AgentFacts;
  /** The wish for this device has changed: it is to be looked at once the transaction is on disk. */
  readonly touch: (device: DeviceId) => void;
  /** A bolt is to be moved, at once when the transaction is on disk, and never again. */
  readonly operate: (attempt: ActionAttempt) => void;
}

/** What is true of the running agent, and in no record. */
export interface AgentFacts {
  readonly agentId: string;
  readonly version: string;
  readonly startedAt: Instant;
  readonly broker: {
    readonly connected: boolean;
    /** The last session that the broker lost for us. */
    readonly sessionLost: { readonly offlineSince: Instant; readonly at: Instant } | undefined;
    /** Since when another agent seems to run with our agent_id. */
    readonly idInUseSince: Instant | undefined;
    /** Topics below `{prefix}/{agent_id}/` whose letters wait because nobody is subscribed. */
    readonly unheard: readonly string[];
  };
  /** Whether the time is known (Law 12). */
  readonly clock: {
    readonly trusted: boolean;
    readonly reason: string | undefined;
    readonly since: Instant | undefined;
    /** Who sets it. */
    readonly source: string;
    readonly hint: string | undefined;
  };
  /** How long after it was said a command to a bolt may be sent to the lock. */
  readonly unlockGoodFor: Milliseconds;
  /** The configured wires. `standing`: where it is open, and counts. */
  readonly links: readonly { readonly link: string; readonly open: boolean; readonly standing?: LinkStanding }[];
  /** Ways in which codes leak, with the setting that ends each. */
  readonly exposures: readonly { readonly problem: string; readonly cure: string }[];
}

/** What reaches beyond the records: the clock, keys of locks, what is said on a wire, and what is done to simulated locks. */
export interface World {
  /** Somebody says that the clock is right. False where it cannot be. */
  confirmClock(): boolean;
  act(lock: string, act: PhysicalAct): Promise<Body>;
  fault(lock: string, change: FaultChange): Promise<FaultsOn>;
  look(lock: string): Promise<Inside>;
  pair(lock: string, within: Milliseconds): Promise<ChangeOutcome>;
  rotateKey(lock: string): Promise<ChangeOutcome>;
  readdress(lock: string, to: string): Promise<ChangeOutcome>;
  /** @param line a link; or a lock, of which alone is told then. */
  frames(line: string, after: number | undefined): Promise<WireFrames>;
}

interface Described<Schema extends z.ZodType> {
  /** `group/verb`, as in Seam's API. */
  readonly name: string;
  readonly parameters: Schema;
  /** The members of its reply, beside `ok`: the contracts are made from it, and the tests hold every reply against it. */
  readonly returns: Returns;
  readonly doors: readonly Door[];
  /** It is for now only. Over MQTT, where messages are sent again, it needs a `request_id`. */
  readonly isMomentary?: true;
  /** Over HTTP, beside POST, which every command takes. */
  readonly method?: Method | readonly Method[];
}

/** Looks at, or changes, records: in one transaction, at once. */
export interface RecordCommand<Schema extends z.ZodType = z.ZodType> extends Described<Schema> {
  readonly kind: "reads" | "writes";
  /** Its reply may hold codes: stored sealed, and `codes:read` is needed over doors that have scopes. */
  readonly reveals: boolean;
  /** Its reply is told once and kept nowhere, not even sealed: a repeated `request_id` does it again. */
  readonly isToldOnce?: true;
  /** It names no device, and answers only of those that whoever asks may hear of. */
  readonly limitsItself?: true;
  /** Whether it reaches devices beyond those that its parameters name, as a code does that a person brings. */
  reachesFurther?(parameters: z.infer<Schema>): boolean;
  /**
   * What it will answer, where nothing that is carried out before it can change that; undefined where something can. Such a
   * command may be answered first, and carried out later: none that holds a secret, or takes something away.
   */
  foretell?(records: Pick<Records, "isDevice">, parameters: z.infer<Schema>): Body | undefined;
  act(records: Records, parameters: z.infer<Schema>, context: Context): Body;
}

/** Does something outside the records, and waits for it. */
export interface WorldCommand<Schema extends z.ZodType = z.ZodType> extends Described<Schema> {
  readonly kind: "acts";
  act(world: World, parameters: z.infer<Schema>): Promise<Body>;
}

export type Command = RecordCommand | WorldCommand;

/** Fixes the parameters' type from the schema. */
export const command = <Schema extends z.ZodType>(of: RecordCommand<Schema>): RecordCommand<Schema> => of;
export const worldCommand = <Schema extends z.ZodType>(of: WorldCommand<Schema>): WorldCommand<Schema> => of;
