import { z } from "zod";
import type { Milliseconds } from "../agent/domain/instant.ts";

const answer = z.looseObject({
  ok: z.boolean(),
  /** What came of an act at a lock. */
  effect: z.string().optional(),
  error: z.looseObject({ type: z.string(), message: z.string() }).optional(),
});
export type Answer = z.output<typeof answer>;
export const readAnswer = (text: string): Answer => answer.parse(JSON.parse(text));

/** A running agent whose locks are simulated, as a scenario needs it. */
export interface House {
  /** The answer to a command at its local door: undefined where nobody is behind it. */
  ask(command: string, parameters: object): Promise<Answer | undefined>;
  /** Resolves when it is back. */
  restart(how: "stop" | "kill", away: Milliseconds): Promise<void>;
}

/** Something that is told of a scenario: in words, and as data. Never with a PIN. */
export interface Told {
  readonly kind: "agent" | "step" | "strike" | "event" | "receipt" | "expected" | "end";
  readonly words: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
