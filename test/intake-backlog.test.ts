import Database from "better-sqlite3";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mqttIntake } from "../agent/intake.ts";
import { type Arrival, committedAtOnce } from "../agent/mqtt/inbox.ts";
import type { Store } from "../agent/store/store.ts";
import { AnsweringAgent, commandTopic, type Heard, partsOn, topics } from "./support/answering-agent.ts";
import { isLong } from "./support/long.ts";
import { MemoryStore } from "./support/memory-store.ts";
import { caughtUp } from "./support/world.ts";

const grant = "user_identities/grant_access_to_device";
const revoke = "user_identities/revoke_access_to_device";

interface Command {
  readonly kind: "grant" | "again" | "revoke" | "aged grant" | "no device" | "more" | "not JSON" | "read";
  readonly person: number;
  readonly device: 1 | 2;
  readonly asked: "with id" | "with id used before" | "with Response Topic" | "with both" | "of nobody";
  /** Which id, of those that were used before; or as of when. */
  readonly which: number;
}
const kinds = {
  grant: 20,
  again: 3,
  revoke: 3,
  "aged grant": 3,
  "no device": 1,
  more: 1,
  "not JSON": 1,
  read: 1,
} satisfies Partial<Record<Command["kind"], number>>;
const asked = { "with id": 8, "with id used before": 1, "with Response Topic": 2, "with both": 1, "of nobody": 2 };
function anyOf<Name extends string>(weights: Readonly<Record<Name, number>>): fc.Arbitrary<Name> {
  return fc.constantFrom(
    ...(Object.keys(weights) as Name[]).flatMap((name) => Array.from({ length: weights[name] }, () => name)),
  );
}
const commandOf = (kind: fc.Arbitrary<Command["kind"]>): fc.Arbitrary<Command> =>
  fc.record({
    kind,
    person: fc.nat(5),
    device: fc.constantFrom(1, 2),
    asked: anyOf(asked),
    which: fc.nat(400),
  });
const burst = fc.array(
  commandOf(fc.constant("grant")).filter(({ asked: by }) => by !== "with id used before"),
  {
    minLength: committedAtOnce,
    maxLength: committedAtOnce + 5,
    size: "max",
  },
);
const mixed = fc.array(commandOf(anyOf(kinds)), { minLength: 1, maxLength: 5 });
const group = fc.oneof(
  { weight: 3, arbitrary: burst },
  { weight: 2, arbitrary: fc.tuple(burst, commandOf(anyOf(kinds))).map(([many, odd]) => [odd, ...many]) },
  { weight: 1, arbitrary: fc.tuple(burst, mixed).map(([many, few]) => [...many, ...few]) },
  { weight: 4, arbitrary: mixed },
);

type Step =
  | { readonly do: "bring"; readonly group: readonly Command[]; readonly waits: boolean }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "deliver"; readonly count: number; readonly isTold: boolean }
  | { readonly do: "crash"; readonly isPowerLost: boolean };
const peaceful: readonly fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant("bring" as const), group, waits: fc.boolean() }),
  fc.record({ do: fc.constant("bring" as const), group, waits: fc.boolean() }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(50, 100, 250, 6_000) }),
];
const deliveries = (isTold: fc.Arbitrary<boolean>): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant("deliver" as const), count: fc.constantFrom(1, 20, 500), isTold });
const crashes: fc.Arbitrary<Step> = fc.record({ do: fc.constant("crash" as const), isPowerLost: fc.boolean() });
const stream = (...steps: readonly fc.Arbitrary<Step>[]): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.oneof(...peaceful, ...steps), { minLength: 2, maxLength: 14, size: "max" });

/** The messages of a stream: each with its id, or one that was used before. */
class Sender {
  readonly sent: Arrival[] = [];
  readonly #ids: string[] = [];

  arrivalOf({ kind, person, device, asked: by, which }: Command): Arrival {
    const number = this.sent.length;
    const before = kind === "again" ? this.sent[which % number] : undefined;
    if (before) {
      this.sent.push(before);
      return before;
    }
    const id = this.#idOf(by, which);
    const parameters = {
      user_identity_id: `person-${person}`,
      device_id: kind === "no device" ? "door-9" : `door-${device}`,
      ...(kind === "aged grant" ? { as_of: which % 3 } : {}),
      ...(kind === "more" ? { pin: "4711" } : {}),
      ...(id === undefined ? {} : { request_id: id }),
    };
    const name = kind === "revoke" ? revoke : kind === "read" ? "access/list" : grant;
    const text = kind === "not JSON" ? "{" : JSON.stringify(parameters);
    const isAddressed = by === "with Response Topic" || by === "with both";
    const reply = {
      responseTopic: `access/gateway-1/reply/to/${number}`,
      correlation: Buffer.from([number % 256, 255]),
    };
    const arrival = {
      topic: commandTopic(name),
      payload: Buffer.from(text),
      retained: false,
      ...(isAddressed ? reply : {}),
    };
    this.sent.push(arrival);
    return arrival;
  }

