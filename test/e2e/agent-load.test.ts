import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand, upTo } from "./support/cloud.ts";
import { door, embedded, frontDoor } from "./support/doors.ts";
import { receiptsOf, statesOf } from "./support/receipts.ts";
import { zigbeeHouse } from "./support/zigbee.ts";

const perPair = 12;
/** A thousand codes are on the lock in some seconds; a machine that has much other work takes its time. */
const longRun = 300_000;
/** Every second one ends with a grant, the others with a revoke. */
const isGranted = (index: number): boolean => index % 2 === 0;

test("commands that race for one lock: at the end it holds what the grants say", async () => {
  const { config, url } = await embedded({ slots: 40 });
  const agent = await new AgentProcess(config).start();
  const cloud = await (await Cloud.connect(url)).online();
  const people = upTo(30).map((number) => `person-${number}`);
  const sent = upTo(perPair).flatMap((turn) =>
    people.map(async (person, index) => {
      const grants = (perPair - turn) % 2 === 0 ? isGranted(index) : !isGranted(index);
      const parameters = { request_id: `${person}-${turn}`, user_identity_id: person, device_id: frontDoor };
      await cloud.publish(grants ? grantCommand : revokeCommand, JSON.stringify(parameters));
    }),
  );
  await Promise.all(sent);
  await until("all are replied to", () => cloud.replies.size === people.length * perPair);
  expect([...cloud.replies.values()].flat().every((text) => text === '{"ok":true}')).toBe(true);

  const wanted = people.filter((_, index) => isGranted(index)).toSorted();
  const holders = (): string[] => [...agent.codes("front-door").values()].map(({ label }) => label).toSorted();
  await until("the lock holds what the grants say", () => JSON.stringify(holders()) === JSON.stringify(wanted));
  await until("the receipts say so", async () => {
    const receipts = await receiptsOf(agent, frontDoor);
    return receipts.length === wanted.length && receipts.every(({ state }) => state === "live");
  });
  expect((await receiptsOf(agent, frontDoor)).map((receipt) => receipt.user_identity_id).toSorted()).toEqual(wanted);
  // Nothing moves any more, and nothing was said that was not so.
  expect(holders()).toEqual(wanted);
  await agent.allTold();
  expect(cloud.numbers()).toEqual(upTo(cloud.numbers().length));
  process.stdout.write(`${sent.length} commands for ${people.length} people, ${cloud.numbers().length} events\n`);
});

test.each([
  [isLong ? 1_000 : 200, 1],
  [isLong ? 300 : 120, 3],
])(
  "%i grants in one burst, on %i device(s)",
  async (total, count) => {
    const devices = upTo(count).map((number) => ({ id: `device-${number}`, address: `lock-${number}` }));
    const { config, url } = await embedded(
      { slots: 1_000 },
      { devices: devices.map(({ id, address }) => door(id, address)) },
    );
    const agent = await new AgentProcess(config).start();
    const cloud = await (await Cloud.connect(url)).online();
    const before = Date.now();
    const since = (): number => Date.now() - before;
    await Promise.all(
      upTo(total).map((number) => {
        const device = devices[number % count]?.id;
        const parameters = { request_id: `r-${number}`, user_identity_id: `person-${number}`, device_id: device };
        return cloud.publish(grantCommand, JSON.stringify(parameters));
      }),
    );
    const published = since();
    await until("all are replied to", () => cloud.replies.size === total, longRun);
    const replied = since();
    await cloud.event("access.live", {}, longRun);
    const first = since();
    await until("all are live", () => cloud.count("access.live") === total, longRun);
    const live = since();
    process.stdout.write(
      `${total} grants, ${count} device(s): published ${published} ms, replied ${replied} ms, first live ${first} ms, all live ${live} ms\n`,
    );
    expect([...cloud.replies.values()].every((copies) => copies.length === 1)).toBe(true);
    const ofGrants = (): number => cloud.events.filter(({ event_type: type }) => !type.startsWith("device.")).length;
    await until("all are told", () => ofGrants() >= 3 * total);
    expect(ofGrants()).toBe(3 * total);
    expect(cloud.numbers()).toEqual(upTo(cloud.numbers().length));
    for (const { id, address } of devices) {
      const codes = [...agent.codes(address).values()].map(({ value }) => value);
      expect(new Set(codes).size).toBe(codes.length);
      const states = await statesOf(agent, id);
      expect(states).toEqual(new Map([["live", codes.length]]));
    }
    expect(devices.reduce((sum, { address }) => sum + agent.codes(address).size, 0)).toBe(total);
  },
  2 * longRun,
);

test.each(["numbered", "assigned"])("a full lock, memory %s, lets the oldest in by itself", async (memory) => {
  const { config, url } = await embedded({ slots: 3, memory });
  const agent = await new AgentProcess(config).start();
  const cloud = await (await Cloud.connect(url)).online();
  for (const number of upTo(5)) {
    const parameters = { user_identity_id: `person-${number}`, device_id: frontDoor };
    expect(await cloud.command(grantCommand, parameters)).toEqual({ ok: true });
  }
  for (const number of [4, 5]) {
    const refused = await cloud.event("access.refused", { user_identity_id: `person-${number}` });
    expect(refused).toMatchObject({ reason: "full", device_id: frontDoor });
  }
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await receiptsOf(agent, frontDoor)).map(({ user_identity_id: id, state, credentials: [first] }) => [
        id,
        state === "refused" ? `refused: ${first?.reason}` : state,
      ]),
    );
  expect(await states()).toEqual({
    "person-1": "live",
    "person-2": "live",
    "person-3": "live",
    "person-4": "refused: full",
    "person-5": "refused: full",
  });
  await cloud.command(revokeCommand, { user_identity_id: "person-2", device_id: frontDoor });
  await cloud.event("access.live", { user_identity_id: "person-4" });
  // A lock that names its slots itself is asked once more whether there is room for the next.
  const settled = { "person-1": "live", "person-3": "live", "person-4": "live", "person-5": "refused: full" };
  await until("nobody else gets in", async () => isDeepStrictEqual(await states(), settled));
  expect(cloud.count("access.live")).toBe(4);
  const refusals = cloud.events.filter(({ event_type: type }) => type === "access.refused");
  expect(new Set(refusals.map(({ user_identity_id: id, reason }) => `${id} ${reason}`))).toEqual(
    new Set(["person-4 full", "person-5 full"]),
  );
  expect([...agent.codes("front-door").values()].map(({ label }) => label).toSorted()).toEqual([
    "person-1",
    "person-3",
    "person-4",
  ]);
});

test.skipIf(brokerSkipReason("mosquitto"))("what a slow lock has taken is told while it takes the rest", async () => {
  const { cloud, writes } = await zigbeeHouse();
  const told = (async () => {
    await cloud.event("access.live");
    return writes.length;
  })();
  await Promise.all(
    upTo(25).map((number) =>
      cloud.publish(grantCommand, JSON.stringify({ user_identity_id: `person-${number}`, device_id: frontDoor })),
    ),
  );
  const written = await told;
  await until("all are live", () => cloud.count("access.live") === 25);
  process.stdout.write(`the first was told after ${written} of ${writes.length} writes\n`);
  expect(writes.length).toBe(25);
  expect(written).toBeLessThan(20);
});
