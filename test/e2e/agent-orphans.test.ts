import { expect, test } from "vitest";
import { z } from "zod";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, embedded, frontDoor } from "./support/doors.ts";
import { journalled } from "./support/journal.ts";
import { receiptsOf } from "./support/receipts.ts";

const backDoor = "c1d1a9e3-7f64-4b0e-9c55-0f3b8e6a2d17";
const ann = { user_identity_id: "ann", device_id: frontDoor };
const ben = { user_identity_id: "ben", device_id: backDoor };

/** Whose codes the lock at an address holds. */
const held = (agent: AgentProcess, address: string): readonly string[] =>
  [...agent.codes(address).values()].map(({ label }) => label).toSorted();

const status = z.object({
  agent: z.object({
    orphans: z.array(z.record(z.string(), z.unknown())),
    revocation_debt: z.looseObject({ count: z.number() }),
  }),
});
const statusOf = async (agent: AgentProcess): Promise<z.infer<typeof status>["agent"]> =>
  status.parse(await agent.ask("agent/status")).agent;

async function again(agent: AgentProcess, config: object, devices: readonly object[]): Promise<void> {
  expect(await agent.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  agent.configure({ ...config, devices });
  await agent.start();
}

test("two devices are pointed at each other's locks, and back: each lock holds what its own door is granted, and no more", async () => {
  const { config, url } = await embedded();
  const straight = [door(frontDoor, "one"), door(backDoor, "two")];
  const agent = await new AgentProcess({ ...config, devices: straight }).start();
  const cloud = await (await Cloud.connect(url)).online();
  for (const pair of [ann, ben]) await cloud.command(grantCommand, pair);
  await cloud.event("access.live", ann);
  await cloud.event("access.live", ben);

  await again(agent, config, [door(frontDoor, "two"), door(backDoor, "one")]);
  await until(
    "the codes have followed their doors",
    () => held(agent, "one").join() === "ben" && held(agent, "two").join() === "ann",
  );
  const replaced = await journalled(agent, "device.replaced", { device_id: frontDoor });
  expect(agent.stdout).toContain("codes are on a lock that nobody can look after");
  await until("nothing is owed", async () => (await statusOf(agent)).revocation_debt.count === 0);
  expect((await statusOf(agent)).orphans).toEqual([]);

  await again(agent, config, straight);
  await until("they are back", () => held(agent, "one").join() === "ann" && held(agent, "two").join() === "ben");
  await until("the receipts say so", async () => {
    const receipts = [...(await receiptsOf(agent, frontDoor)), ...(await receiptsOf(agent, backDoor))];
    return (
      receipts.length === 2 && receipts.every(({ state, credentials }) => state === "live" && credentials.length === 1)
    );
  });
  expect(replaced["was"]).not.toBe(replaced["is"]);
  // Nobody lost a grant, so that nobody's access is gone.
  expect(cloud.count("access.gone")).toBe(0);
  expect(agent.stderr).toBe("");
});

test("a code on a lock that nobody can ask is in the debt, by name, until that lock is back and has said that it is gone", async () => {
  const { config, url } = await embedded();
  const agent = await new AgentProcess({ ...config, devices: [door(frontDoor, "one")] }).start();
  const cloud = await (await Cloud.connect(url)).online();
  await cloud.command(grantCommand, ann);
  await cloud.event("access.live", ann);

  await again(agent, config, [door(frontDoor, "new")]);
  await until("the code is on the new lock", () => held(agent, "new").join() === "ann");
  expect((await statusOf(agent)).orphans).toMatchObject([
    { device_id: frontDoor, reason: "lock_replaced", placements: 1, hint: expect.stringContaining("clear it by hand") },
  ]);
  const told = await agent.cli("status", "--data", agent.dataDir);
  expect(told.out).toMatch(/orphans\.1\.reason +lock_replaced/);
  await cloud.command(revokeCommand, ann);
  await until("the new lock is empty", () => held(agent, "new").length === 0);
  // The lock is empty a moment before the agent knows.
  await until("only the old lock owes it", async () => {
    const receipts = await receiptsOf(agent, frontDoor);
    return receipts.length === 1 && receipts.every(({ credentials }) => credentials.length === 1);
  });
  expect(held(agent, "one")).toEqual(["ann"]);
  expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "removing" }]);

  // Not configured at all: a revoke has nothing more to do, and the debt stays.
  await again(agent, config, [door(backDoor, "two")]);
  expect((await statusOf(agent)).orphans).toMatchObject([{ device_id: frontDoor, reason: "not_configured" }]);
  expect((await statusOf(agent)).revocation_debt.count).toBe(1);
  expect(await cloud.command(grantCommand, ann)).toMatchObject({ ok: false, error: { type: "device_not_found" } });
  expect(cloud.count("access.gone")).toBe(0);

  // Under another name, with the first lock.
  const renamed = "front-door-by-another-name";
  await again(agent, config, [{ ...door(renamed, "one"), was: frontDoor }]);
  await journalled(agent, "access.gone", { user_identity_id: "ann", device_id: renamed });
  expect(held(agent, "one")).toEqual([]);
  expect((await statusOf(agent)).orphans).toEqual([]);
  const broker = await client(url);
  const retained = new Set<string>();
  broker.on("message", (topic) => retained.add(topic));
  await broker.subscribeAsync(`${base}/devices/+`, { qos: 1 });
  await until("the device is there", () => retained.size > 0);
  expect([...retained]).toEqual([`${base}/devices/${renamed}`]);
  expect(agent.stderr).toBe("");
});
