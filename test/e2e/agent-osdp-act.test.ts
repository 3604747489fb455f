import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { OsdpFarEnd } from "../support/osdp-far-end.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { grantCommand } from "./support/cloud.ts";
import { door, embedded } from "./support/doors.ts";

/** 123/4567 of 26 bits. */
const card = { format: "h10301", bits: "bd88eb80" };

test.skipIf(socatSkipReason())(
  "the simulator takes lines at a socket of its own as well, and answers them there",
  async () => {
    await using far = await new OsdpFarEnd(["--reader", "1"]).start();
    expect((statSync(far.control).mode & 0o777).toString(8)).toBe("600");
    const socket = connect(far.control);
    onTestFinished(() => void socket.destroy());
    const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
    socket.write('{"id":7,"reader":"1","act":"look"}\n{"id":8,"reader":"2","act":"look"}\nno JSON\n');
    const told: unknown[] = [];
    for (let line = 0; line < 3; line += 1) told.push(JSON.parse(String((await answers.next()).value)));
    expect(told).toMatchObject([
      { happened: "done", id: 7, reader: "1", outputs: [false] },
      { happened: "error", id: 8, error: "no reader 2" },
      { happened: "error" },
    ]);
  },
);

test.skipIf(socatSkipReason())(
  "npx latchd act stands before an OSDP reader that is simulated, and sees what it shows",
  async () => {
    const key = randomBytes(16).toString("hex");
    await using far = await new OsdpFarEnd(["--reader", `1=${key}`, "--baud", "38400"]).start();
    const folder = mkdtempSync(join(tmpdir(), "latchd-osdp-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const keysFile = join(folder, "keys.json");
    writeFileSync(keysFile, JSON.stringify({ 1: key }), { mode: 0o600 });
    const line = {
      driver: "osdp",
      port: far.device,
      baud: 38_400,
      keys_file: keysFile,
      simulator: far.control,
      readers: { 1: { cards: ["h10301"], strike: { seconds: 0.5 } } },
    };
    const { config } = await embedded(
      {},
      { links: { line }, devices: [{ ...door("lobby", "1", "line"), doorman: {} }] },
    );
    const agent = await new AgentProcess(config).start();
    await until("the reader is online", async () =>
      JSON.stringify(await agent.ask("devices/list")).includes('"online":true'),
    );
    await agent.ask("credentials/set", { user_identity_id: "ann", kind: "card", value: card });
    await agent.ask("credentials/set", { user_identity_id: "ben", kind: "pin", value: "4711" });
    for (const person of ["ann", "ben"])
      await agent.ask(grantCommand, { user_identity_id: person, device_id: "lobby" });
    const byHand = async (...words: readonly string[]) => {
      const { code, out, err } = await agent.cli("act", "lobby", ...words, "--data", agent.dataDir);
      return [code, (out + err).trim()];
    };
    const act = async (name: string, of: object) =>
      (await agent.ask(`act/${name}`, { lock: "lobby", ...of }))["effect"];
    expect(await byHand("card", card.format, card.bits)).toEqual([0, "opened"]);
    await until("the strike is released", () => far.switched.some(({ on }) => on));
    expect(await byHand("type", "1234#")).toEqual([1, "denied"]);
    expect(await act("card", { ...card, bits: "7fffffc0" })).toBe("denied");
    expect(await act("type", { digits: "4711#" })).toBe("opened");
    // Nothing is decided of it yet.
    expect(await act("type", { digits: "47" })).toBe("done");
    // It is no card of 26 bits; and no owner programs a reader.
    expect(await act("card", { ...card, bits: "bd88eb" })).toBe("refused");
    expect(await act("reset", {})).toBe("refused");
    const before = far.lines.length;
    expect(await act("power", {})).toBe("done");
    await until("it has restarted", () => far.lines.slice(before).some((said) => said.includes("restarted")));
    await far[Symbol.asyncDispose]();
    const [code, said] = await byHand("power");
    expect(code).not.toBe(0);
    expect(said).toContain("no simulator answers");
  },
);
