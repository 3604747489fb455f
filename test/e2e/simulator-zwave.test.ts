import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { socatSkipReason, ZwaveFarEnd, zwaveLocks } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";

async function ended(host: ChildProcess): Promise<void> {
  if (host.exitCode === null && host.signalCode === null) await once(host, "exit");
}

describe.skipIf(socatSkipReason())("over a serial device", () => {
  /** What a host begins with, and then, in the Serial API: "which version are you". */
  const askVersion = Uint8Array.of(0x15, 0x01, 0x03, 0x00, 0x15, 0xe9);
  const acknowledge = 0x06;

  /** A host that opens the wire with `socat`, and has got an acknowledgement. It stays until it is killed, or the wire ends. */
  async function converse(wire: string): Promise<ChildProcess> {
    const host = spawn("socat", ["STDIO", wire], { stdio: ["pipe", "pipe", "ignore"] });
    host.stdin.write(askVersion);
    let isHeard = false;
    // On a serial device there may be something left that was said to the host before.
    host.stdout.on("data", (heard: Buffer) => {
      if (heard.includes(acknowledge)) isHeard = true;
    });
    await until("the persona acknowledges", () => isHeard);
    return host;
  }

  test("the persona answers one host after another, whatever became of the one before", async () => {
    await using far = await new ZwaveFarEnd().start();
    const wire = `TCP:127.0.0.1:${new URL(far.url).port}`;
    for (let time = 0; time < 3; time++) {
      const host = await converse(wire);
      host.kill("SIGKILL");
    }
    // One that dies in the middle of a frame, and one that stays and never acknowledges.
    const dying = spawn("socat", ["STDIO", wire], { stdio: ["pipe", "ignore", "ignore"] });
    dying.stdin.end(askVersion.subarray(0, 4));
    await ended(dying);
    const deaf = await converse(wire);
    await until("it complains", () => far.lines.some((line) => line.includes("complaint")));
    const next = await converse(wire);
    deaf.kill();
    expect(next.kill()).toBe(true);
  });

  test("the persona's serial device takes one host after another, is pulled out and plugged in", async () => {
    await using far = await new ZwaveFarEnd().start();
    const wire = `${far.device},raw,echo=0`;
    for (let time = 0; time < 2; time++) {
      const host = await converse(wire);
      host.kill("SIGKILL");
      await ended(host);
    }
    const host = await converse(wire);
    await far.unplug();
    expect(existsSync(far.device)).toBe(false);
    await ended(host);
    await far.plug();
    const again = await converse(wire);
    expect(again.kill()).toBe(true);
  });

  test("the persona's locks remember beyond its end", async () => {
    await using far = await new ZwaveFarEnd().start();
    for (const lock of Object.values(zwaveLocks)) await far.act(lock, { act: "program", slot: 3, digits: "0471" });
    await far.kill();
    await far.start();
    for (const lock of Object.values(zwaveLocks)) {
      expect(await far.look(lock)).toMatchObject({ codes: { 3: "0471" } });
      await far.act(lock, { act: "program", slot: 3 });
      expect(await far.look(lock)).toEqual({ codes: {}, users: [] });
    }
  });
});
