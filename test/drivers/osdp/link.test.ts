import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import osdp from "../../../drivers/osdp/index.ts";
import { OsdpPersona } from "../../../simulator/osdp.ts";
import { calm, silent } from "../../../simulator/osdp-weather.ts";
import { eventually, hurriedClock, RecordingHost } from "../../support/host.ts";
import { frameIn } from "../../support/osdp-wired.ts";

const baud = 115_200;

/** The driver and simulated readers, with a bridge from RS-485 to TCP between them. */
class Line implements AsyncDisposable {
  readonly host = new RecordingHost(hurriedClock(1));
  readonly persona: OsdpPersona;
  connections = 0;
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.persona.talk(socket.setNoDelay());
  });
  readonly #keys: Readonly<Record<string, string>>;

  constructor(readers: readonly number[]) {
    const keys = readers.map((address) => [address, Uint8Array.from(randomBytes(16))] as const);
    this.#keys = Object.fromEntries(keys.map(([address, key]) => [address, Buffer.from(key).toString("hex")]));
    this.persona = new OsdpPersona({
      readers: new Map(keys),
      baud,
      seed: 1,
      lumps: 0,
      echoes: false,
      see: () => undefined,
    });
  }

  /** @param known the keys that the driver is given: of which readers, or others. */
  async open(readers: object, known: readonly string[] | Readonly<Record<string, string>> = this.#keys) {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return this.reopen(readers, known);
  }

  async reopen(readers: object, known: readonly string[] | Readonly<Record<string, string>> = this.#keys) {
    const { port } = z.object({ port: z.number() }).parse(this.#server.address());
    const all = Object.entries(this.#keys);
    const keys = Array.isArray(known) ? Object.fromEntries(all.filter(([address]) => known.includes(address))) : known;
    const keysFile = join(this.host.state.directory, "keys.json");
    writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 });
    const given = { port: `tcp://127.0.0.1:${port}`, baud, keys_file: keysFile, readers };
    return osdp.open(osdp.options.parse(given), this.host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.persona.stop();
    await new Promise((resolve) => void this.#server.close(resolve));
    this.host[Symbol.dispose]();
  }
}

const calmly = { signal: new AbortController().signal };

test("how a line stands is told of each reader: in the channel, in clear, without its key, and not there", async () => {
  await using line = new Line([1, 2, 3]);
  line.persona.readers.get("2")?.behave({ allows_clear: true });
  await using link = await line.open({ 1: {}, 2: { security: "clear" }, 3: {}, 4: {} }, ["1"]);
  const states = () => Object.values(link.standing?.().addresses ?? {}).map(({ state }) => state);
  await eventually("each of them is as it is", () => states().join() === "secure,clear,unpaired,offline" || undefined);
  const { wire, addresses } = link.standing?.() ?? {};
  expect(wire).toMatchObject({ check: 0, noise: 0 });
  expect(wire?.["frames"]).toBeGreaterThan(10);
  expect(addresses?.["1"]?.counts).toMatchObject({ channels: 1, breaches: 0 });
  expect(addresses?.["2"]?.counts).toMatchObject({ channels: 0 });
  await eventually("silences are counted", () => link.standing?.().addresses["4"]?.counts["silences"] || undefined);
  expect(await link.exposures?.(calmly.signal)).toMatchObject([{ address: "2" }]);
});

test("a reader with another key than ours is an alarm, told once, and none of its cards is used", async () => {
  await using line = new Line([1]);
  await using link = await line.open({ 1: {} }, { 1: randomBytes(16).toString("hex") });
  expect(await line.host.reported("alarm")).toMatchObject({ address: "1", problem: expect.stringContaining("keys") });
  line.persona.act((now) =>
    line.persona.readers.get("1")?.present({ report: "card", format: 1, bits: "26:bd88eb80" }, now),
  );
  const breaches = () => link.standing?.().addresses["1"]?.counts["breaches"] ?? 0;
  await eventually("it is tried again", () => breaches() > 1 || undefined);
  expect(line.host.events.map(({ event }) => event)).toEqual(["alarm"]);
});

test("what a reader feels is told: the contact of the door, and that it is opened", async () => {
  await using line = new Line([1]);
  await using link = await line.open({ 1: { contact: { input: 1 } } });
  expect(link.atOnce).toBe("unlimited");
  expect(await line.host.reported("door")).toMatchObject({ open: false });
  const { device } = line.persona.readers.get("1") ?? {};
  line.persona.act(() => device?.setInput(1, 1));
  await eventually("the door is open", () => line.host.events.find((told) => told.event === "door" && told.open));
  line.persona.act(() => device?.tamper(true));
  await line.host.reported("tamper");
});

test("a strike that the reader cannot move for a time of its own is refused before anything is sent", async () => {
  await using line = new Line([1]);
  await using link = await line.open({ 1: { strike: { output: 1 } } });
  await line.host.reported("online");
  const lock = link.lock("1");
  expect(await lock.abilities(calmly.signal)).not.toHaveProperty("bolt");
  expect(await lock.bolt?.unlock(calmly.signal)).toMatchObject({
    result: "refused",
    detail: expect.stringContaining("1 outputs"),
  });
  expect(line.host.said.some((said) => said.includes("cannot move the strike"))).toBe(true);
});

test("a reader that does not tell its outputs keeps nobody waiting who comes next", async () => {
  await using line = new Line([1]);
  line.persona.readers.get("1")?.behave({ refuses: { "102": 3 } });
  await using link = await line.open({ 1: { strike: { seconds: 0.1 } } });
  await line.host.reported("online");
  const before = line.host.clock.now();
  const { bolt } = link.lock("1");
  expect([await bolt?.unlock(calmly.signal), await bolt?.unlock(calmly.signal)]).toEqual(
    Array.from({ length: 2 }, () => ({ result: "done", confirmed: false })),
  );
  expect(line.host.clock.now() - before).toBeLessThan(2_000);
});

test("a strike that the reader moves itself is said to hang on the wrong side of the wall", async () => {
  await using line = new Line([1]);
  await using link = await line.open({ 1: { strike: {} } });
  await line.host.reported("online");
  expect(await link.lock("1").abilities(calmly.signal)).toMatchObject({ bolt: { locks: false } });
  expect(line.host.said.some((said) => said.includes("outside"))).toBe(true);
});

test("a reader is given another address under its key, and is found there with it when latchd starts again", async () => {
  await using line = new Line([1, 2]);
  {
    await using link = await line.open({ 1: {}, 2: {} });
    await eventually("both are online", () => line.host.events.length === 2 || undefined);
    expect(await link.readdress?.("1", "2", calmly.signal)).toMatchObject({ result: "refused" });
    expect(await link.readdress?.("1", "5", calmly.signal)).toMatchObject({ result: "done" });
    // Until then it is known by the old one.
    expect(await link.lock("1").abilities(calmly.signal)).toMatchObject({ reader: true });
    expect(line.persona.readers.get("1")?.address).toBe(5);
  }
  await using link = await line.reopen({ 2: {}, 5: {} });
  expect(await line.host.reported("online", line.host.events.length)).toBeDefined();
  await eventually("it is there", () => line.host.events.find(({ address }) => address === "5"));
  expect(link.standing?.().addresses["5"]).toMatchObject({ state: "secure" });
});

test("an order of which nobody knows whether it has gone through ends the connection, so that it is not brought later", async () => {
  await using line = new Line([1]);
  await using link = await line.open({ 1: { strike: {} } });
  await line.host.reported("online");
  const connections = line.connections;
  let isOrdered = false;
  line.persona.bus.line.weather = (said) => {
    if (isOrdered) return silent(said);
    isOrdered = frameIn(said)?.code === 0x68;
    return calm(said);
  };
  expect(await link.lock("1").bolt?.unlock(calmly.signal)).toEqual({ result: "unknown" });
  await eventually("there is another connection", () => line.connections > connections || undefined);
});

test("a reader that takes no other address stays where it is", async () => {
  await using line = new Line([1]);
  line.persona.readers.get("1")?.behave({ refuses: { [0x6e]: 3 } });
  await using link = await line.open({ 1: {} });
  await line.host.reported("online");
  expect(await link.readdress?.("1", "5", calmly.signal)).toMatchObject({
    result: "refused",
    detail: expect.stringContaining("does not know the command"),
  });
  expect(await link.lock("1").abilities(calmly.signal)).toMatchObject({ reader: true });
});

test("a reader is paired and given another key, and neither is in the log, an event or what is told of the line", async () => {
  await using line = new Line([1]);
  const reader = line.persona.readers.get("1");
  reader?.keyring.install(true);
  await using link = await line.open({ 1: {} }, []);
  const { last } = link.frames?.(undefined) ?? {};
  const keys: string[] = [];
  for (const change of [() => link.pair?.("1", 20_000, calmly.signal), () => link.rotateKey?.("1", calmly.signal)]) {
    expect(await change()).toMatchObject({ result: "done" });
    keys.push(Buffer.from(reader?.keyring.own ?? []).toString("hex"));
    await eventually("it is online", () => link.standing?.().addresses["1"]?.state === "secure" || undefined);
  }
  const { frames = [], missed } = link.frames?.(last) ?? {};
  const bytes = frames.map((frame) => Buffer.from(frame.bytes ?? []).toString("hex"));
  expect(missed).toBe(0);
  expect(frames.filter(({ name }) => name === "KEYSET").map(({ protection }) => protection)).toEqual([
    "default_key",
    "own_key",
  ]);
  const told = [...line.host.said, JSON.stringify(frames), ...bytes].join("\n");
  expect(told).toContain("a reader has proven which key it has");
  expect(new Set(keys).size).toBe(2);
  for (const key of keys) {
    expect(key).toHaveLength(32);
    expect(told).not.toContain(key);
    // As it is printed where bytes are.
    expect(told).not.toContain(key.replaceAll(/..(?!$)/g, "$& "));
    expect(told).not.toContain([...Buffer.from(key, "hex")].join(","));
  }
});
