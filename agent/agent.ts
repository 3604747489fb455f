import type { Clock, Driver } from "../drivers/driver.ts";
import { type AnswerCall, answering } from "./answering.ts";
import { actuatorOf } from "./bolts.ts";
import { brokerFacts, openBrokerSession } from "./broker-session.ts";
import { CatchUp } from "./catch-up.ts";
import { ClockWatch, timeServerOf } from "./clock-watch.ts";
import type { AgentFacts } from "./commands/command.ts";
import type { Config } from "./config.ts";
import type { Milliseconds } from "./domain/instant.ts";
import { doormanOf } from "./doors.ts";
import { Exposures } from "./exposures.ts";
import { openLocalDoor } from "./http/local-door.ts";
import { carryOut, few, type IntakeParts, mqttIntake } from "./intake.ts";
import type { AgentLog } from "./log.ts";
import { openBroker } from "./mqtt/broker.ts";
import { ReplyEncryption } from "./mqtt/reply-encryption.ts";
import type { Mqtt } from "./mqtt/session.ts";
import { topicsOf } from "./mqtt/topics.ts";
import { watchDebt } from "./overdue.ts";
import { built, packageVersion } from "./package.ts";
import { keepPruned } from "./pruning.ts";
import { Pulse } from "./pulse.ts";
import { askServer } from "./sntp.ts";
import { openStore } from "./store/store.ts";
import { storeOptions } from "./store-options.ts";
import { Alarm } from "./sync/alarm.ts";
import { Keeper } from "./sync/keeper.ts";
import { Links } from "./sync/links.ts";
import { Turnstile } from "./sync/turnstile.ts";
import { Synchronisation, timePlaces } from "./synchronisation.ts";
import { linkFacts, whereabouts, wiresOf } from "./wires.ts";
import { tellEvents, tellOrphans, tellUnchecked } from "./words.ts";
import { worldOf } from "./world.ts";

/** A running agent. */
export interface Agent {
  /** Resolves when it was closed; rejects when it has to stop, and is still to be closed. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

export interface AgentParts {
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly drivers: Readonly<Record<string, () => Promise<Driver>>>;
  /** Counts evenly, also while the machine sleeps, whatever the clock is set to. */
  readonly monotonic: () => Milliseconds;
}

/**
 * Builds the agent and starts it: every part is made here and handed to those that need it. What was started is closed in
 * reverse, also where a later part does not start.
 *
 * @throws ConfigError, StoreError.
 */
