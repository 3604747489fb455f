import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { until } from "./mqtt-support.ts";
import { readReply } from "./support/agent-process.ts";
import { Cloud, type CloudEvent } from "./support/cloud.ts";
import { frontDoor } from "./support/doors.ts";
import { HttpSite } from "./support/http.ts";

const unlock = "locks/unlock_door";
const now = (): string => new Date().toISOString();
const shown = z.looseObject({ action_attempt: z.looseObject({ action_attempt_id: z.string(), status: z.string() }) });
const attemptIn = (reply: unknown) => shown.parse(reply).action_attempt;

async function site(more: object = {}) {
  const at = await HttpSite.start({}, more);
  const cloud = await (await Cloud.connect(at.broker)).online();
  const { key } = await at.key({ scopes: ["*"] });
  const ask = async (path: string, body: object) => readReply((await at.send("POST", path, { key, body })).text);
  await until("the lock has said what it is", async () => {
    const { device } = z
      .looseObject({ device: z.looseObject({}) })
      .parse(await ask("/devices/get", { device_id: frontDoor }));
    return device["can_remotely_unlock"] === true;
  });
  const end = async (id: string) => {
    let attempt = attemptIn(await ask("/action_attempts/get", { action_attempt_id: id }));
    await until("the attempt has ended", async () => {
      attempt = attemptIn(await ask("/action_attempts/get", { action_attempt_id: id }));
      return attempt.status !== "pending";
    });
    return attempt;
  };
  const fault = (of: object) => at.agent.ask("simulate/fault", { lock: frontDoor, ...of });
  const isLocked = async () => (await at.agent.ask("simulate/look", { lock: frontDoor }))["locked"];
  return { at, cloud, ask, end, fault, isLocked };
}

const told = (cloud: Cloud, type: string): readonly CloudEvent[] =>
  cloud.events.filter(({ event_type: of }) => of === type);

test("a door is unlocked and locked over HTTP and MQTT, each told once and by whom, and the lies of a lock are not believed", async () => {
  const { cloud, ask, end, fault, isLocked } = await site();

  const first = attemptIn(await ask(`/${unlock}`, { device_id: frontDoor }));
  expect(first).toMatchObject({ action_type: "UNLOCK_DOOR", status: "pending" });
  expect(await end(first.action_attempt_id)).toMatchObject({
    status: "success",
    result: { was_confirmed_by_device: true },
  });
  expect(await isLocked()).toBe(false);
  await cloud.event("action_attempt.unlock_door.succeeded");
  expect(told(cloud, "lock.unlocked")).toMatchObject([
    { device_id: frontDoor, method: "remote", action_attempt_id: first.action_attempt_id },
  ]);

  const second = attemptIn(await cloud.command("locks/lock_door", { device_id: frontDoor, issued_at: now() }, "l-1"));
  expect(await end(second.action_attempt_id)).toMatchObject({ status: "success" });
  expect(await isLocked()).toBe(true);

  await fault({ fault: "says_yes_stores_nothing", to: ["bolt"] });
  const third = attemptIn(await ask(`/${unlock}`, { device_id: frontDoor }));
  expect(await end(third.action_attempt_id)).toMatchObject({ status: "error", error: { type: "outcome_unknown" } });
  expect(await isLocked()).toBe(true);

  await fault({ fault: "refuses", to: ["bolt"] });
  const fourth = attemptIn(await ask(`/${unlock}`, { device_id: frontDoor }));
  expect(await end(fourth.action_attempt_id)).toMatchObject({ status: "error", error: { type: "lock_refused" } });
  expect(told(cloud, "lock.unlocked").length).toBe(1);
});

test("a door is not unlocked by what somebody asked for before the agent stood still", async () => {
  const { at, ask, end, isLocked } = await site({ unlock: { deadline_seconds: 2 } });
  expect(await isLocked()).toBe(true);
  at.agent.signal("SIGSTOP");
  const asked = ask(`/${unlock}`, { device_id: frontDoor });
  await delay(4_000);
  at.agent.signal("SIGCONT");
  expect(await asked).toMatchObject({ ok: false, error: { type: "command_too_late" } });
  expect(await isLocked()).toBe(true);
  let later: unknown;
  await until("who asks after that is heard", async () => {
    const answer = await ask(`/${unlock}`, { device_id: frontDoor });
    later = answer;
    return answer.ok;
  });
  expect(await end(attemptIn(later).action_attempt_id)).toMatchObject({ status: "success" });
});
