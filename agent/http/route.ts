import type { Command } from "../commands/command.ts";
import { Refused } from "../commands/refusal.ts";
import { table } from "../commands/table.ts";
import { seamPaths } from "./seam-paths.ts";

/** Where a request leads: to a command, or to one of Seam's that this agent does not have. */
export type Route = { readonly to: "command"; readonly command: Command } | { readonly to: "elsewhere in Seam" };

/** @param url with its query, or without. @throws Refused for what is no path of Seam's API. */
export function routeOf(url: string): Route {
  const [path = ""] = url.split("?");
  const name = path.slice(1);
  const command = table.get(name);
  if (command?.doors.includes("http")) return { to: "command", command };
  if (seamPaths.has(name)) return { to: "elsewhere in Seam" };
  throw unknownPath();
}

/** POST always works; the others say what is done. */
export const methodsOf = ({ method = [] }: Command): readonly string[] => ["POST", ...[method].flat()];

/** These come with a query, and without a body. */
export const asksByQuery = (method: string): boolean => method === "GET" || method === "DELETE";

export const notSupported = (): Refused =>
  new Refused("not_supported_by_agent", "Seam's API has this, and this agent does not: see the table in its README");

/** The path is not repeated: who mixes things up may have put a key into it. */
export const unknownPath = (): Refused =>
  new Refused(
    "unknown_command",
    "There is no such path: a command is sent as POST /{group}/{verb}, for example POST /devices/list",
    404,
  );
