import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bestBroker, startBroker } from "../support/broker.ts";
import { OsdpFarEnd } from "../support/osdp-far-end.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, frontDoor } from "./support/doors.ts";

const ann = { user_identity_id: "ann", device_id: frontDoor };
/** 123/4567 of 26 bits. */
const card = { format: "h10301", bits: "bd88eb80" };
const shown = { act: "card", bits: "26:bd88eb80" } as const;

test.skipIf(socatSkipReason())(
  "a card at an OSDP reader on a serial device moves its strike, with the broker away, and does not once it is revoked",
  async () => {
    const key = randomBytes(16).toString("hex");
    await using far = await new OsdpFarEnd(["--reader", `1=${key}`, "--baud", "38400"]).start();
    await using broker = await startBroker(bestBroker());
    const folder = mkdtempSync(join(tmpdir(), "latchd-osdp-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const keysFile = join(folder, "keys.json");
    writeFileSync(keysFile, JSON.stringify({ 1: key }), { mode: 0o600 });
    const agent = await new AgentProcess({
      agent_id: "gateway-1",
      broker: broker.url,
      links: {
        line: {
          driver: "osdp",
          port: far.device,
          baud: 38_400,
          keys_file: keysFile,
          readers: { 1: { cards: ["h10301"], strike: { seconds: 0.5 } } },
        },
      },
      devices: [{ ...door(frontDoor, "1", "line"), doorman: {} }],
    }).start();
    const cloud = await (await Cloud.connect(broker.url, { clientId: "cloud", clean: false })).online();
    const opened = (): number => far.switched.filter(({ on }) => on).length;
    const denials = (): { readonly stale: number; readonly others: number } => {
      const all = cloud.events.filter(({ event_type: type }) => type === "lock.access_denied");
      const stale = all.filter(({ reason_code: reason }) => reason === "stale").length;
      return { stale, others: all.length - stale };
    };
    await until("the reader is online", async () =>
      JSON.stringify(await agent.ask("devices/list")).includes('"online":true'),
    );

    await far.act("1", shown);
    expect(await cloud.event("lock.access_denied")).toMatchObject({ reason_code: "unknown_code", method: "card" });
    expect(
      await cloud.command("credentials/set", { user_identity_id: "ann", kind: "card", value: card }),
    ).toMatchObject({
      ok: true,
    });
    expect(await cloud.command(grantCommand, ann)).toEqual({ ok: true });
    expect(await cloud.event("access.live", { user_identity_id: "ann" })).toMatchObject({ evidence: "decided_here" });

    await broker.stop();
    expect(opened()).toBe(0);
    await far.act("1", shown);
    await until("the strike is released", () => opened() === 1);
    await broker.start();
    expect(await cloud.event("lock.unlocked", { user_identity_id: "ann" })).toMatchObject({
      device_id: frontDoor,
      method: "card",
    });

    // Pulled out and plugged in again: the reader is found, and goes on.
    await far.line({ act: "unplug" });
    await until("it is offline", () => cloud.count("device.disconnected") > 0);
    await far.line({ act: "plug" });
    await until("it is back", () => cloud.count("device.connected") > 1);
    // Nobody knows of what a reader tells first whether it is from before it was back: that counts once it is shown again.
    while (opened() < 2) {
      const { stale } = denials();
      await far.act("1", shown);
      await until("the strike is released again", () => opened() === 2 || denials().stale > stale);
    }

    expect(await cloud.command(revokeCommand, ann)).toEqual({ ok: true });
    await far.act("1", shown);
    await until("the denial is told", () => denials().others === 2);
    expect(opened()).toBe(2);
    await agent.kill("SIGTERM");
    expect(agent.stdout + agent.stderr).not.toContain(card.bits);
    expect(agent.stdout + agent.stderr).not.toContain(key);
  },
);
