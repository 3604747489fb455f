import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand, upTo } from "./support/cloud.ts";
import { frontDoor, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { receiptsOf } from "./support/receipts.ts";

const total = 3_000;
const personOf = (number: number): string => `person-${number}`;

/** How many commands it has answered, and is still to carry out. */
function answered({ dataDir }: AgentProcess): unknown {
  const db = new Database(join(dataDir, "latchd.db"), { readonly: true });
  try {
    return db.prepare("SELECT coalesce(sum(json_array_length(commands)), 0) FROM backlog").pluck().get();
  } finally {
    db.close();
  }
}

describe.skipIf(brokerSkipReason("mosquitto"))("in the middle of a burst,", () => {
  test.each([
    // Who is told to stop waits for nobody who waits for what is to be carried out.
    { signal: "SIGTERM", exit: { code: 0, signal: null } },
    { signal: "SIGKILL", exit: { code: null, signal: "SIGKILL" } },
  ] as const)(
    "$signal: each grant is replied to and accepted once, and a revoke behind it ends revoked",
    async ({ signal, exit }) => {
      // By itself it hands out 20 at once, and those are carried out at once.
      const broker = await Mosquitto.start({ max_inflight_messages: "0" });
      // That nobody gets a code leaves the time to the commands.
      const agent = await new AgentProcess(remote(broker.url, {}, { pins: { issue: false } })).start();
      const cloud = await (await Cloud.connect(broker.url)).online();
      const send = (command: string, id: string, number: number): Promise<void> =>
        cloud.publish(
          command,
          JSON.stringify({ request_id: id, user_identity_id: personOf(number), device_id: frontDoor }),
        );
      const revoked = upTo(10).map((step) => step * (total / 10));
      const sent = [
        ...upTo(total).map((number) => send(grantCommand, `grant-${number}`, number)),
        ...revoked.map((number) => send(revokeCommand, `revoke-${number}`, number)),
      ];
      const left: unknown[] = [];
      for (const replies of [total / 6, total / 2]) {
        await until(`${replies} replies`, () => cloud.replies.size >= replies);
        expect(await agent.kill(signal)).toEqual(exit);
        left.push(answered(agent));
        await agent.start();
      }
      await Promise.all(sent);
      // Else nothing was answered before it was carried out.
      expect(Math.max(...left.map(Number))).toBeGreaterThan(0);
      const asked = total + revoked.length;
      await until("all are replied to", () => cloud.replies.size === asked);
      await until("all that was revoked is gone", () => cloud.count("access.gone") === revoked.length);
      await agent.allTold();
      expect(new Set([...cloud.replies.values()].flat())).toEqual(new Set(['{"ok":true}']));
      const accepted = new Map<string, Set<number>>();
      for (const { event_type: type, user_identity_id: person, number } of cloud.events) {
        if (type === "access.accepted" && person) accepted.set(person, (accepted.get(person) ?? new Set()).add(number));
      }
      expect(accepted.size).toBe(total);
      expect([...accepted.values()].every((numbers) => numbers.size === 1)).toBe(true);
      const granted = (await receiptsOf(agent, frontDoor)).filter(({ state }) => state !== "gone");
      const kept = upTo(total).filter((number) => !revoked.includes(number));
      expect(new Set(granted.map(({ user_identity_id: id }) => id))).toEqual(new Set(kept.map(personOf)));
      expect(answered(agent)).toBe(0);
      expect(agent.stderr).toBe("");
      process.stdout.write(
        `${signal} with ${left.join(" and ")} commands answered that were still to be carried out\n`,
      );
    },
  );
});
