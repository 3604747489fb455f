import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { allowance } from "../support/pace.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud } from "./support/cloud.ts";
import { embedded, frontDoor, person } from "./support/doors.ts";
import { journalled } from "./support/journal.ts";
import { receiptsOf } from "./support/receipts.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
const created = z.looseObject({ access_grant: z.looseObject({ access_grant_id: z.string() }) });

// By the door of the command line, without its start, which on a busy machine takes longer than a window here.
async function opens(agent: AgentProcess, digits: string): Promise<boolean> {
  const { effect } = await agent.ask("act/type", { lock: "front-door", digits });
  return effect === "opened";
}
const codes = z.looseObject({ credentials: z.tuple([z.looseObject({ code: z.string() })]) });
const codeOf = async (agent: AgentProcess): Promise<string> =>
  codes.parse(await agent.ask("credentials/get", { user_identity_id: person })).credentials[0].code;
const explain = (agent: AgentProcess, at: string): ReturnType<AgentProcess["cli"]> =>
  agent.cli("explain", person, "front-door", "--at", at, "--data", agent.dataDir);

test("a code opens from the start of its window to its end, and says so", async () => {
  const { config, url } = await embedded();
  const agent = await new AgentProcess(config).start();
  const cloud = await (await Cloud.connect(url)).online();
  const [from, to] = [inSeconds(5), inSeconds(11)];
  const made = await cloud.command("access_grants/create", {
    user_identity_id: person,
    device_ids: [frontDoor],
    starts_at: from,
    ends_at: to,
    name: "Visit",
  });
  const id = created.parse(made).access_grant.access_grant_id;
  expect(await receiptsOf(agent, frontDoor)).toMatchObject([
    { state: "waiting", grants: [id], credentials: [{ reason: "outside_window", next: from }] },
  ]);
  const before = await explain(agent, new Date(Date.parse(from) - 1).toISOString());
  expect(before.code).toBe(1);
  expect(before.out).toContain("the access grant Visit");
  expect(before.out).toContain("has not begun");

  await cloud.event("access.live", pair);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(from));
  const digits = await codeOf(agent);
  expect(await opens(agent, digits)).toBe(true);
  expect((await explain(agent, from)).code).toBe(0);

  const { occurred_at: at } = await cloud.event("access.gone", pair);
  // When it was, not when it is heard of: what was asked meanwhile may have taken longer than the window.
  const late = Date.parse(String(at)) - Date.parse(to);
  process.stdout.write(`gone ${late} ms after the end of the window\n`);
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(await allowance(2_000));
  expect(await opens(agent, digits)).toBe(false);
});

test("a window that ended while the agent was dead is closed when it is back", async () => {
  const { config, url } = await embedded();
  const agent = await new AgentProcess(config).start();
  const cloud = await (await Cloud.connect(url)).online();
  const end = inSeconds(6);
  await cloud.command("access_grants/create", { user_identity_id: person, device_ids: [frontDoor], ends_at: end });
  await cloud.event("access.live", pair);
  await agent.kill("SIGKILL");
  await delay(Math.max(Date.parse(end) - Date.now(), 0));
  await agent.start();
  await journalled(agent, "access.gone", pair);
  expect(await receiptsOf(agent, frontDoor)).toEqual([]);
  expect((await agent.cli("explain", person, "front-door", "--data", agent.dataDir)).out).toContain("no grant");
});

test("the clock of this machine is believed, or it is said why not, and an operator's word is taken", async () => {
  const { config } = await embedded({}, { clock: { trust: "system" } });
  const agent = await new AgentProcess(config).start();
  const shown = await agent.cli("clock", "--data", agent.dataDir);
  expect(shown).toMatchObject({ code: 0, out: "The clock is believed (system).\n" });
  expect(await agent.cli("clock", "confirm", "--data", agent.dataDir)).toMatchObject({ code: 0 });
  expect(await agent.ask("agent/status")).toMatchObject({ agent: { clock: { trusted: true, reason: null } } });
});
