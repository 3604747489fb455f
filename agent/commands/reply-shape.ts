import { z } from "zod";
import type { Command } from "./command.ts";

/** What a command answers when it is carried out: nothing less, and nothing more. */
export const replyShape = ({ returns }: Pick<Command, "returns">): z.ZodObject =>
  z.strictObject({ ...returns, ok: z.literal(true) });
