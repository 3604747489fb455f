import type { Command } from "commander";
import { osdpCapture } from "./osdp-capture.ts";
import { osdpKeys } from "./osdp-keys.ts";
import { osdpMonitor } from "./osdp-monitor.ts";
import { osdpScan } from "./osdp-scan.ts";
import type { Verb } from "./shell.ts";

/** `latchd osdp`: what is done with readers on RS-485 by who stands beside them. */
export function osdp(program: Command, verb: Verb): void {
  const verbs = program
    .command("osdp")
    .description("find readers on a line, give them their keys, and see what is said on it")
    .addHelpText(
      "after",
      `
Examples:
  $ latchd osdp scan /dev/ttyUSB0              # which readers are there, and at what rate (with the agent stopped)
  $ latchd osdp pair front-door                # give a reader that waits to be installed a key of its own
  $ latchd osdp readdress front-door 5         # give it another address than 0, at which all new ones are
  $ latchd osdp monitor front-door             # what is said with it, in words
  $ latchd osdp capture osdp line.osdpcap      # the same into a file, for the tools of the field`,
    );
  for (const add of [osdpScan, osdpKeys, osdpMonitor, osdpCapture]) add(verbs, verb);
}
