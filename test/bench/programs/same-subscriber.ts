import { CatchUp } from "../../../agent/catch-up.ts";
import { systemClock } from "../../../agent/clock.ts";
import type { Replies, Reply } from "../../../agent/commands/perform.ts";
import type { Records } from "../../../agent/commands/records.ts";
import { carryOut, type IntakeParts, mqttIntake } from "../../../agent/intake.ts";
import type { Letters } from "../../../agent/mqtt/outbox.ts";
import { openMqtt } from "../../../agent/mqtt/session.ts";
import { topicsOf } from "../../../agent/mqtt/topics.ts";
import type { AnsweredGroup, Backlog } from "../../../agent/store/backlog.ts";
import type { Letter, Outbox } from "../../../agent/store/outbox.ts";
import type { RetainedRefusals } from "../../../agent/store/retained-refusals.ts";
import type { Store } from "../../../agent/store/store.ts";
import { bareHost } from "../bare-host.ts";

/**
 * latchd's own subscriber with no database: the same connection, the same judging of commands, the same replies, each sent until
 * the broker has it. Who was granted what is kept in memory, and nothing is written.
 */
const [, , url = ""] = process.argv;
const topics = topicsOf("access", "gateway-1");
const granted = new Set<string>();
const letters = new Map<number, Letter>();
let lastLetter = 0;

const replies = new Map<string, { readonly name: string; readonly parameters: string; readonly reply: Reply }>();
const remembered: Replies = {
  find(requestId, name, parameters) {
    const known = replies.get(requestId);
    if (!known) return undefined;
    return known.name === name && known.parameters === parameters ? known.reply : "conflict";
  },
  has: (requestId) => replies.has(requestId),
  remember: (requestId, name, parameters, reply) => void replies.set(requestId, { name, parameters, reply }),
};
const groups: AnsweredGroup[] = [];
const answered = new Set<string>();
const backlog = only<Backlog>({
  get size() {
    return answered.size;
  },
  has: (requestId) => answered.has(requestId),
  add(commands) {
    groups.push({ firstLetter: lastLetter + 1, commands });
    for (const { requestId = "", topic = "", body } of commands) {
      answered.add(requestId);
      letters.set(++lastLetter, { rank: "reply", topic, payload: body });
    }
    session.nudge();
  },
  first: () => groups[0],
  remove({ commands }) {
    groups.shift();
    for (const { requestId = "" } of commands) answered.delete(requestId);
  },
});
const store = only<Store>({
  backlog,
  records: only<Records>({
    isDevice: (device) => device.startsWith("door-"),
    mark: () => undefined,
    grantDirect(identity, device) {
      const before = granted.size;
      return granted.add(`${identity}\t${device}`).size > before;
    },
    event: () => undefined,
  }),
  replies: remembered,
  attempt: (act) => act(),
  transaction: (act) => act(),
  transactionUnsynced: (act) => act(),
  synced: () => undefined,
  outbox: only<Outbox>({ put: (letter) => void letters.set(++lastLetter, letter) }),
  retainedRefusals: only<RetainedRefusals>({ keepOnly: () => undefined }),
  rounds: only<Store["rounds"]>({ choose: () => ({ due: new Set(), more: false }) }),
});
const waiting: Letters = {
  next(inFlight, limit, of) {
    const found: ReturnType<Letters["next"]>[number][] = [];
    if ("topic" in of || of.rank === "event") return found;
    for (let id = of.after + 1; id <= lastLetter && found.length < limit; id++) {
      const letter = inFlight.has(id) ? undefined : letters.get(id);
      if (letter) found.push({ id, topic: topics.full(letter.topic), payload: letter.payload });
    }
    return found;
  },
  delivered(ids) {
    for (const id of ids) letters.delete(id);
  },
};
const failed = (error: unknown): void => {
  throw error;
};
const { log } = bareHost("");
const catchUp = new CatchUp({ backlog, carryOut: () => carryOut(parts), clock: systemClock, failed });
const parts: IntakeParts = {
  store,
  catchUp,
  facts: unasked,
  world: only({}),
  log,
  now: () => systemClock.now(),
  saidAt: () => systemClock.now(),
  failed,
  wished: () => undefined,
  committed: () => session.nudge(),
};
const session = openMqtt({
  url,
  protocol: "5",
  agentId: "gateway-1",
  prefix: "access",
  log,
  clock: systemClock,
  intake: mqttIntake(parts, topics, { codes: "never", commands: ["*"] }),
  letters: waiting,
  crowded: () => catchUp.hold(),
  standing: { status: () => '{"state":"online"}', devices: () => new Map() },
  onFailure: failed,
});
process.send?.({ ready: true });

/** A part of which the commands of this bench use no more than this. */
function only<T extends object>(used: Partial<T>): T {
  return new Proxy(used, {
    get: (target, name) => Reflect.get(target, name) ?? unasked(name),
  }) as T;
}

function unasked(name: unknown = "the agent"): never {
  throw new Error(`${String(name)} is asked for, which this subscriber has not`);
}
