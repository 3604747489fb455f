import type { Clock, Log } from "../drivers/driver.ts";
import type { AgentFacts } from "./commands/command.ts";
import type { Config } from "./config.ts";
import { toIso } from "./domain/instant.ts";
import { clientIdOf, hostOf } from "./mqtt/dial.ts";
import type { Intake } from "./mqtt/inbox.ts";
import type { Letters } from "./mqtt/outbox.ts";
import type { Chronicle } from "./mqtt/presence.ts";
import { type Mqtt, openMqtt } from "./mqtt/session.ts";
import type { Topics } from "./mqtt/topics.ts";
import { standingOf } from "./standing.ts";
import type { SessionName } from "./store/broker-sessions.ts";
import type { Store } from "./store/store.ts";

interface SessionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly topics: Topics;
  /** For a broker that is not in this process. */
  readonly intake: Intake;
  /** The address of the broker in this process. */
  readonly embedded: string | undefined;
  readonly facts: () => AgentFacts;
  /** Something was written: there may be events to tell. */
  readonly committed: () => void;
  /** See the session's. */
  readonly crowded: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Connects the store to the broker that is configured. */
export function openBrokerSession({ agentId, prefix, broker }: Config, parts: SessionParts): Mqtt {
  const { clock, log, store, topics, intake, embedded, facts, committed, crowded, onFailure } = parts;
  const name = nameOf(agentId, broker);
  const session = openMqtt({
    ...(broker.kind === "remote" ? { ...broker, intake } : { protocol: "3.1.1", url: embedded ?? "" }),
    agentId,
    prefix,
    log,
    clock,
    letters: lettersOf(store, topics),
    standing: standingOf(store, facts),
    chronicle: name && chronicleOf(store, name, committed),
    crowded,
    onFailure,
  });
  store.outbox.onReleased(() => session.nudge());
  return session;
}

/** What is true of the broker now. Before `session` was opened, it is not connected. */
export function brokerFacts(
  { agentId, broker }: Config,
  { clock, store, topics }: Pick<SessionParts, "clock" | "store" | "topics">,
  session: Mqtt | undefined,
): AgentFacts["broker"] {
  const name = nameOf(agentId, broker);
  return {
    connected: session?.connected ?? false,
    sessionLost: name && store.sessions.lost(name, clock.now()),
    idInUseSince: session?.idInUseSince,
    unheard: (session?.unheard ?? []).map((topic) => topics.below(topic)),
  };
}

/** The session that outlives us; none where the broker ends with this process. */
const nameOf = (agentId: string, broker: Config["broker"]): SessionName | undefined =>
  broker.kind === "remote" ? { broker: hostOf(broker.url), clientId: clientIdOf(agentId) } : undefined;

const lettersOf = (store: Store, topics: Topics): Letters => ({
  next: (inFlight, limit, of) =>
    store.outbox
      .next(inFlight, limit, "topic" in of ? { topic: topics.below(of.topic) } : of)
      .map((letter) => ({ ...letter, topic: topics.full(letter.topic) })),
  delivered(ids) {
    const rows = store.outbox.deliveredEarly(ids);
    // Where the power fails before it is on disk, they are brought once more, as after a lost PUBACK.
    if (rows.length > 0) store.transactionUnsynced(() => store.outbox.delivered(rows));
  },
});

/** Keeps what happens to our session at a broker, and makes events of what the cloud has to know of it. */
function chronicleOf(store: Store, name: SessionName, committed: () => void): Chronicle {
  const { sessions, records } = store;
  const { broker } = name;
  return {
    connected(at, session) {
      store.transaction(() => {
        const since = sessions.connected(name, session, at);
        if (since !== undefined) records.event("agent.session_lost", { broker, offline_since: toIso(since) });
      });
      committed();
    },
    heard(at) {
      store.transaction(() => sessions.heard(name, at));
      // Some of what the status says passes with time alone.
      committed();
    },
    idInUse(reason) {
      store.transaction(() => records.event("agent_id_in_use", { broker, reason }));
      committed();
    },
  };
}
