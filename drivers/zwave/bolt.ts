import type { Milliseconds } from "../../agent/domain/instant.ts";
import { type ActOutcome, type Bolt, type Clock, LinkError } from "../driver.ts";
import { boltVerdict, type IsOver, unlessTooLate } from "../shared/bolt-verdict.ts";
import { type Place, settledBolt } from "../shared/settled-bolt.ts";
import { untilAny } from "../shared/until-any.ts";
import { placeOf, wordOf } from "./codec-bolt.ts";
import { failureOf } from "./codec-failure.ts";
import { asking, orSilence } from "./conversation.ts";
import { partsOf } from "./node-parts.ts";
import { asker } from "./questions.ts";
import type { Wire } from "./ready.ts";

export interface BoltParts {
  readonly who: string;
  readonly clock: Clock;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** @throws LinkError where the node cannot be asked now. */
  wire(): Wire;
}

/** A bolt travels for 1 to 5 seconds; one that says that it will not go is looked at once more for the lie. */
const patience: Milliseconds = 7_000;
const patienceAfterNo: Milliseconds = 1_500;
/** A question about a bolt is of no use later. */
const questionsExpireAfter: Milliseconds = 4_000;

/**
 * Who wants a door open does not wait for the turn of this lock on its wire: a round of writes to another lock would come
 * first. zwave-js sends it when it is through with the one exchange that it is at.
 */
export function boltOf(parts: BoltParts): Bolt {
  const { who, clock, closing } = parts;
  const move = async (to: Place, given: AbortSignal, isOver: IsOver): Promise<ActOutcome> => {
    unlessTooLate(given, isOver);
    const wire = parts.wire();
    const { node, library, send } = wire;
    if (!partsOf(node, library).bolt)
      throw new LinkError(`${who} has no bolt that moves when it is told to`, { sent: false });
    const { commands, MessagePriority } = library;
    const nodeId = node.id;
    const { Secured, Unsecured } = commands.DoorLockMode;
    const mode = to === "locked" ? Secured : Unsecured;
    const command = new commands.DoorLockCCOperationSet({ nodeId, mode });
    const options = { expire: questionsExpireAfter, priority: MessagePriority.ImmediateLow };
    const ask = asker(send, options);
    const question = (): Promise<Place | undefined> =>
      ask(new commands.DoorLockCCOperationGet({ nodeId }), commands.DoorLockCCOperationReport, () => true).then(
        (report) => placeOf(report?.currentMode),
      );
    return untilAny([given, closing, wire.gone], async (signal) => {
      const { sent, status, error } = await wire.sendTimely(command, signal, isOver);
      if (!sent) throw unsent(who, error);
      const tell = (): Promise<Place | undefined> => orSilence(asking(who, signal)(question));
      const word = wordOf(status);
      const isNo = word !== undefined && word !== "yes";
      const isThere = await settledBolt(to, { clock, patience: isNo ? patienceAfterNo : patience, tell }, signal);
      return boltVerdict(word, isThere);
    });
  };
  return {
    unlock: (signal, isOver) => move("unlocked", signal, isOver),
    lock: (signal, isOver) => move("locked", signal, isOver),
  };
}

function unsent(who: string, error: unknown): LinkError {
  const failure = failureOf(error);
  const why = "silent" in failure ? failure.silent : "zwave-js would not send it";
  return new LinkError(`the command to the bolt of ${who} was not sent: ${why}`, {
    sent: false,
    hint: "the radio was busy with another lock for too long, or the controller does not answer",
  });
}
