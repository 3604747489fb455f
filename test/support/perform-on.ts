import type { Context } from "../../agent/commands/command.ts";
import { type Call, type Performed, perform } from "../../agent/commands/perform.ts";
import type { Store } from "../../agent/store/store.ts";
import { keepPromise } from "./kept-promise.ts";
import { agentFacts } from "./world.ts";

/** A command as bytes, in a transaction of its own: through the local door, if nothing else is said. */
export function performOn(
  store: Store,
  { payload, ...of }: Partial<Omit<Call, "payload">> & Pick<Call, "name"> & { readonly payload: Uint8Array | string },
  context: Partial<Context> & Pick<Context, "now">,
  onBug: (bug: unknown) => void = fail,
): Performed {
  const call: Call = {
    payload: Buffer.from(payload),
    door: "local",
    retained: false,
    replyAddress: "usable",
    isOpen: true,
    ...of,
  };
  const whole: Context = {
    door: call.door,
    by: call.door,
    codes: true,
    agent: agentFacts,
    touch: () => undefined,
    operate: () => undefined,
    saidAt: context.now,
    ...context,
  };
  const performed = store.transaction(() => perform(call, store, whole, onBug));
  keepPromise(call.name, performed.reply.body);
  return performed;
}

const fail = (bug: unknown): never => {
  throw bug;
};
