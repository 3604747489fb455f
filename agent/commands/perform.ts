import type { z } from "zod";
import type { ActionAttempt } from "../domain/action-attempt.ts";
import { StoreError } from "../errors.ts";
import type { Body, Command, Context, Door, RecordCommand, World, WorldCommand } from "./command.ts";
import { permitDevices } from "./device-scope.ts";
import type { Records } from "./records.ts";
import { badInput, invalidInput, Refused } from "./refusal.ts";
import { type ReplyKey, replyKeyParameter } from "./reply-key.ts";
import { permitCommand, type Scope } from "./scope.ts";
import { table } from "./table.ts";

/** What is answered: the same bytes through every door. */
export interface Reply {
  /** HTTP status. */
  readonly status: number;
  readonly body: string;
}

/** A command as it came in: not yet looked at. */
export interface Call {
  /** `group/verb`, or undefined where the topic or path names none. */
  readonly name: string | undefined;
  readonly payload: Uint8Array;
  readonly door: Door;
  /** A message that the broker keeps and hands out again: refused, so that it is not carried out at each reconnect. */
  readonly retained: boolean;
  /** Where the reply is wanted, beside a `request_id`: nowhere, somewhere, or where we may not publish. */
  readonly replyAddress: "none" | "usable" | "unfit";
  /** The configuration lets this command in through this door. */
  readonly isOpen: boolean;
  /** What the caller may do; left out where the door has no callers to tell apart. */
  readonly scope?: Scope;
}

export interface Performed {
  readonly reply: Reply;
  /** The `request_id` to answer on, where there is a usable one. */
  readonly requestId: string | undefined;
  /** The reply may hold codes: it is kept sealed. */
  readonly sealed: boolean;
  /** The codes in the reply are to be encrypted to this key before it goes anywhere. */
  readonly replyKey?: ReplyKey;
}

