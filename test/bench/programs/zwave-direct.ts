import { z } from "zod";
import { Driver, InterviewStage, UserIDStatus } from "zwave-js";
import { upTo } from "../house.ts";
import { median } from "../statistics.ts";

/**
 * zwave-js as its users run it, on a controller of its own: sets a code, reads it back, and takes it away again. Each ask for a
 * round brings how long the first two take, and how long with a look at the slot before them.
 */
const [, , port = "", folder = "", lock = "2", times = "1"] = process.argv;
const driver = new Driver(port, {
  logConfig: { enabled: false },
  storage: { cacheDir: folder },
  interview: { queryAllUserCodes: true },
});
driver.on("error", (error) => void process.stderr.write(`${error.message}\n`));
const ready = new Promise<void>((done) => void driver.once("driver ready", done));
await driver.start();
await ready;
const node = driver.controller.nodes.getOrThrow(Number(lock));
if (node.interviewStage !== InterviewStage.Complete)
  await new Promise<void>((done) => void node.once("interview completed", () => done()));
const codes = node.commandClasses["User Code"];
const slot = 5;

async function once(code: string): Promise<{ readonly took: number; readonly withLook: number }> {
  const looked = performance.now();
  await codes.get(slot);
  const before = performance.now();
  await codes.set(slot, UserIDStatus.Enabled, code);
  const there = await codes.get(slot);
  const now = performance.now();
  if (there?.userIdStatus !== UserIDStatus.Enabled) throw new Error("the lock does not take a code from zwave-js");
  await codes.clear(slot);
  await codes.get(slot);
  return { took: now - before, withLook: now - looked };
}

const inputs = z.object({ round: z.int() });
async function answer(asked: unknown): Promise<void> {
  const { round } = inputs.parse(asked);
  const found: Awaited<ReturnType<typeof once>>[] = [];
  for (const time of upTo(Number(times))) found.push(await once(String(100_000 + 1_000 * round + time)));
  process.send?.({
    took: median(found.map(({ took }) => took)),
    withLook: median(found.map(({ withLook }) => withLook)),
  });
}
process.on("message", (asked) => void answer(asked));
process.send?.({ ready: true });
