import { describe, expect, test } from "vitest";
import { z } from "zod";
import { brokerSkipReason } from "../support/broker.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand, upTo } from "./support/cloud.ts";
import { frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { receiptsOf, statesOf } from "./support/receipts.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const loss = z.looseObject({ number: z.int(), count: z.int(), from: z.int(), to: z.int() });
const numbersOf = ({ from, to }: z.infer<typeof loss>): number[] => upTo(to - from + 1).map((at) => from + at - 1);

async function journalOf(agent: AgentProcess): Promise<readonly { readonly number: number }[]> {
  const { events } = await agent.ask("events/list");
  return z.array(z.looseObject({ number: z.int() })).parse(events);
}

/** Each of them is granted, and live on the lock. */
async function grantAll(agent: AgentProcess, people: readonly number[], live: number): Promise<void> {
  for (const each of people) {
    const parameters = { user_identity_id: `person-${each}`, device_id: frontDoor };
    expect(await agent.ask(grantCommand, parameters)).toEqual({ ok: true });
  }
  await until("all are live", async () => (await statesOf(agent, frontDoor)).get("live") === live);
}

describe.skipIf(brokerSkipReason("mosquitto"))("a broker that is away for longer than events may wait", () => {
  test("is told which were lost, also over a kill -9, and they can be read back", async () => {
    const broker = await Mosquitto.start();
    const config = remote(broker.url, { slots: 200 }, { events: { rows: 100 } });
    const agent = await new AgentProcess(config).start();
    const cloud = await (await Cloud.connect(broker.url, { clientId: "cloud", clean: false })).online();
    await cloud.command(grantCommand, pair);
    await cloud.event("access.live", pair);
    // Else it might count among the lost what has come.
    await agent.allTold();
    await broker.kill("SIGTERM");

    await grantAll(agent, upTo(60), 61);
    await agent.kill("SIGKILL");
    await agent.start();
    await grantAll(
      agent,
      upTo(60).map((at) => 60 + at),
      121,
    );
    expect(await agent.ask("agent/status")).toMatchObject({ agent: { letters_waiting: 100 } });

    await broker.start();
    // It may have been away for so long that the agent tries it every half minute only.
    await agent.allTold();
    const journal = await journalOf(agent);
    expect(journal.map(({ number }) => number)).toEqual(upTo(journal.length));
    await until("the last event came", () => cloud.told().has(journal.length));
    const came = cloud.told();
    const lost = journal.filter(({ number }) => !came.has(number)).map(({ number }) => number);
    const told = cloud.events.filter(({ event_type: type }) => type === "events_lost").map((each) => loss.parse(each));
    expect(lost.length).toBeGreaterThan(100);
    expect(new Set(told.flatMap(numbersOf))).toEqual(new Set(lost));
    const counts = new Map(told.map(({ number, count }) => [number, count]));
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(lost.length);
    process.stdout.write(`${came.size} of ${journal.length} events came, ${lost.length} were said to be lost\n`);
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("as_of over MQTT", () => {
  test("a grant that comes after a later revoke is superseded, also after a kill -9, and told where nobody waits", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    expect(await cloud.command(grantCommand, { ...pair, as_of: "2026-01-31T09:30:00+01:00" })).toEqual({ ok: true });
    await cloud.event("access.live", pair);
    expect(await cloud.command(revokeCommand, { ...pair, as_of: "2026-01-31T08:30:00.000001Z" })).toEqual({ ok: true });
    await cloud.event("access.gone", pair);
    await agent.kill("SIGKILL");
    await agent.start();
    await cloud.publish(grantCommand, JSON.stringify({ ...pair, as_of: "2026-01-31T09:30:00+01:00" }));
    expect(await cloud.event("command.refused")).toMatchObject({
      error: { type: "superseded", newest_as_of: "2026-01-31T08:30:00.000001Z" },
    });
    const late = await cloud.command(grantCommand, { ...pair, as_of: "2026-01-31T08:30:00Z" });
    expect(late).toMatchObject({ ok: false, error: { type: "superseded" } });
    expect(await receiptsOf(agent, frontDoor)).toEqual([]);
    expect(agent.codes("front-door").size).toBe(0);
    const { exit, err } = await agent
      .cli("grant", person, frontDoor, "--as-of", "2026-01-31T08:30:00Z", "--data", agent.dataDir)
      .then(({ code, err: said }) => ({ exit: code, err: said }));
    expect({ exit, err }).toEqual({ exit: 1, err: expect.stringContaining("refused (superseded)") as string });
  });
});
