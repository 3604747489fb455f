import { z } from "zod";
import { until } from "../mqtt-support.ts";
import type { AgentProcess } from "./agent-process.ts";

const list = z.object({ ok: z.literal(true), events: z.array(z.looseObject({ event_type: z.string() })) });
type Told = z.infer<typeof list>["events"][number];

/** All events, read from the agent itself. */
export const journalOf = async (agent: AgentProcess): Promise<readonly Told[]> =>
  list.parse(await agent.ask("events/list")).events;

/**
 * The first event that is so, read from the agent itself: after its start the embedded broker may have told it before the
 * reader was back.
 */
export async function journalled(
  agent: AgentProcess,
  type: string,
  of: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const found: Told[] = [];
  const isIt = (each: Told): boolean =>
    each.event_type === type && Object.entries(of).every(([name, value]) => each[name] === value);
  await until(`the event ${type} ${JSON.stringify(of)}`, async () => {
    found.push(...(await journalOf(agent)).filter(isIt));
    return found.length > 0;
  });
  const [first] = found;
  if (!first) throw new Error(`no event ${type}`);
  return first;
}