/** See {@link foretell}. */
export interface Foretold {
  readonly reply: Reply;
  /** The command: a JSON object with nothing in it but its parameters and its `request_id`. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestId: string | undefined;
}

/** The replies to writes, by `request_id`: what makes a repeated write harmless. */
export interface Replies {
  /** `conflict`: the id was used for something else. */
  find(requestId: string, name: string, parameters: string): Reply | "conflict" | undefined;
  remember(requestId: string, name: string, parameters: string, reply: Reply, sealed: boolean): void;
  /** Whether it was used. */
  has(requestId: string): boolean;
}

/** The store as the commands see it: `attempt` undoes what its function did when that throws. */
export interface Desk {
  readonly records: Records;
  readonly replies: Replies;
  attempt<T>(act: () => T): T;
}

export const mostBytes = 64 * 1024;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Carries out one command on the records, in the transaction that the caller has opened. Throws only {@link StoreError}. */
export function perform(call: Call, desk: Desk, context: Context, onBug: (error: unknown) => void): Performed {
  let requestId: string | undefined;
  let sealed = false;
  try {
    const input = parse(call.payload);
    requestId = requestIdOf(input);
    if (call.retained) throw retained();
    if (call.replyAddress === "unfit") throw badInput("The Response Topic must lie under the agent's own reply/");
    const command = find(call, "records");
    sealed = command.reveals;
    permit(call, command, input);
    const replyKey = replyKeyOf(call, command, input);
    const codes = context.codes || replyKey !== undefined;
    // What is undone after all is not to move a bolt.
    const wanted: ActionAttempt[] = [];
    const operate = (attempt: ActionAttempt): void => void wanted.push(attempt);
    const reply = desk.attempt(() => performOnce(command, input, requestId, desk, { ...context, codes, operate }));
    for (const attempt of wanted) context.operate(attempt);
    return { reply, requestId, sealed, ...(replyKey ? { replyKey } : {}) };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (!(error instanceof Refused)) onBug(error);
    const refused = error instanceof Refused ? error : internal();
    if (refused.type === "request_id_conflict" || !(requestId !== undefined || call.replyAddress === "usable")) {
      desk.records.event("command.refused", { command: call.name ?? null, error: describe(refused) });
    }
    return { reply: refusalReply(refused), requestId, sealed: false };
  }
}

/**
 * What a command will be answered, whatever is carried out before it; undefined where that is not certain, or where it says more
 * than may be kept before it is carried out. Throws only {@link StoreError}.
 */
export function foretell(call: Call, { records, replies }: Pick<Desk, "records" | "replies">): Foretold | undefined {
  if (call.retained || call.replyAddress === "unfit") return undefined;
  try {
    const input = parse(call.payload);
    const requestId = requestIdOf(input);
    const command = find(call, "records");
    if (!command.foretell) return undefined;
    permit(call, command, input);
    const parameters = validated(command, input);
    if (!isAllOf(input, parameters) || (requestId !== undefined && replies.has(requestId))) return undefined;
    const body = command.foretell(records, parameters);
    return body && { reply: okReply(body), input, requestId };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // Whatever else it is, it is told when the command is carried out.
    return undefined;
  }
}

/** Whether a command has no members but those that it is known to have: in another there may be anything, a PIN too. */
const isAllOf = ({ request_id: _requestId, ...input }: Readonly<Record<string, unknown>>, known: unknown): boolean =>
  isObject(known) && Object.keys(input).every((name) => Object.hasOwn(known, name));

/** Carries out a command that reaches beyond the records. Does not throw. */
export async function performInWorld(call: Call, world: World, onBug: (error: unknown) => void): Promise<Reply> {
  try {
    const command = find(call, "world");
    const input = parse(call.payload);
    permit(call, command, input);
    return okReply(await command.act(world, validated(command, input)));
  } catch (error) {
    if (!(error instanceof Refused)) onBug(error);
    return refusalReply(error instanceof Refused ? error : internal());
  }
}

/** Whether a command is of those that {@link performInWorld} carries out. */
export const isOfWorld = (name: string): boolean => table.get(name)?.kind === "acts";

/** Whether a command is for now only. */
export const isMomentary = (name: string | undefined): boolean =>
  name !== undefined && table.get(name)?.isMomentary === true;

function performOnce(
  command: RecordCommand,
  { request_id: _requestId, ...input }: Readonly<Record<string, unknown>>,
  requestId: string | undefined,
  { records, replies }: Desk,
  context: Context,
): Reply {
  const isOnce = command.kind === "writes" && requestId !== undefined && command.isToldOnce !== true;
  // A reply that holds codes is repeated only where the same codes may be told.
  const parameters = isOnce
    ? canonical(command.reveals ? { input, codes: context.codes, devices: context.devices } : input)
    : "";
  if (isOnce) {
    const stored = replies.find(requestId, command.name, parameters);
    if (stored === "conflict") throw conflict(requestId);
    if (stored) return stored;
  }
  const reply = okReply(command.act(records, validated(command, input), context));
  if (isOnce) replies.remember(requestId, command.name, parameters, reply, command.reveals);
  return reply;
}

function find(call: Call, kind: "records"): RecordCommand;
function find(call: Call, kind: "world"): WorldCommand;
function find({ name, door, isOpen }: Call, kind: "records" | "world"): Command {
  const command = name === undefined ? undefined : table.get(name);
  if (!isOpen || !command?.doors.includes(door) || (command.kind === "acts") !== (kind === "world")) {
    throw new Refused("unknown_command", `There is no command ${JSON.stringify(name ?? null)} here`, 404);
  }
  return command;
}

/** Before all else: a stored reply is told to nobody who may not have it. */
function permit({ scope, door }: Call, command: Command, input: Readonly<Record<string, unknown>>): void {
  if (command.isMomentary && door === "mqtt" && input["request_id"] === undefined) throw idRequired();
  if (!scope) return;
  permitCommand(scope, command.name);
  permitDevices(scope, command, validated(command, input));
}

function parse(payload: Uint8Array): Readonly<Record<string, unknown>> {
  if (payload.byteLength > mostBytes) throw badInput(`A command may be at most ${mostBytes} bytes long`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(payload));
  } catch {
    // The cause is left out: it quotes the text, which may hold a PIN.
    throw badInput("The command is not JSON");
  }
  if (!isObject(value)) throw badInput("The command is not a JSON object");
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a caller may name a command by. */
export const requestIdForm = /^[A-Za-z0-9_-]{1,64}$/;

function requestIdOf({ request_id: id }: Readonly<Record<string, unknown>>): string | undefined {
  if (id === undefined) return undefined;
  if (typeof id === "string" && requestIdForm.test(id)) return id;
  const message = "Must be 1 to 64 of A-Z, a-z, 0-9, _ and -";
  throw invalidInput([{ code: "custom", path: ["request_id"], message, input: undefined }]);
}

/** Where only who asks may read what the broker and others see: over MQTT. Who asks at another door is told there. */
function replyKeyOf(
  { door }: Call,
  { reveals }: RecordCommand,
  input: Readonly<Record<string, unknown>>,
): ReplyKey | undefined {
  return reveals && door === "mqtt" ? parsed(replyKeyParameter, input).reply_key : undefined;
}

const validated = ({ parameters }: Command, input: Readonly<Record<string, unknown>>): unknown =>
  parsed(parameters, input);

function parsed<Schema extends z.ZodType>(schema: Schema, input: Readonly<Record<string, unknown>>): z.output<Schema> {
  const { success, data, error } = schema.safeParse(input, { reportInput: true });
  if (!success) throw invalidInput(error.issues);
  return data;
}

/** The same text for the same parameters, in whatever order they were written. */
function canonical(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part: unknown) =>
      isObject(part) ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))) : part,
    );
  } catch (error) {
    // JSON is read to any depth, and written only as deep as the stack.
    if (error instanceof RangeError) throw badInput("The command is nested too deeply");
    throw error;
  }
}

const okReply = (body: Body): Reply => ({ status: 200, body: JSON.stringify({ ok: true, ...body }) });
/** What is answered to who is refused. */
export const refusalReply = (refused: Refused): Reply => ({
  status: refused.status,
  body: JSON.stringify({ ok: false, error: describe(refused) }),
});
const describe = ({ type, message, extra }: Refused): object => ({ type, message, ...extra });

const internal = (): Refused =>
  new Refused("internal_error", "The agent has a fault of its own; its log says more. Nothing was changed", 500);
const retained = (): Refused =>
  new Refused(
    "retained_command_refused",
    "A retained command is not carried out: publish an empty retained message on its topic to remove it",
  );
const idRequired = (): Refused =>
  invalidInput([
    { code: "invalid_type", expected: "string", path: ["request_id"], message: "Required", input: undefined },
  ]);
const conflict = (id: string): Refused =>
  new Refused("request_id_conflict", `The request_id ${id} was used for another command, or other parameters`, 409);
