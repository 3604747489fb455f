import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { packageVersion } from "../package.ts";
import { Door, withDoorOptions } from "./door.ts";
import { type Frame, type FramesOptions, follow, withFramesOptions } from "./osdp-frames.ts";
import { CommandError, type Verb } from "./shell.ts";

interface Tally {
  written: number;
  missed: number;
  damaged: number;
}

/** `latchd osdp capture`: what is said on a line into a file that the tools of the field read. */
export function osdpCapture(verbs: Command, verb: Verb): void {
  withFramesOptions(withDoorOptions(verbs.command("capture")))
    .description(
      "write what is said on a line into a new .osdpcap file, until Ctrl-C; cards, PINs and keys are zeros in it",
    )
    .argument("<line>", "the link, as the configuration names it; or one reader on it")
    .argument("<file>", "the file to be made")
    .addHelpText("after", "\nExample:\n  $ latchd osdp capture osdp line.osdpcap --seconds 60")
    .action(async (line: string, file: string, options: FramesOptions) => {
      const door = new Door(options, verb);
      const tally = await capture(door, line, resolve(verb.cwd, file), options, verb);
      verb.out(door.raw ? `${JSON.stringify({ ok: true, ...tally })}\n` : `${summary(tally, file)}\n`);
    });
}

async function capture(
  door: Door,
  line: string,
  path: string,
  options: FramesOptions,
  verb: Verb,
): Promise<Readonly<Tally>> {
  const tally: Tally = { written: 0, missed: 0, damaged: 0 };
  const source = `latchd ${packageVersion()}`;
  let file: number | undefined;
  try {
    for await (const { frames, missed } of follow(door, line, options, verb)) {
      // Not before the agent has answered: a mistake leaves no file.
      file ??= make(path, door, verb);
      for (const frame of frames) {
        const record = recordOf(frame, source);
        if (record !== undefined) writeSync(file, `${record}\n`);
        tally[record === undefined ? "damaged" : "written"] += 1;
      }
      tally.missed += missed;
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return tally;
}

function make(path: string, door: Door, verb: Verb): number {
  try {
    const file = openSync(path, "wx", 0o600);
    if (!door.raw) verb.out(`Writing to ${path}; Ctrl-C ends it.\n`);
    return file;
  } catch (cause) {
    throw new CommandError(2, `cannot make ${path}: ${cause instanceof Error ? cause.message : "unknown"}`);
  }
}

/**
 * A frame as a line of OSDPCAP, version 1 (osdpcap-format.md of SIA's libosdp-conformance): its times are texts as
 * clock_gettime has them, and `input` is what the one who writes it has heard. It begins with SOM, as OSDP.Net wants it.
 *
 * @returns undefined where there are no bytes to be shown.
 */
function recordOf({ at, direction, bytes }: Frame, source: string): string | undefined {
  if (bytes === null) return undefined;
  const ms = Date.parse(at);
  const seconds = Math.floor(ms / 1_000);
  return JSON.stringify({
    timeSec: String(seconds),
    timeNano: String((ms - seconds * 1_000) * 1_000_000).padStart(9, "0"),
    io: direction === "sent" ? "output" : "input",
    data: bytes.replaceAll(/..(?!$)/g, "$& "),
    osdpTraceVersion: "1",
    osdpSource: source,
  });
}

function summary({ written, missed, damaged }: Readonly<Tally>, file: string): string {
  const left = damaged === 0 ? "" : `; ${damaged} were damaged on the line, and are not in it`;
  return `${written} frames are in ${file}, ${missed} were missed${left}.`;
}
