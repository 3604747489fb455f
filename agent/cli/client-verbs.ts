import type { Command } from "commander";
import { act } from "./act.ts";
import { clock } from "./clock.ts";
import { code } from "./code.ts";
import { explain } from "./explain.ts";
import { fault } from "./fault.ts";
import { grant } from "./grant.ts";
import { keys } from "./keys.ts";
import { list } from "./list.ts";
import { osdp } from "./osdp.ts";
import { revoke } from "./revoke.ts";
import type { Verb } from "./shell.ts";
import { simulate } from "./simulate.ts";
import { statusVerb } from "./status.ts";

/** All that is asked of an agent from outside, in the order in which `--help` names it. */
export const clientVerbs: readonly ((program: Command, verb: Verb) => void)[] = [
  grant,
  revoke,
  list,
  code,
  explain,
  statusVerb,
  keys,
  clock,
  osdp,
  act,
  fault,
  simulate,
];
