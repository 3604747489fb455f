import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import type { Door, DoorOptions } from "./door.ts";
import type { Shell } from "./shell.ts";

const frame = z.object({
  number: z.number(),
  at: z.iso.datetime(),
  direction: z.enum(["sent", "heard"]),
  address: z.string().nullable(),
  name: z.string(),
  text: z.string(),
  sequence: z.number().nullable(),
  protection: z.enum(["clear", "default_key", "own_key"]),
  is_repeat: z.boolean(),
  problem: z.string().nullable(),
  bytes: z.string().nullable(),
});
/** Something that was said on a line, as the agent tells it: without its secrets. */
export type Frame = z.infer<typeof frame>;

const reply = z.object({ ok: z.literal(true), frames: z.array(frame), last: z.number(), missed: z.number() });
interface Batch {
  readonly frames: readonly Frame[];
  /** How many there were that the agent does not have any more. */
  readonly missed: number;
}

export interface FramesOptions extends DoorOptions {
  readonly seconds?: number;
}

export const withFramesOptions = (command: Command): Command =>
  command.option("--seconds <seconds>", "end by itself after so long (default: at Ctrl-C)", (text) => {
    const seconds = Number(text);
    if (!(seconds > 0)) throw new InvalidArgumentError("It must be a number of seconds.");
    return seconds;
  });

const asksEveryMs = 200;

/** What is said on a line from now on, until Ctrl-C or for so long; what was said by then is had, too. */
export async function* follow(
  door: Door,
  line: string,
  { seconds }: FramesOptions,
  { clock, onSignal }: Pick<Shell, "clock" | "onSignal">,
): AsyncGenerator<Batch> {
  const stop = new AbortController();
  const deaf = onSignal(() => stop.abort());
  const until = seconds === undefined ? undefined : clock.now() + seconds * 1_000;
  try {
    for (let after: number | undefined, isLast = false; !isLast; ) {
      isLast = stop.signal.aborted || (until !== undefined && clock.now() >= until);
      const { frames, missed, last } = await door.ask("osdp/frames", { line, after }, reply);
      after = last;
      yield { frames, missed };
      if (!isLast) await clock.sleep(asksEveryMs, stop.signal).catch(() => undefined);
    }
  } finally {
    deaf();
  }
}
