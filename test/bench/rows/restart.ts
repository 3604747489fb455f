import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bestBroker, startBroker } from "../../support/broker.ts";
import { Agent } from "../agent.ts";
import type { Bench, BenchContext } from "../bench.ts";
import { Child } from "../child.ts";
import { base, commandTopic, doorOf, grantCommand, upTo } from "../house.ts";
import { fill, houseConfig, type Size } from "../large-house.ts";
import { Load } from "../load.ts";
import { ownProgram } from "../own-program.ts";
import { until } from "../until.ts";

const row = "restart";

export const restart: Bench = {
  name: "restart",
  rows: [row],
  unit: { [row]: "ms" },

  async *rounds(context) {
    const { quick, progress } = context;
    const [size, pending, rounds] = quick
      ? [{ locks: 8, codes: 200 }, 1_000, 1]
      : [{ locks: 256, codes: 1_000 }, 10_000, 5];
    for (const round of upTo(rounds)) {
      progress(`restart: round ${round} of ${rounds}`);
      yield { [row]: await killedAndBack(context, size, pending) };
    }
  },
};

/** From the start of the process to the first reply of the new one, and to where the same database is open. */
async function killedAndBack(
  context: BenchContext,
  size: Size,
  pending: number,
): Promise<{ latchd: number; reference: number }> {
  await using broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
  const folder = join(context.folder, "restart");
  await using agent = new Agent(folder, { agent_id: "gateway-1", broker: broker.url, ...houseConfig(size) });
  await fill(agent, size, context);
  await agent.start();
  const replied = new Set<string>();
  await using load = await Load.open(broker.url, [`${base}/reply/#`], (topic) => void replied.add(topic));
  await until(
    "the agent hears commands",
    async () => {
      await load.publish(grants("awake", 1, size));
      return replied.size > 0;
    },
    60_000,
    50,
  );

  // It is killed in the middle of its work, so that there is a log to be read; and more comes while it is away.
  await load.publish(grants("before", 200, size));
  await until("it is at work", () => replied.size > 20, 60_000, 1);
  await agent.end("SIGKILL");
  await load.publish(grants("pending", pending, size));

  const copy = join(folder, "copy");
  cpSync(agent.dataDir, copy, { recursive: true, filter: (source) => !source.endsWith(".sock") });
  const began = performance.now();
  await using opening = new Child([ownProgram("open-database"), join(copy, "latchd.db")]);
  await opening.message();
  const reference = performance.now() - began;
  rmSync(copy, { recursive: true });

  replied.clear();
  const before = performance.now();
  agent.launch();
  await until("the first command is answered", () => replied.size > 0, 120_000, 1);
  const latchd = performance.now() - before;
  await until("all commands are answered", () => replied.size >= pending, 240_000, 20);
  context.delayed("restart", await agent.loopDelay());
  await agent.end("SIGKILL");
  rmSync(folder, { recursive: true });
  return { latchd, reference };
}

const grants = (name: string, count: number, { locks }: Size): readonly Buffer[] =>
  Load.packets(
    upTo(count).map((number) => ({
      topic: commandTopic(grantCommand),
      payload: JSON.stringify({
        request_id: `${name}-${number}`,
        user_identity_id: `visitor-${name}-${number}`,
        device_id: doorOf(1 + (number % locks)),
      }),
    })),
  );