export async function startAgent(config: Config, parts: AgentParts): Promise<Agent> {
  const opened: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (let next = opened.pop(); next; next = opened.pop()) await next();
  };
  try {
    return await start(config, parts, (closer) => opened.push(closer), close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  config: Config,
  parts: AgentParts,
  onClose: (closer: () => unknown) => void,
  close: () => Promise<void>,
): Promise<Agent> {
  const { log, monotonic } = parts;
  const end = deferred<void>();
  const fail = (error: unknown): void => {
    log.error({ error }, "the agent has to stop");
    end.reject(error);
  };

  // Opened first: behind it there is at most one agent in a data directory.
  const ready = deferred<AnswerCall>();
  const local = { door: "local", by: "local", codes: true } as const;
  const door = await openLocalDoor(config.dataDir, async (name, body) => (await ready.promise)(name, body, local), log);
  onClose(() => door.close());
  let alarm: Alarm | undefined;
  const watch = clockWatch(config, parts, () => alarm?.nudge(), fail);
  const now = (): ReturnType<Clock["now"]> => watch.now();
  const clock: Clock = { now, sleep: (ms, signal) => parts.clock.sleep(ms, signal) };
  const store = openStore({ ...storeOptions(config, now), isClockTrusted: () => watch.isTrusted });
  onClose(() => store.close());
  onClose(store.checkOn({ failed: fail, unknown: (reason) => tellUnchecked(reason, log) }));
  await watch.start(store);
  onClose(() => watch.close());
  store.rounds.interrupt();
  store.attempts.interrupt();
  tellOrphans(store.records.orphans(), log);
  onClose(keepPruned(store, fail));

  const exposures = new Exposures(config.mqtt.codes, log);
  let session: Mqtt | undefined;
  const linkOf = (name: string): ReturnType<Links["get"]> => links.get(name);
  const topics = topicsOf(config.prefix, config.agentId);
  const facts = factsOf(config, now(), {
    exposures,
    watch,
    links: () => linkFacts(config, linkOf),
    broker: () => brokerFacts(config, { clock, store, topics }, session),
  });
  const committed = (): void => {
    tellEvents(store.journal.takeFresh(), config.devices, log);
    encryption.nudge();
    session?.nudge();
    keeper.due(...store.takeDue());
  };
  const encryption = new ReplyEncryption(store, { committed: () => session?.nudge(), failed: fail, log });

  const devices = whereabouts(config);
  const links: Links = new Links(
    {
      opened(name) {
        keeper.opened(name);
        void exposures.ask(name, links.get(name)).then(() => session?.nudge());
      },
      reported: async (name, event) => keeper.reported(name, event),
    },
    Math.random,
  );
  const actuator = actuatorOf(config, store, { linkOf, clock, monotonic, log, committed, failed: fail });
  const doorman = doormanOf(config, store, {
    begin: (attempt) => actuator.begin(attempt),
    saidAt: () => pulse.saidAt(),
    linkOf,
    clock,
    log,
    committed,
    failed: fail,
  });
  const turnstile = new Turnstile(parts.clock, monotonic);
  const keeper = new Keeper({
    turn: (isUrgent) => turnstile.pass(isUrgent),
    causeOf: (...of) => actuator.causeOf(...of),
    asked: (...of) => doorman.asked(...of),
    ledger: store.rounds,
    devices,
    linkOf,
    clock,
    log,
    random: Math.random,
    committed,
    failed: fail,
  });
  alarm = new Alarm({
    clock,
    turn() {
      watch.look();
      const turn = store.turn(watch.isConfirmed);
      committed();
      return turn;
    },
    due: (...due) => keeper.due(...due),
    failed: fail,
  });
  const pulse = new Pulse(clock);
  pulse.start();
  onClose(() => pulse.close());
  const catchUp = new CatchUp({ backlog: store.backlog, carryOut: () => carryOut(intake), clock, failed: fail });
  const intake: IntakeParts = {
    store,
    catchUp,
    log,
    now,
    saidAt: () => pulse.saidAt(),
    facts,
    world: worldOf(devices, linkOf, () => watch.confirm("operator")),
    failed: fail,
    wished({ devices: changed, commands }) {
      if (commands > few) turnstile.hold();
      keeper.due(...changed);
    },
    committed({ attempts }) {
      committed();
      actuator.begin(...attempts);
      alarm?.nudge();
    },
  };
  const commands = mqttIntake(intake, topics, config.mqtt);
  // Only now: who can connect can send a command, and gets a PUBACK for it.
  const broker =
    config.broker.kind === "embedded"
      ? await openBroker({ ...config.broker, log, topics, intake: commands, onFailure: fail })
      : undefined;
  onClose(() => broker?.close());
  onClose(() => links.close());
  onClose(() => exposures.close());
  onClose(() => keeper.close());
  onClose(() => actuator.close());
  onClose(() => doorman.close());
  onClose(async () => {
    await catchUp.close();
    // What it carried out last is served when it is on disk.
    await Promise.allSettled([store.synced()]);
  });
  onClose(() => alarm?.close());
  onClose(() => session?.close());
  onClose(() => encryption.close());
  // First of all, so that the session still brings the replies to the last commands.
  onClose(() => broker?.stopTaking());
  onClose(watchDebt(store, config.debt.overdueAfterMinutes * 60_000, { clock, committed, failed: fail }));
  encryption.nudge();
  catchUp.start();
  alarm.start();
  links.start(await wiresOf(config, { ...parts, clock, isTimeTrusted: () => watch.isTrusted }, store));
  session = openBrokerSession(config, {
    clock,
    log,
    store,
    topics,
    intake: commands,
    embedded: broker?.url,
    facts,
    committed,
    crowded() {
      turnstile.hold();
      catchUp.hold();
    },
    onFailure: fail,
  });
  let isClosing = false;
  const answer = answering(intake, () => isClosing);
  ready.resolve(answer);
  const http = config.http && (await (await import("./http-door.ts")).serveHttp(config.http, intake, answer));
  onClose(() => http?.close());
  // Before the doors, which wait for who waits for it.
  onClose(() => catchUp.close());
  // The local door is opened first, and closed last.
  onClose(() => (isClosing = true));
  return {
    stopped: end.promise,
    async close() {
      await close();
      end.resolve();
    },
  };
}

const factsOf = (
  { agentId, unlockGoodFor }: Config,
  startedAt: AgentFacts["startedAt"],
  of: {
    readonly exposures: Exposures;
    readonly watch: ClockWatch;
    readonly links: () => AgentFacts["links"];
    readonly broker: () => AgentFacts["broker"];
  },
): (() => AgentFacts) => {
  const version = packageVersion();
  return () => ({
    agentId,
    version,
    unlockGoodFor,
    startedAt,
    broker: of.broker(),
    clock: of.watch.facts,
    links: of.links(),
    exposures: of.exposures.found,
  });
};

function clockWatch(
  { clock: { trust, check } }: Config,
  { clock, log, monotonic }: AgentParts,
  changed: () => void,
  failed: (error: unknown) => void,
): ClockWatch {
  const server = check === undefined ? undefined : timeServerOf(check);
  return new ClockWatch({
    clock,
    monotonic,
    synchronisation: new Synchronisation(trust, timePlaces),
    ask: server && ((signal) => askServer(server, { now: () => clock.now(), monotonic }, signal)),
    built,
    log,
    changed,
    failed,
  });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, "promise"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Who waits is told; where nobody does, it was logged.
  promise.catch(() => undefined);
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}
