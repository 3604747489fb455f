import type { z } from "zod";

/** A command that is answered with an error: reported and acknowledged, never retried. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly type: string;
  /** HTTP status; MQTT has none. */
  readonly status: number;
  /** Further members of the error, e.g. `validation_errors`. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, status = 400, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.extra = extra;
  }
}

export const deviceNotFound = (deviceId: string): Refused =>
  new Refused("device_not_found", `No device ${JSON.stringify(deviceId)} is configured on this agent`, 404);

export const closingDown = (): Refused =>
  new Refused("agent_closing", "the agent is closing: send it again when it is back", 503);

type Tree = { _errors: string[]; [field: string]: Tree | string[] };

/** `invalid_input` in Seam's shape (reference: seam-api, section 2). Messages never quote the value: it may be a PIN. */
export function invalidInput(issues: readonly z.core.$ZodIssue[]): Refused {
  const mistyped = new Set(issues.filter(({ code }) => code === "invalid_type").map(({ path }) => path.join(".")));
  const flat = issues
    // Of a value of the wrong type, nothing else is worth saying.
    .filter(({ code, path }) => code === "invalid_type" || !mistyped.has(path.join(".")))
    .map((issue) => ({ path: issue.path.map(String), message: messageOf(issue) }));
  const texts = flat.map(({ path, message }) => {
    const name = path.join(".");
    return message === "Required" ? `${name} is required` : name === "" ? message : `${message} for "${name}"`;
  });
  const message = texts.length === 1 ? (texts[0] ?? "") : `${texts.length} Input Errors: ${texts.join(", ")}`;
  return new Refused("invalid_input", message, 400, { validation_errors: treeOf(flat) });
}

/** For input that does not get as far as a schema. */
export const badInput = (message: string): Refused =>
  new Refused("invalid_input", message, 400, { validation_errors: { _errors: [message] } });

function treeOf(flat: readonly { path: readonly string[]; message: string }[]): Tree {
  const root: Tree = { _errors: [] };
  for (const { path, message } of flat) {
    let node = root;
    for (const field of path) {
      const known = Object.hasOwn(node, field) ? node[field] : undefined;
      const next: Tree = known === undefined || Array.isArray(known) ? { _errors: [] } : known;
      Object.defineProperty(node, field, { value: next, enumerable: true, configurable: true, writable: true });
      node = next;
    }
    node._errors.push(message);
  }
  return root;
}

function messageOf(issue: z.core.$ZodIssue): string {
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  return missing ? "Required" : issue.message;
}
