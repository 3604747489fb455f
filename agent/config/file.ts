import { readFileSync } from "node:fs";
import { ConfigError, isMissing } from "../errors.ts";
import { jsonFault } from "./json.ts";
import { lineOf, type Problem } from "./problems.ts";

/** What a file is to its reader, in words: `the configuration`. */
export interface Reading {
  readonly is: string;
  /** What to do where it cannot be read. */
  readonly hint: string;
}

/** What a file holds, as JSON. @throws ConfigError with the place where it stops being that. */
export function parseFile(file: string, { is, hint }: Reading): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new ConfigError(`cannot read ${is} ${file}: ${reasonOf(cause)}`, { hint });
  }
  try {
    return JSON.parse(text);
  } catch {
    // Its own message may quote the file.
    const { line, column, problem } = jsonFault(text) ?? { line: 1, column: 1, problem: "it cannot be read" };
    throw new ConfigError(`${file}: not JSON at line ${line}, column ${column}: ${problem}`);
  }
}

/** All that is wrong with a file, a line each. */
export function unusable(file: string, { is }: Pick<Reading, "is">, problems: readonly Problem[]): ConfigError {
  const lines = [...new Set(problems.map(lineOf))];
  return new ConfigError([`${is} ${file} cannot be used:`, ...lines].join("\n"));
}

export function reasonOf(cause: unknown): string {
  if (isMissing(cause)) return "there is no such file";
  return cause instanceof Error && "code" in cause ? String(cause.code) : "it cannot be opened";
}
