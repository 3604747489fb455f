import { replyShape } from "../../agent/commands/reply-shape.ts";
import { table } from "../../agent/commands/table.ts";

const shapes = new Map([...table.values()].map((command) => [command.name, replyShape(command)]));

/**
 * A reply is what the contracts say of it, which are made from the command table: what is not named there must not be in it,
 * and what is named must.
 *
 * @throws where a command was carried out, and its reply is another.
 */
export function keepPromise(command: string | undefined, body: string): void {
  const reply: unknown = JSON.parse(body);
  if (typeof reply !== "object" || reply === null || !("ok" in reply) || reply.ok !== true) return;
  const found = command === undefined ? undefined : shapes.get(command)?.safeParse(reply);
  // Only where and how: a reply may hold a PIN.
  const why = found?.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? ["no such command"];
  if (!found?.success)
    throw new Error(`${command} answers what its entry in the table does not say: ${why.join("; ")}`);
}
