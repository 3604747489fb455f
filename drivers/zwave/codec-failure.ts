import { z } from "zod";
import type { WriteOutcome } from "../driver.ts";

/*
 * What a ZWaveError of zwave-js says of the command that it ended (its `ZWaveErrorCodes`). Pure.
 */

/** By the number of the error: the command surely did not leave. */
const neverLeft = new Map([
  [103, "zwave-js is not ready"],
  [105, "the controller cannot send this"],
  [109, "the security key for it is missing"],
  [203, "the controller did not take the command"],
  [211, "there is no such node"],
  [212, "there is no such node"],
  [214, "the node is known without its security keys"],
  [302, "the node does not have this command"],
  [1400, "no nonce for the encrypted command"],
]);
/** Those that may have left: silence. */
const mayHaveLeft = new Map([
  [200, "the controller did not answer in time"],
  [201, "it did not answer in time"],
  [202, "the command was dropped"],
  [204, "its radio did not acknowledge"],
  [205, "the air is jammed"],
  [215, "the command ran out of time"],
]);
const invalidArgument = 322;

const withCode = z.object({ code: z.number() });

/** What became of a command that zwave-js gave up. Its own messages are not passed on: they may quote what was sent. */
export type Failure =
  | { readonly refused: Extract<WriteOutcome, { result: "refused" }> }
  | { readonly silent: string; readonly sent: boolean };

export function failureOf(error: unknown): Failure {
  const code = withCode.safeParse(error).data?.code ?? 0;
  if (code === invalidArgument) {
    return {
      refused: { result: "refused", reason: "invalid", detail: "the lock has no such slot, or takes no such code" },
    };
  }
  const unsent = neverLeft.get(code);
  if (unsent !== undefined) return { silent: unsent, sent: false };
  return { silent: mayHaveLeft.get(code) ?? `zwave-js gave up (error ${code})`, sent: true };
}
