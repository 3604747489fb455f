import type { Log } from "../drivers/driver.ts";
import { type CatchUp, mostBehind } from "./catch-up.ts";
import type { AgentFacts, Context, World } from "./commands/command.ts";
import { type Call, foretell, isMomentary, perform, type Reply } from "./commands/perform.ts";
import { matches, type Scope } from "./commands/scope.ts";
import type { ActionAttempt } from "./domain/action-attempt.ts";
import type { DeviceId } from "./domain/ids.ts";
import type { Instant, Milliseconds } from "./domain/instant.ts";
import { type Arrival, committedAtOnce, type Intake } from "./mqtt/inbox.ts";
import type { Topics } from "./mqtt/topics.ts";
import type { AnsweredCommand } from "./store/backlog.ts";
import type { Store } from "./store/store.ts";

export interface IntakeParts {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => Instant;
  /** When that may have been said at the earliest which is asked now, and does not say so itself. */
  readonly saidAt: () => Instant;
  readonly facts: () => AgentFacts;
  readonly world: World;
  readonly catchUp: Pick<CatchUp, "start" | "caughtUp">;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
  /** Commands are committed, and on their way to the disk. */
  readonly wished: (asked: Asked) => void;
  /** Commands are on disk. */
  readonly committed: (asked: Asked) => void;
}

/** What commands want done: devices that are to be looked at, and bolts that are to be moved. */
interface Asked {
  readonly commands: number;
  readonly devices: ReadonlySet<DeviceId>;
  readonly attempts: readonly ActionAttempt[];
}
/** The same, while it is collected. */
export class Asking implements Asked {
  readonly commands: number;
  readonly devices = new Set<DeviceId>();
  readonly attempts: ActionAttempt[] = [];

  constructor(commands: number) {
    this.commands = commands;
  }
}

type Taken = ReturnType<Intake["accept"]>;

interface MqttDoor {
  readonly codes: "never" | "clear";
  readonly commands: readonly string[];
}

/**
 * Commands from a broker: each batch in one transaction, and with it the replies (Law 1).
 *
 * Where more come than can be carried out at once, and all of a batch may be answered before, they are: then they are on disk with
 * their replies, and carried out when nothing more comes. Whatever comes after them waits until they are (Law 5), but for what is
 * for now only.
 */
