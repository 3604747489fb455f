import type { Log } from "../drivers/driver.ts";
import type { AgentFacts, Context, Door, World } from "./commands/command.ts";
import { type Call, isOfWorld, perform, performInWorld, type Reply } from "./commands/perform.ts";
import type { DeviceId } from "./domain/ids.ts";
import type { Instant } from "./domain/instant.ts";
import type { Arrival, Intake } from "./mqtt/inbox.ts";
import type { Topics } from "./mqtt/topics.ts";
import type { Store } from "./store/store.ts";

export interface IntakeParts {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => Instant;
  readonly facts: () => AgentFacts;
  readonly world: World;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
  /** Commands are on disk; these devices are to be looked at. */
  readonly committed: (devices: ReadonlySet<DeviceId>) => void;
}

/** Commands from a broker: each batch in one transaction, and with it the replies (Law 1). */
export function mqttIntake(
  parts: IntakeParts,
  topics: Topics,
  mqtt: { readonly codes: "never" | "clear"; readonly commands: readonly string[] },
): Intake {
  const { store, now, committed } = parts;
  const isOpen = (name: string | undefined): boolean =>
    name !== undefined && mqtt.commands.some((open) => matches(open, name));
  const callOf = ({ topic, payload, retained, responseTopic }: Arrival): Call => {
    const name = topics.commandName(topic);
    const replyAddress = responseTopic === undefined ? "none" : topics.isReplyTopic(responseTopic) ? "usable" : "unfit";
    return { name, payload, door: "mqtt", retained, replyAddress, isOpen: isOpen(name) };
  };
  return {
    accept(arrivals) {
      const touched = new Set<DeviceId>();
      const context = contextOf(parts, "mqtt", mqtt.codes === "clear", touched);
      store.transaction(() => {
        for (const arrival of arrivals) {
          if (isToldAlready(arrival, store)) continue;
          const call = callOf(arrival);
          const { reply, requestId, sealed } = perform(call, store, context, bugLog(parts.log, call));
          if (arrival.retained) store.retainedRefusals.remember(arrival.topic, arrival.payload, now());
          const topic =
            call.replyAddress === "usable" && arrival.responseTopic !== undefined
              ? topics.below(arrival.responseTopic)
              : requestId && `reply/${requestId}`;
          if (!topic) continue;
          store.outbox.put(
            { rank: "reply", topic, payload: reply.body, sealed, correlation: arrival.correlation },
            now(),
          );
        }
      });
      committed(touched);
    },
    handedOut: (kept, since) => store.transaction(() => store.retainedRefusals.keepOnly(kept, since)),
  };
}

/** Whether nothing is to be answered: it is a retained command that was refused before, or how one is taken back. */
function isToldAlready(
  { topic, payload, retained, kept }: Arrival,
  { retainedRefusals: refusals }: Pick<Store, "retainedRefusals">,
): boolean {
  if (payload.length > 0) return kept === true && refusals.has(topic, payload);
  // An empty retained message takes a retained one off the broker; by MQTT 3.1.1 it does not say that it is one.
  return refusals.forget(topic) || retained;
}

/** Commands from the local door: one at a time, the reply when it is on disk. */
export function localPerform(parts: IntakeParts): (name: string, body: Uint8Array) => Promise<Reply> {
  const { store, world, committed } = parts;
  return async (name, payload) => {
    const call: Call = { name, payload, door: "local", retained: false, replyAddress: "usable", isOpen: true };
    if (isOfWorld(name)) return performInWorld(call, world, bugLog(parts.log, call));
    const touched = new Set<DeviceId>();
    const context = contextOf(parts, "local", true, touched);
    try {
      const { reply } = store.transaction(() => perform(call, store, context, bugLog(parts.log, call)));
      committed(touched);
      return reply;
    } catch (error) {
      parts.failed(error);
      throw error;
    }
  };
}

const contextOf = ({ now, facts }: IntakeParts, door: Door, codes: boolean, touched: Set<DeviceId>): Context => ({
  now: now(),
  door,
  codes,
  agent: facts,
  touch: (device) => void touched.add(device),
});

const bugLog =
  (log: Log, { name }: Call) =>
  (error: unknown): void =>
    log.error({ command: name, error }, "a command failed for a fault of our own; nothing of it was kept");

/** `group/verb`, `group/*`, or `*`. */
const matches = (open: string, name: string): boolean =>
  open === "*" || open === name || (open.endsWith("/*") && name.startsWith(open.slice(0, -1)));
