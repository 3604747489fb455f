import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Command } from "./commands.ts";
import type { Check } from "./frame.ts";
import type { Key } from "./key.ts";
import type { Overhears } from "./overhears.ts";

export interface SessionOptions {
  /** 0 to 0x7E. */
  readonly address: number;
  readonly check: Check;
  /** `clear` only where a site has asked for it: then everybody on the line can say that he is the reader. */
  readonly security: "required" | "clear";
  /** Those that the reader may have, the likeliest first; more than one after a change of keys whose end was not seen. */
  readonly keys: readonly Key[];
  /** Strong random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly pollEvery: Milliseconds;
  /** Asked in clear before the channel, to see that somebody is there. */
  readonly greeting?: readonly Command[];
  /** Asked before the reader is online. */
  readonly questions?: readonly Command[];
  /** The handshake begins with the number 0, for readers that want it so. */
  readonly challengeAtZero?: boolean;
  readonly overhears?: Overhears | undefined;
}

export const poll: Command = { command: "POLL" };
const identify: Command = { command: "ID", kind: 0 };
/** What is asked before a reader is online; what one does not know is nothing against it (reference 2.4). */
export const defaultQuestions: readonly Command[] = [
  identify,
  { command: "CAP", kind: 0 },
  { command: "ACURXSIZE", size: 1440 },
  { command: "LSTAT" },
  { command: "ISTAT" },
  { command: "OSTAT" },
];

/** What is asked first. @param isPollFirst some readers want to be polled before they say who they are. */
export const greetingOf = (options: SessionOptions, isPollFirst: boolean): readonly Command[] => [
  ...(isPollFirst ? [poll] : []),
  ...(options.security === "clear" ? (options.questions ?? defaultQuestions) : (options.greeting ?? [identify])),
];
