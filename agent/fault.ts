import { LinkError } from "../drivers/driver.ts";
import { ConfigError, StoreError } from "./errors.ts";

/** What may be said of an error, in a log or on a terminal. */
export interface Fault {
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
  /** Where it was thrown, innermost first. */
  readonly stack?: readonly string[];
  readonly cause?: Fault;
}

/** Causes of causes end somewhere, even where they name each other. */
const deepest = 5;

/**
 * An error without the values that it may carry: no properties but these, and nothing in the message that could be a code
 * (Law 9). Our own errors and those of the operating system are known to hold none, and keep their words.
 */
export function faultOf(error: unknown, depth = 0): Fault {
  if (!(error instanceof Error)) return { name: typeof error, message: "something that is no error was thrown" };
  const stack = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    message: isOurs(error) ? error.message : scrubbed(error),
    ...("hint" in error && typeof error.hint === "string" && isOurs(error) ? { hint: error.hint } : {}),
    ...(stack.length === 0 || isOurs(error) ? {} : { stack: stack.map((line) => line.trim()) }),
    ...(error.cause === undefined || depth === deepest ? {} : { cause: faultOf(error.cause, depth + 1) }),
  };
}

const isOurs = (error: Error): boolean =>
  error instanceof ConfigError || error instanceof StoreError || error instanceof LinkError;

function scrubbed(error: Error): string {
  if ("syscall" in error) return error.message;
  // A parser quotes what it could not parse.
  const unquoted = error instanceof SyntaxError ? error.message.replace(/"[^]*"|'[^]*'/g, "[text]") : error.message;
  return unquoted.replace(/\d{4,}/g, "[digits]");
}
