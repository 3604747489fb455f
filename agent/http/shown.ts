import { Refused } from "../commands/refusal.ts";
import { tokenKind } from "../domain/key-text.ts";
import { Secret } from "../domain/secret.ts";

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A key as a request shows it: not looked up yet. */
export interface Shown {
  readonly key: Secret;
  /** Where it is a token that needs one: the workspace that the request names. */
  readonly workspace: string | undefined;
}

/** The key that a request shows. @throws Refused where it shows none, or what opens nothing here. */
export function shownIn(headers: Headers): Shown {
  const authorization = textOf(headers["authorization"]);
  if (authorization === undefined) throw nothingShown(headers);
  const [, text] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
  if (text === undefined) throw unauthorized("The Authorization header must be: Bearer <API key>");
  switch (tokenKind(text)) {
    case "api_key":
      return { key: new Secret(text), workspace: undefined };
    case "personal_access_token": {
      const workspace = textOf(headers["seam-workspace"]);
      if (workspace !== undefined) return { key: new Secret(text), workspace };
      const how = "A personal access token needs the header seam-workspace: the workspace_id in agent/status";
      throw new Refused("missing_workspace_id", how);
    }
    case "client_session":
      throw clientSession();
    case "publishable_key":
      throw unauthorized("A publishable key opens nothing here: use an API key");
    case "console_session":
      throw unauthorized("A console session opens nothing here: use an API key");
    case "unknown":
      throw unauthorized("API Key not found");
  }
}

export const unauthorized = (message: string): Refused => new Refused("unauthorized", message, 401);
const clientSession = (): Refused => unauthorized("A client session token opens nothing here: use an API key");

function nothingShown(headers: Headers): Refused {
  const session = headers["seam-client-session-token"] ?? headers["client-session-token"];
  if (session !== undefined) return clientSession();
  if (headers["seam-publishable-key"] !== undefined) {
    return unauthorized("A publishable key opens nothing here: use an API key");
  }
  return unauthorized("No Authorization header");
}

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
