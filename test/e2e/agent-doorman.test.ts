import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { bestBroker, startBroker } from "../support/broker.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, frontDoor, remote } from "./support/doors.ts";

const address = "front-door";
const lobby = { ...door(frontDoor, address), doorman: { lock_out: { count: 3, seconds: 60 } } };
const ann = { user_identity_id: "ann", device_id: frontDoor };
const card = { format: "wiegand26", bits: "bd88eb80" };
const lastOf = (cloud: Cloud, type: string) => cloud.events.findLast((each) => each.event_type === type);

test("who is granted over MQTT passes a door that asks, also while the broker is away, and who is revoked does not", async () => {
  await using broker = await startBroker(bestBroker());
  const agent = await new AgentProcess(remote(broker.url, { memory: "none" }, { devices: [lobby] })).start();
  const cloud = await (await Cloud.connect(broker.url, { clientId: "cloud", clean: false })).online();
  const act = (name: string, of: object) => agent.ask(`act/${name}`, { lock: address, ...of });
  const isLocked = async (): Promise<unknown> => (await agent.ask("simulate/look", { lock: address }))["locked"];

  expect(await act("card", card)).toMatchObject({ effect: "denied" });
  expect(await cloud.event("lock.access_denied")).toMatchObject({ reason_code: "unknown_code", method: "card" });

  expect(await cloud.command(grantCommand, ann)).toEqual({ ok: true });
  const live = await cloud.event("access.live", { user_identity_id: "ann" });
  expect(live).toMatchObject({ evidence: "decided_here", credential_kind: "pin" });
  const { out } = await agent.cli("code", "ann", frontDoor, "--data", agent.dataDir);
  const [pin = ""] = /\b\d{6}\b/.exec(out) ?? [];
  expect(await cloud.command("credentials/set", { user_identity_id: "ann", kind: "card", value: card })).toMatchObject({
    ok: true,
  });

  await broker.stop();
  expect(await act("card", card)).toMatchObject({ effect: "opened" });
  await until("the bolt has moved", async () => (await isLocked()) === false);
  await agent.ask("locks/lock_door", { device_id: frontDoor });
  await until("the bolt is back", async () => (await isLocked()) === true);
  await broker.start();
  const unlocked = await cloud.event("lock.unlocked", { user_identity_id: "ann" }, 30_000);
  expect(unlocked).toMatchObject({ device_id: frontDoor, method: "card", credential_kind: "card", code: null });
  expect(cloud.count("action_attempt.unlock_door.succeeded")).toBe(0);

  // The person's own card took the place of the PIN that was issued.
  expect(pin).not.toBe("");
  expect(await act("type", { digits: `${pin}#` })).toMatchObject({ effect: "denied" });

  expect(await cloud.command(revokeCommand, ann)).toEqual({ ok: true });
  expect(await act("card", card)).toMatchObject({ effect: "denied" });
  expect(await cloud.event("access.gone", { user_identity_id: "ann" })).toMatchObject({ evidence: "decided_here" });
  await until("the denial is told", () => cloud.count("lock.access_denied") === 3);
  expect(lastOf(cloud, "lock.access_denied")).toMatchObject({ reason_code: "unknown_code", user_identity_id: null });
  expect(await isLocked()).toBe(true);
  expect(agent.stdout + agent.stderr).not.toContain(pin);
});

test("a PIN is typed by npx latchd act, and who tries codes finds that none is taken any more", async () => {
  await using broker = await startBroker(bestBroker());
  const agent = await new AgentProcess(remote(broker.url, { memory: "none" }, { devices: [lobby] })).start();
  await agent.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "471103" });
  await agent.ask(grantCommand, ann);
  const type = async (digits: string) => (await agent.cli("act", address, "type", digits, "--data", agent.dataDir)).out;
  expect(await type("4711")).toBe("done\n");
  expect(await type("03#")).toBe("opened\n");
  const tried: string[] = [];
  for (const wrong of ["111111#", "222222#", "333333#"]) tried.push(await type(wrong));
  expect(tried).toEqual(["denied\n", "denied\n", "denied\n"]);
  expect(await type("471103#")).toBe("denied\n");
  expect(JSON.stringify(await agent.ask("events/list", { event_type: "lock.access_denied" }))).toContain(
    "too_many_attempts",
  );
});

const others = 99_999;

/** As many people with a card each at the door as a database may have, put there past the agent. */
function fill(file: string): void {
  const db = new Database(file);
  try {
    db.exec(`
      CREATE TEMP TABLE seq AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${others}) SELECT i FROM n;
      INSERT INTO user_identities (user_identity_id, created_at) SELECT 'other-' || i, 1 FROM seq;
      INSERT INTO grants (user_identity_id, device_id, valid_from) SELECT 'other-' || i, '${frontDoor}', 1 FROM seq;
      INSERT INTO credentials (credential_id, user_identity_id, kind, format, origin, sealed, fingerprint, known, reissues, created_at, valid_from)
        SELECT 'card-' || i, 'other-' || i, 'card', 'wiegand26', 'own', x'00', lower(hex(randomblob(32))), 1, 0, 1, 1 FROM seq;
      INSERT INTO placements (placement_id, device_id, lock, user_identity_id, credential_id, kind, fingerprint, wanted, rank, belief, slot, proof,
          suspect, attempts, pauses, state, since, valid_from)
        SELECT 'placement-' || i, '${frontDoor}', 'decided-here:${frontDoor}', 'other-' || i, 'card-' || i, 'card', c.fingerprint, 1, i, 'held',
          'card-' || i, 'decided_here', 0, 0, 0, 'live', 1, 1
        FROM seq JOIN credentials AS c ON c.credential_id = 'card-' || i;
    `);
  } finally {
    db.close();
  }
}

test("with a hundred thousand credentials at one door a decision takes no longer than a look-up", async () => {
  await using broker = await startBroker(bestBroker());
  const agent = await new AgentProcess(remote(broker.url, { memory: "none" }, { devices: [lobby] })).start();
  await agent.ask("credentials/set", { user_identity_id: "ann", kind: "card", value: card });
  await agent.ask(grantCommand, ann);
  const show = async (bits: string): Promise<number> => {
    const from = performance.now();
    const { effect } = await agent.ask("act/card", { lock: address, ...card, bits });
    expect(effect).toBe(bits === card.bits ? "opened" : "denied");
    return performance.now() - from;
  };
  const median = async (bits: string): Promise<number> => {
    const took: number[] = [];
    for (let time = 0; time < 41; time++) took.push(await show(bits));
    return took.toSorted((a, b) => a - b)[20] ?? Number.NaN;
  };
  const [one, oneUnknown] = [await median(card.bits), await median("00000080")];
  await agent.kill("SIGTERM");
  fill(join(agent.dataDir, "latchd.db"));
  await agent.start();
  const [many, manyUnknown] = [await median(card.bits), await median("00000080")];
  process.stdout.write(
    `card shown at the local door to answer, median of 41: ${one.toFixed(1)} ms with 1 credential, ${many.toFixed(1)} ms with ${others + 1}; unknown card ${oneUnknown.toFixed(1)} and ${manyUnknown.toFixed(1)} ms\n`,
  );
  // Looking through all of them would take many times as long.
  expect(many).toBeLessThan(one * 3 + 50);
  expect(manyUnknown).toBeLessThan(oneUnknown * 3 + 50);
});
