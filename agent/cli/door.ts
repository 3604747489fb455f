import { request } from "node:http";
import { resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { dataDirOf, localDoorPath } from "../config.ts";
import { CommandError, type Shell } from "./shell.ts";

/** The options of every command that talks to a running agent. */
export interface DoorOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

export const withDoorOptions = (command: Command): Command =>
  command
    .option("--config <file>", "the agent that runs with this configuration")
    .option("--data <dir>", "the agent with this data directory (default: $LATCHD_DATA, or ./data)")
    .option("--json", "print the agent's reply as it is");

/** The data directory that options and environment point at. */
export function dataDir(options: DoorOptions, { cwd, env }: Pick<Shell, "cwd" | "env">): string {
  if (options.data !== undefined) return resolve(cwd, options.data);
  if (options.config !== undefined) return dataDirOf(resolve(cwd, options.config));
  return resolve(cwd, env["LATCHD_DATA"] || "data");
}

const failed = z.looseObject({
  ok: z.literal(false),
  error: z.looseObject({
    type: z.string(),
    message: z.string(),
    validation_errors: z.unknown().optional(),
  }),
});

/** A running agent, asked through its local door. */
export class Door {
  readonly #options: DoorOptions;
  readonly #shell: Shell;
  readonly #dataDir: string;

  constructor(options: DoorOptions, shell: Shell) {
    this.#options = options;
    this.#shell = shell;
    this.#dataDir = dataDir(options, shell);
  }

  /** Whether the reply is to be printed as it is, and nothing else. */
  get raw(): boolean {
    return this.#options.json === true;
  }

  /** The reply of a command, read with `schema`. Rejects with a {@link CommandError} where there is none, or a refusal. */
  async ask<T>(command: string, parameters: object, schema: z.ZodType<T>): Promise<T> {
    const reply = readReply(schema, await post(this.#dataDir, command, parameters));
    if ("value" in reply) return reply.value;
    throw reply.problem;
  }

  /**
   * As {@link Door.ask}, for the command that is the point of it all: with `--json` its reply is printed, also a refusal.
   *
   * @param patience for one that takes long, in milliseconds.
   */
  async askFor<T>(command: string, parameters: object, schema: z.ZodType<T>, patience = patienceMs): Promise<T> {
    const text = await post(this.#dataDir, command, parameters, patience);
    if (this.raw) this.#shell.out(`${text}\n`);
    const reply = readReply(schema, text);
    if ("value" in reply) return reply.value;
    throw this.raw ? new CommandError(1, "") : reply.problem;
  }
}

function readReply<T>(schema: z.ZodType<T>, text: string): { value: T } | { problem: CommandError } {
  const body = jsonOf(text);
  const reply = schema.safeParse(body);
  if (reply.success) return { value: reply.data };
  const refusal = failed.safeParse(body);
  if (!refusal.success)
    return { problem: new CommandError(1, "the agent's reply makes no sense: is it another version?") };
  const { type, message, validation_errors: fields } = refusal.data.error;
  const more = fields === undefined ? "" : `\n${JSON.stringify(fields)}`;
  return { problem: new CommandError(1, `refused (${type}): ${message}${more}`) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As long as an agent may think before it answers. */
const patienceMs = 10_000;

/** The reply of the agent on a data directory. Rejects with a {@link CommandError} where there is none. */
export function post(
  dataDirectory: string,
  command: string,
  parameters: object,
  patience = patienceMs,
): Promise<string> {
  const socketPath = localDoorPath(dataDirectory);
  const failure = (cause: unknown): CommandError => new CommandError(2, noAgent(dataDirectory, cause));
  return new Promise((done, fail) => {
    const outgoing = request(
      { socketPath, method: "POST", path: `/${command}`, headers: { "content-type": "application/json" } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("end", () => done(Buffer.concat(chunks).toString("utf8")));
        incoming.once("error", (cause) => fail(failure(cause)));
      },
    );
    outgoing.setTimeout(patience, () => outgoing.destroy(new Error("it does not answer")));
    outgoing.once("error", (cause) => fail(failure(cause)));
    outgoing.end(JSON.stringify(parameters));
  });
}

function noAgent(dataDirectory: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EACCES") {
    return `you may not talk to the agent on ${dataDirectory}: its local door is open to the user that runs it`;
  }
  if (code !== "ENOENT" && code !== "ECONNREFUSED") {
    return `the agent on ${dataDirectory} cannot be asked: ${cause instanceof Error ? cause.message : "no connection"}`;
  }
  return [
    `no agent is running on ${dataDirectory}`,
    "start one with: npx latchd run",
    "or say which one: --data <its data directory>, or --config <its configuration>",
  ].join("\n");
}
