import type { Command } from "commander";
import { Door, withDoorOptions } from "./door.ts";
import { type Frame, type FramesOptions, follow, withFramesOptions } from "./osdp-frames.ts";
import type { Verb } from "./shell.ts";

interface MonitorOptions extends FramesOptions {
  readonly polls?: true;
}

/** `latchd osdp monitor`: what is said on a line, in words. */
export function osdpMonitor(verbs: Command, verb: Verb): void {
  withFramesOptions(withDoorOptions(verbs.command("monitor")))
    .description("show what is said on a line, in words and without its secrets, until Ctrl-C; times are UTC")
    .argument("<line>", "the link, as the configuration names it; or one reader on it")
    .option("--polls", "also polls to which there is nothing to say")
    .addHelpText(
      "after",
      `
A line has the time, > for what latchd says and < for what it hears, the reader's address, the number of the exchange, and who
could read it on the wire: "sealed" only who has the reader's own key; "clear" and "default key" everybody.

Example:
  $ latchd osdp monitor front-door --polls`,
    )
    .action(async (line: string, options: MonitorOptions) => {
      const door = new Door(options, verb);
      const polls = new IdlePolls();
      for await (const { frames, missed } of follow(door, line, options, verb)) {
        if (missed > 0) verb.out(door.raw ? `${JSON.stringify({ missed })}\n` : `(${missed} were missed here)\n`);
        const shown = options.polls ? frames : frames.flatMap((frame) => polls.without(frame));
        for (const frame of shown) verb.out(`${door.raw ? JSON.stringify(frame) : lineOf(frame)}\n`);
      }
    });
}

const protections = { clear: "clear", default_key: "default key", own_key: "sealed" } as const;

/** As `10:52:01.123  >   3  2  sealed       POLL`. */
function lineOf(frame: Frame): string {
  const { at, direction, address, sequence, protection, name, text, is_repeat: isRepeat, problem } = frame;
  const columns = [
    at.slice(11, 23),
    direction === "sent" ? ">" : "<",
    (address ?? "?").padStart(3),
    sequence ?? "-",
    protections[protection].padEnd(11),
    [name, text, isRepeat ? "(again)" : "", problem === null ? "" : `(${problem})`].filter(Boolean).join(" "),
  ];
  return columns.join("  ");
}

/** Leaves out the polls that bring nothing: they are most of what is said. */
class IdlePolls {
  /** By address: it is shown with its answer, if that is worth it. */
  readonly #held = new Map<string | null, Frame>();

  /** What is to be shown now, with what was held back and is worth it after all. */
  without(frame: Frame): readonly Frame[] {
    const { address, direction, name, is_repeat: isRepeat, problem } = frame;
    const held = this.#held.get(address);
    this.#held.delete(address);
    if (held && direction === "heard" && name === "ACK" && problem === null) return [];
    const before = held ? [held] : [];
    if (direction !== "sent" || name !== "POLL" || isRepeat) return [...before, frame];
    this.#held.set(address, frame);
    return before;
  }
}