  #idOf(by: Command["asked"], which: number): string | undefined {
    if (by === "with id used before" && this.#ids.length > 0) return this.#ids[which % this.#ids.length];
    if (by === "of nobody" || by === "with Response Topic") return undefined;
    const id = `r-${this.#ids.length}`;
    this.#ids.push(id);
    return id;
  }
}

const patience = { timeout: isLong ? 900_000 : 30_000 };
/** What fails is told, and not looked at for long. */
const runs = { numRuns: isLong ? 200 : 12, interruptAfterTimeLimit: isLong ? 600_000 : 15_000 };

/** Who is granted what, and what was answered to each request: all that is left of a stream. */
const left = (store: Store, db: Database.Database): object => ({
  granted: store.records
    .grants({})
    .map(({ identity, device }) => `${identity} ${device}`)
    .toSorted(),
  stored: db.prepare("SELECT request_id, command, status, CAST(body AS TEXT) FROM requests ORDER BY request_id").all(),
});
const told = ({ records }: Store): readonly unknown[] =>
  records
    .eventsOf({ after: 0, limit: 10_000 })
    .map(({ event_type: type, user_identity_id: person, device_id: device, error }) => [type, person, device, error]);

/** The same, one by one, at an agent that never answers before a command is carried out. */
function inTurn(sent: readonly Arrival[]): {
  readonly left: object;
  readonly told: unknown;
  readonly heard: readonly Heard[];
} {
  using desk = new MemoryStore();
  const { store } = desk;
  const parts = partsOn(store, { now: () => desk.now, catchUp: caughtUp });
  const intake = mqttIntake(parts, topics, { codes: "never", commands: ["*"] });
  for (const arrival of sent) void intake.accept([arrival]);
  const heard = store.outbox
    .next(new Set(), 100_000, { rank: "reply", after: 0 })
    .map(({ topic, payload, correlation }) => ({
      topic,
      payload,
      correlation: correlation && Buffer.from(correlation).toString("hex"),
    }));
  return { left: left(store, desk.opened.db), told: told(store), heard };
}

async function play(agent: AnsweringAgent, steps: readonly Step[]): Promise<readonly Arrival[]> {
  const sender = new Sender();
  for (const step of steps) {
    if (step.do === "bring") {
      const brought = agent.bring(step.group.map((command) => sender.arrivalOf(command)));
      // Where it is killed meanwhile, it is brought again.
      if (step.waits) await brought;
      else brought.catch(() => undefined);
    } else if (step.do === "pass") await agent.clock.run(step.ms);
    else if (step.do === "deliver") agent.deliver(step.count, step.isTold);
    else await agent.crash(step.isPowerLost);
  }
  await agent.settle();
  return sender.sent;
}

function leftOf(agent: AnsweringAgent): object {
  const db = new Database(agent.database, { readonly: true });
  try {
    return left(agent.store, db);
  } finally {
    db.close();
  }
}

test("who is answered first is answered the same, and all that follows from it is the same", patience, async () => {
  await fc.assert(
    fc.asyncProperty(stream(deliveries(fc.constant(true))), async (steps) => {
      using agent = new AnsweringAgent();
      const expected = inTurn(await play(agent, steps));
      expect(leftOf(agent)).toEqual(expected.left);
      expect(told(agent.store)).toEqual(expected.told);
      expect(agent.heard).toEqual(expected.heard);
      expect(agent.failures).toEqual([]);
    }),
    runs,
  );
});

/** What was answered at each address: to what repeats an id for something else, more than one thing. */
function byAddress(heard: readonly Heard[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { topic, payload, correlation = "" } of heard) {
    const at = `${topic} ${correlation}`;
    found.set(at, (found.get(at) ?? new Set()).add(payload));
  }
  return found;
}
/** An id that is used for several commands is answered by what is known of it, and what is read by what is true. */
const isOneAnswer = (payloads: ReadonlySet<string> = new Set()): boolean => payloads.size === 1;

test("however often it is killed, or loses power, no command is lost, and each is answered", patience, async () => {
  await fc.assert(
    fc.asyncProperty(stream(deliveries(fc.boolean()), crashes, crashes), async (steps) => {
      using agent = new AnsweringAgent();
      const sent = await play(agent, steps);
      const expected = inTurn(sent);
      expect(leftOf(agent)).toEqual(expected.left);
      const [heard, meant] = [byAddress(agent.heard), byAddress(expected.heard)];
      expect([...heard.keys()].toSorted()).toEqual([...meant.keys()].toSorted());
      const usedOnce = [...meant].filter(([address, payloads]) => isOneAnswer(payloads) && !isOfRead(address, sent));
      for (const [address, payloads] of usedOnce) expect(heard.get(address)).toEqual(payloads);
      expect(agent.failures).toEqual([]);
    }),
    runs,
  );
});

function isOfRead(address: string, sent: readonly Arrival[]): boolean {
  const [topic = ""] = address.split(" ");
  return sent.some(
    ({ topic: command, payload, responseTopic }) =>
      command.endsWith("access/list") &&
      (responseTopic
        ? topics.below(responseTopic) === topic
        : payload.toString().includes(`"${topic.slice("reply/".length)}"`)),
  );
}
