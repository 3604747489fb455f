import {
  type Call,
  isMomentary,
  isOfWorld,
  perform,
  performInWorld,
  type Reply,
  refusalReply,
} from "./commands/perform.ts";
import { closingDown } from "./commands/refusal.ts";
import type { Scope } from "./commands/scope.ts";
import { Asking, bugLog, chooseNow, contextOf, type IntakeParts } from "./intake.ts";
import { oncePerTurn } from "./mqtt/once-per-turn.ts";

/** Who asks at a door that answers the same call, and what they may. */
interface Asker {
  readonly door: "local" | "http";
  /** For the journal. */
  readonly by: string;
  /** May be told codes, here. */
  readonly codes: boolean;
  /** Left out: everything. */
  readonly scope?: Scope;
}
export type AnswerCall = (name: string, payload: Uint8Array, asker: Asker) => Promise<Reply>;

interface Waiting {
  readonly call: Call;
  readonly asker: Asker;
  readonly done: (reply: Reply) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Commands that are answered where they came in: all of one turn of the loop in one transaction, the reply when it is on disk.
 *
 * @param isClosing nothing is taken any more: what it would be written to is about to be closed.
 */
export function answering(parts: IntakeParts, isClosing: () => boolean): AnswerCall {
  let collected: Waiting[] = [];
  const commitSoon = oncePerTurn(() => {
    const batch = collected;
    collected = [];
    void commit(parts, batch);
  });
  return async (name, payload, asker) => {
    if (isClosing()) return refusalReply(closingDown());
    const { door, scope } = asker;
    const of = { name, payload, door, retained: false, replyAddress: "usable", isOpen: true } as const;
    const call: Call = { ...of, ...(scope ? { scope } : {}) };
    if (isOfWorld(name)) return performInWorld(call, parts.world, bugLog(parts.log, call));
    return new Promise((done, fail) => {
      collected.push({ call, asker, done, fail });
      commitSoon();
    });
  };
}

/** What is for now only waits for nobody's wish: after that, it is not known any more when it was said (Law 10). */
async function commit(parts: IntakeParts, batch: readonly Waiting[]): Promise<void> {
  const later = batch.filter(({ call }) => !isMomentary(call.name));
  try {
    const caughtUp = later.length > 0 ? parts.catchUp.caughtUp() : undefined;
    if (!caughtUp) return await commitNow(parts, batch);
    const forNow = batch.filter(({ call }) => isMomentary(call.name));
    if (forNow.length > 0) void commitNow(parts, forNow);
    if (!(await caughtUp)) {
      for (const { done } of later) done(refusalReply(closingDown()));
      return;
    }
  } catch (error) {
    return failAll(parts, batch, error);
  }
  return commitNow(parts, later);
}

function failAll({ failed }: Pick<IntakeParts, "failed">, batch: readonly Waiting[], error: unknown): void {
  failed(error);
  for (const { fail } of batch) fail(error);
}

/** Does not throw. */
async function commitNow(parts: IntakeParts, batch: readonly Waiting[]): Promise<void> {
  const { store, log, wished, committed } = parts;
  const asked = new Asking(batch.length);
  try {
    const replies = store.transaction(() => {
      const all = batch.map(
        ({ call, asker }) => perform(call, store, contextOf(parts, asker, asked), bugLog(log, call)).reply,
      );
      chooseNow(store, asked);
      return all;
    });
    wished(asked);
    // Others may still wait for the disk who are to be served before; and what was only looked up may be on its way there.
    await store.synced();
    committed(asked);
    for (const [index, reply] of replies.entries()) batch[index]?.done(reply);
  } catch (error) {
    failAll(parts, batch, error);
  }
}
