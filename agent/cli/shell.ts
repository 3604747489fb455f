import type { Clock } from "../../drivers/driver.ts";
import type { Config, Known } from "../config.ts";
import type { AgentLog } from "../log.ts";

/** All that the commands need from the process around them. */
export interface Shell {
  /** Writes to standard output, as it is. */
  readonly out: (text: string) => void;
  /** Writes to standard error, as it is. */
  readonly err: (text: string) => void;
  /** Whether a person reads standard output. */
  readonly people: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly known: Known;
  readonly start: (config: Config, log: AgentLog) => Promise<Running>;
  /** Runs latchd with these words in a process of its own, and hears each line that it says. */
  readonly launch: (words: readonly string[], heard: (line: string) => void) => Launched;
  /** Calls back at every SIGINT and SIGTERM. Returns what ends that. */
  readonly onSignal: (heard: () => void) => () => void;
}

/** An agent that was started. */
export interface Running {
  /** Resolves when it stopped, rejects when it had to. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

/** A process that was started. */
export interface Launched {
  /** Resolves when it is gone, and has said its last line. */
  readonly ended: Promise<void>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** 0: done. 1: the agent refused, or could not. 2: wrongly called, or no agent there. */
export type ExitCode = 0 | 1 | 2;

/** What each command is given: the shell, and where to leave its exit code. */
export interface Verb extends Shell {
  readonly exit: (code: ExitCode) => void;
}

/** Ends a command with a message on standard error. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string) {
    super(message);
    this.exit = exit;
  }
}

/** A word as a POSIX shell takes it back whole. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
