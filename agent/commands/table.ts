import { access } from "./access.ts";
import { accessCodes } from "./access-codes.ts";
import { accessGrants } from "./access-grants.ts";
import { act } from "./act.ts";
import { actionAttempts } from "./action-attempts.ts";
import { agent } from "./agent.ts";
import { clock } from "./clock.ts";
import type { Command } from "./command.ts";
import { credentials } from "./credentials.ts";
import { devices } from "./devices.ts";
import { events } from "./events.ts";
import { explain } from "./explain.ts";
import { keysFor } from "./keys.ts";
import { osdp } from "./osdp.ts";
import { people } from "./people.ts";
import { simulate } from "./simulate.ts";
import { userIdentities } from "./user-identities.ts";
import { workspaces } from "./workspaces.ts";

const entries: readonly Command[] = [
  ...people,
  ...userIdentities,
  ...accessCodes,
  ...accessGrants,
  ...access,
  ...explain,
  ...credentials,
  ...workspaces,
  ...devices,
  ...actionAttempts,
  ...events,
  ...agent,
  ...clock,
  ...act,
  ...simulate,
  ...osdp,
];
const overHttp = entries.filter(({ doors }) => doors.includes("http")).map(({ name }) => name);

/** Every command, whatever door it comes through. */
export const table: ReadonlyMap<string, Command> = new Map(
  [...entries, ...keysFor(overHttp)].map((entry) => [entry.name, entry]),
);