export function mqttIntake(parts: IntakeParts, topics: Topics, mqtt: MqttDoor): Intake {
  const { store, now, wished, committed, catchUp } = parts;
  const { backlog } = store;
  const commandOf = arrivedAt(topics, mqtt.commands);
  /** Batches that wait for those that are answered already, in their order. */
  let line: Promise<boolean> | undefined;
  /** When the last full batch came: a hundred are carried out sooner than others that may come can be waited for. */
  let lastFull: Instant | undefined;

  const onDisk = (asked: Asked): Promise<void> | undefined => {
    // In order, also where those before still wait for the disk.
    const synced = store.synced()?.then(() => committed(asked));
    if (!synced) committed(asked);
    return synced;
  };
  const takeNow = (arrivals: readonly Arrival[]): Promise<void> | undefined => {
    const asked = new Asking(arrivals.length);
    const context = contextOf(parts, { door: "mqtt", by: "mqtt", codes: mqtt.codes === "clear" }, asked);
    const take = (): void => {
      for (const arrival of arrivals) {
        if (isToldAlready(arrival, store)) continue;
        const { call, replyTopic } = commandOf(arrival);
        const { reply, requestId, sealed, replyKey } = perform(call, store, context, bugLog(parts.log, call));
        if (arrival.retained) store.retainedRefusals.remember(arrival.topic, arrival.payload, now());
        const topic = replyTopic(requestId);
        if (!topic) continue;
        store.outbox.put(
          { rank: "reply", topic, payload: reply.body, sealed, correlation: arrival.correlation, replyKey },
          now(),
        );
      }
      chooseNow(store, asked);
    };
    store.transactionUnsynced(take);
    // While it is brought to the disk a round may begin: it waits for it before it sends anything to a lock.
    wished(asked);
    return onDisk(asked);
  };
  /** @param take once it is their turn. */
  const takeInLine = (turn: Promise<boolean>, take: () => Promise<unknown> | undefined): Promise<boolean> => {
    const taken = turn.then(async (isTheirTurn) => isTheirTurn && (await take()) !== false);
    line = taken;
    const isOver = (): void => {
      if (line === taken) line = undefined;
    };
    taken.then(isOver, isOver);
    return taken;
  };
  /** What these commands will be answered; undefined where that is not certain of one of them. */
  const answersTo = (arrivals: readonly Arrival[]): readonly AnsweredCommand[] | undefined => {
    const ids = new Set<string>();
    const answered: AnsweredCommand[] = [];
    for (const arrival of arrivals) {
      const { call, replyTopic } = commandOf(arrival);
      const foretold = isSmall(arrival) ? foretell(call, store) : undefined;
      if (!foretold) return undefined;
      const { requestId, reply, input } = foretold;
      if (requestId !== undefined) {
        if (ids.has(requestId)) return undefined;
        ids.add(requestId);
      }
      answered.push({
        name: call.name ?? "",
        input,
        requestId,
        body: reply.body,
        topic: replyTopic(requestId),
        correlation: arrival.correlation,
      });
    }
    return answered;
  };
  const answerFirst = (arrivals: readonly Arrival[]): boolean => {
    try {
      return store.transactionUnsynced(() => {
        const answered = answersTo(arrivals);
        if (answered) backlog.add(answered);
        return answered !== undefined;
      });
    } catch (error) {
      backlog.silence(error);
      throw error;
    }
  };
  /** Those that waited behind others may be answered first as well, when it is their turn. */
  const take = (arrivals: readonly Arrival[], whenCaughtUp: typeof takeInLine): Taken => {
    const isFull = arrivals.length >= committedAtOnce;
    const isBehindFull = lastFull !== undefined && Math.abs(now() - lastFull) < burstsWithin;
    const isCrowded = (isFull && (isBehindFull || line !== undefined)) || backlog.size > 0;
    lastFull = isFull ? now() : undefined;
    if (isCrowded && backlog.size < mostBehind && answerFirst(arrivals)) {
      // Nothing is asked for yet, but more is to come than rounds.
      wished(new Asking(arrivals.length));
      catchUp.start();
      return store.synced();
    }
    const caughtUp = catchUp.caughtUp();
    return caughtUp ? whenCaughtUp(caughtUp, () => takeNow(arrivals)) : takeNow(arrivals);
  };
  const takeInTurn = (arrivals: readonly Arrival[]): Taken =>
    line ? takeInLine(line, () => take(arrivals, within)) : take(arrivals, takeInLine);
  /** What is for now only waits for nobody's wish: after that, it is too late for it (Law 10). */
  const takeAhead = async (forNow: readonly Arrival[], others: readonly Arrival[]): Promise<boolean> => {
    const ahead = takeNow(forNow);
    const inTurn = async (): Promise<unknown> => others.length === 0 || takeInTurn(others);
    const [isTaken] = await Promise.all([inTurn(), ahead]);
    return isTaken !== false;
  };
  const isForNow = ({ topic }: Arrival): boolean => isMomentary(topics.commandName(topic));
  return {
    accept: (arrivals) => {
      const forNow = line || backlog.size > 0 ? arrivals.filter(isForNow) : [];
      if (forNow.length === 0) return takeInTurn(arrivals);
      return takeAhead(
        forNow,
        arrivals.filter((arrival) => !isForNow(arrival)),
      );
    },
    handedOut: (kept, since) => store.transaction(() => store.retainedRefusals.keepOnly(kept, since)),
  };
}

/** As the place in the line is theirs already. */
const within = async (caughtUp: Promise<boolean>, takeNow: () => Promise<unknown> | undefined): Promise<boolean> => {
  const isTheirTurn = await caughtUp;
  if (isTheirTurn) await takeNow();
  return isTheirTurn;
};

/** Two full batches belong together that come within this time. */
const burstsWithin: Milliseconds = 1_000;

