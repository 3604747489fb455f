import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeFrame } from "../../drivers/osdp/frame.ts";
import { OsdpFarEnd } from "../support/osdp-far-end.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { door, embedded } from "./support/doors.ts";

const card = "26:bd88eb80";
const typed = "493017";

test.skipIf(socatSkipReason())(
  "readers are found, paired, given other keys over a kill and watched, and none of their secrets is told to anybody",
  async () => {
    const key = randomBytes(16).toString("hex");
    const flags = ["--reader", `1=${key}`, "--reader", "2", "--reader", `3=${key}`, "--baud", "38400"];
    await using far = await new OsdpFarEnd(flags).start();
    await far.act("3", { act: "behave", as: { allows_clear: true } });
    const folder = mkdtempSync(join(tmpdir(), "latchd-osdp-tools-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { config } = await embedded();
    const readers = { 1: {}, 2: {}, 3: { security: "clear" } };
    const agent = new AgentProcess({
      ...config,
      log: { level: "trace" },
      links: { line: { driver: "osdp", port: far.device, baud: 38_400, readers } },
      devices: ["1", "2", "3"].map((address) => door(`door-${address}`, address, "line")),
    });
    const said: string[] = [];
    const begin = (...words: string[]): ReturnType<typeof agent.beginCli> => {
      const { ended, stop } = agent.beginCli("osdp", ...words);
      const heard = ended.then((told) => {
        said.push(told.out, told.err);
        return told;
      });
      return { ended: heard, stop };
    };
    const cli = async (...words: string[]): ReturnType<typeof agent.cli> => begin(...words).ended;
    const reply = async (command: string, parameters: object) => agent.ask(`osdp/${command}`, parameters);
    const options = ["--data", agent.dataDir];

    // Before there is an agent: over the device, and over the bridge to it.
    const scanned = await cli("scan", far.device, "--baud", "38400", "--addresses", "0-3");
    expect(scanned).toMatchObject({ code: 0, err: "" });
    expect(scanned.out).toContain("address 1 at 38400 baud\n  vendor: 1c5fca\n");
    const scan = JSON.parse((await cli("scan", far.url, "--addresses", "1-3", "--json")).out);
    expect(scan.steps.at(-1)).toEqual({
      step: "suggestion",
      link: { driver: "osdp", port: far.url, readers: { 1: {}, 2: {}, 3: {} } },
    });

    await agent.start();
    const states = async (): Promise<string> => JSON.stringify(await agent.ask("agent/status"));
    const is = (state: string) => async () => (await states()).includes(state);
    const taken = await cli("scan", far.device, "--baud", "38400");
    expect(taken).toMatchObject({ code: 1, err: expect.stringContaining("stop the agent that has this line") });

    const file = join(folder, "line.osdpcap");
    const capture = begin("capture", "line", file, ...options);
    const monitor = begin("monitor", "line", ...options);
    await until("it is captured", () => statSync(file, { throwIfNoEntry: false }) !== undefined);
    // One has a key that we do not know, one waits to be installed, and one is spoken to in clear.
    const notInstalling = reply("pair", { lock: "door-1", seconds: 5 });
    expect(await cli("pair", "door-2", ...options)).toMatchObject({ code: 0, out: expect.stringContaining("Done") });
    expect(await reply("pair", { lock: "door-3" })).toMatchObject({ outcome: "refused" });
    await until("the new one is online", is('"address":"2","state":"secure"'));
    expect(await cli("rotate", "door-2", ...options)).toMatchObject({ code: 0, out: expect.stringContaining("Done") });
    expect(await reply("pair", { lock: "2" })).toMatchObject({ detail: expect.stringContaining("osdp rotate") });
    for (const reader of ["2", "3"]) {
      await far.act(reader, { act: "card", bits: card });
      await far.act(reader, { act: "type", digits: `${typed}#` });
      await until("it has told of both", async () =>
        JSON.stringify(await far.act(reader, { act: "look" })).includes('"waiting":0'),
      );
    }
    expect(await notInstalling).toMatchObject({ detail: expect.stringContaining("not in its install mode") });
    for (const { stop } of [capture, monitor]) stop();
    const [captured, watched] = await Promise.all([capture.ended, monitor.ended]);
    expect(captured.out).toMatch(/\d+ frames are in .*, 0 were missed\.\n$/);
    expect(watched.out).toMatch(/<\s+2 .* sealed +RAW reader=0 format=1 card=\[secret\] bits=26\n/);
    expect(watched.out).toMatch(/<\s+3 .* clear +KEYPAD reader=0 keys=\[secret\]\n/);
    expect(watched.out).toMatch(/>\s+2 .* default key +KEYSET keyType=1 key=\[secret\]\n/);

    // Killed as soon as the reader has its next key: one of both is its own, and the other is forgotten.
    const keyed = far.lines.filter((line) => line.includes('"keyed"')).length;
    const rotating = reply("rotate", { lock: "door-2" }).catch(() => undefined);
    await until("it has another key", () => far.lines.filter((line) => line.includes('"keyed"')).length > keyed);
    await agent.kill("SIGKILL");
    await rotating;
    await agent.start();
    await until("it is online again", is('"address":"2","state":"secure"'));
    await agent.kill("SIGTERM");

    const written = readFileSync(file, "utf8");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const line of written.trimEnd().split("\n")) {
      const frame = decodeFrame(Uint8Array.from(Buffer.from(JSON.parse(line).data.replaceAll(" ", ""), "hex")));
      expect(frame).toBeTypeOf("object");
    }
    const all = [...said, written, written.replaceAll(" ", ""), agent.stdout, agent.stderr].join("\n");
    for (const secret of ["bd88eb80", typed, Buffer.from(typed).toString("hex")]) expect(all).not.toContain(secret);
    expect(all).toContain("[secret]");
  },
);
