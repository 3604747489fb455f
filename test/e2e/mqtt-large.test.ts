import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { brokerSkipReason, freePort } from "../support/broker.ts";
import { client, listen, online, TestAgent, until } from "./mqtt-support.ts";

const limit = 20_000;

/** A mosquitto that takes packets of 20,000 bytes at most. */
async function startSmall(): Promise<string> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "latchd-small-"));
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_packet_size ${limit}\n`);
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  onTestFinished(async () => {
    const gone = once(child, "exit");
    if (child.kill("SIGKILL")) await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `mqtt://127.0.0.1:${port}`;
  await until("mosquitto listens", () => client(url).then(Boolean, () => false));
  return url;
}

const letter = (id: number, below: string, bytes: number) => ({
  id,
  topic: `access/gateway-1/${below}`,
  payload: JSON.stringify({ ok: true, receipts: "x".repeat(bytes) }),
});

describe.skipIf(brokerSkipReason("mosquitto")).each(["5", "3.1.1"] as const)(
  "a broker that takes only small packets, by MQTT %s",
  (protocol) => {
    test("stays ours: a reply that is too large says so, an event is left aside, and the others arrive", async () => {
      const url = await startSmall();
      const heard = await listen(url, "access/gateway-1/+/+", { protocolVersion: 5 });
      const agent = new TestAgent();
      const mqtt = agent.open(url, { protocol });
      await online(url);
      const correlation = Buffer.from([1, 2, 3]);
      agent.letters.push(
        letter(1, "reply/before", 10),
        { ...letter(2, "reply/large", 20_592), correlation },
        letter(3, "reply/larger", 60_000),
        letter(4, "reply/after", 10),
        letter(5, "event/large", 30_000),
        letter(6, "event/after", 10),
      );
      mqtt.nudge();
      await until("all others are forgotten", () => agent.letters.every(({ id }) => id === 5));
      const said = (name: string): string => {
        const packet = heard.findLast(({ topic }) => topic.endsWith(`/${name}`));
        return packet?.payload.toString() ?? "";
      };
      await until("the last one came", () => said("event/after") !== "");
      for (const name of ["reply/large", "reply/larger"])
        expect(JSON.parse(said(name))).toMatchObject({ ok: false, error: { type: "reply_too_large" } });
      for (const name of ["reply/before", "reply/after"]) expect(JSON.parse(said(name))).toMatchObject({ ok: true });
      expect(said("event/large")).toBe("");
      const told = heard.find(({ topic }) => topic.endsWith("/reply/large"));
      expect(told?.properties?.correlationData).toEqual(protocol === "5" ? correlation : undefined);

      // By 3.1.1 it takes two losses to find out; then, and with MQTT 5 from the start, none more.
      const lost = agent.log.filter(({ message }) => message.startsWith("lost the broker"));
      expect(lost).toHaveLength(protocol === "5" ? 0 : 2);
      expect(agent.letters.map(({ id }) => id)).toEqual([5]);
      expect(agent.log.filter(({ message }) => message.startsWith("a message is larger"))).toHaveLength(1);
      agent.letters.push(letter(7, "reply/large-again", 20_592));
      mqtt.nudge();
      await until("told again", () => said("reply/large-again").includes("reply_too_large"));
      expect(mqtt.connected).toBe(true);
    });
  },
);