/** Replies are held in memory, and echo no more than so many bytes of Correlation Data. */
const mostEchoed = 1024;
const isSmall = ({ correlation }: Arrival): boolean => (correlation?.byteLength ?? 0) <= mostEchoed;

/** What came on a topic as a command, and where its reply goes: below `{prefix}/{agent_id}/`; nowhere where nobody waits for it. */
const arrivedAt =
  (topics: Topics, open: readonly string[]) =>
  ({
    topic,
    payload,
    retained,
    responseTopic,
  }: Arrival): { call: Call; replyTopic: (requestId: string | undefined) => string | undefined } => {
    const name = topics.commandName(topic);
    const isOpen = name !== undefined && open.some((scope) => matches(scope, name));
    const replyAddress = responseTopic === undefined ? "none" : topics.isReplyTopic(responseTopic) ? "usable" : "unfit";
    return {
      call: { name, payload, door: "mqtt", retained, replyAddress, isOpen },
      replyTopic: (requestId) =>
        replyAddress === "usable" && responseTopic !== undefined
          ? topics.below(responseTopic)
          : requestId && `reply/${requestId}`,
    };
  };

/** Carries out the first group of those that are answered: each is answered then as it was before. */
export function carryOut(parts: IntakeParts): void {
  const { store, now, log, wished, committed, failed } = parts;
  const group = store.backlog.first();
  if (!group) return;
  const asked = new Asking(group.commands.length);
  const context = contextOf(parts, { door: "mqtt", by: "mqtt", codes: false }, asked);
  store.transactionUnsynced(() => {
    // First, so that their ids are theirs to use.
    store.backlog.remove(group, now());
    for (const { name, input, body } of group.commands) {
      const call: Call = { name, payload: Buffer.from(JSON.stringify(input)), ...answeredBefore };
      const { reply } = perform(call, store, context, bugLog(log, call));
      // It was configured otherwise before we were started again, or there is a fault of our own: nobody is left to believe it.
      if (reply.body !== body) store.records.event("command.refused", { command: name, error: errorIn(reply) });
    }
  });
  wished(asked);
  const synced = store.synced();
  if (synced) synced.then(() => committed(asked)).catch(failed);
  else committed(asked);
}

function errorIn({ body }: Reply): object | null {
  const { error }: { readonly error?: object } = JSON.parse(body);
  return error ?? null;
}

const answeredBefore = { door: "mqtt", retained: false, replyAddress: "usable", isOpen: true } as const;

/** Whether nothing is to be answered: it is a retained command that was refused before, or how one is taken back. */
function isToldAlready(
  { topic, payload, retained, kept }: Arrival,
  { retainedRefusals: refusals }: Pick<Store, "retainedRefusals">,
): boolean {
  if (payload.length > 0) return kept === true && refusals.has(topic, payload);
  // An empty retained message takes a retained one off the broker; by MQTT 3.1.1 it does not say that it is one.
  return refusals.forget(topic) || retained;
}

/** As many commands as come one by one, or nearly so. */
export const few = 4;

/** Of few commands it is chosen at once what they mean for the devices; else a round would wait for the disk once more. */
export function chooseNow({ rounds }: Store, asked: Asking): void {
  if (asked.commands > few) return;
  const also = [...asked.devices].flatMap((device) => [...rounds.choose(device).due]);
  for (const device of also) asked.devices.add(device);
}

export const contextOf = (
  { now, saidAt, facts }: IntakeParts,
  { door, by, codes, scope }: Pick<Context, "door" | "by" | "codes"> & { readonly scope?: Scope },
  { devices, attempts }: Asking,
): Context => ({
  now: now(),
  saidAt: saidAt(),
  door,
  by,
  codes,
  devices: scope?.devices,
  agent: facts,
  touch: (device) => void devices.add(device),
  operate: (attempt) => void attempts.push(attempt),
});

export const bugLog =
  (log: Log, { name }: Call) =>
  (error: unknown): void =>
    log.error({ command: name, error }, "a command failed for a fault of our own; nothing of it was kept");
