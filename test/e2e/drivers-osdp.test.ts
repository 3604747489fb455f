import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { ActOutcome, Clock, Link, LinkEvent } from "../../drivers/driver.ts";
import osdp from "../../drivers/osdp/index.ts";
import { OsdpPersona } from "../../simulator/osdp.ts";
import type { OsdpReader } from "../../simulator/osdp-reader.ts";
import { calm } from "../../simulator/osdp-weather.ts";
import { rejection } from "../drivers/bench.ts";
import { givenUp } from "../drivers/bolt-ended.ts";
import { describeStrike, type StrikeBench, type StrikeMood } from "../drivers/conformance-strike.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { frameIn } from "../support/osdp-wired.ts";
import { until } from "./mqtt-support.ts";

const baud = 115_200;
const address = "1";
const poll = 0x60;
const out = 0x68;
const refusedRecord = { refuses: { [String(out)]: 9 } };

/** One reader with a strike behind a bridge from RS-485 to TCP, and the driver at the other end. */
class FarReader {
  readonly reader: OsdpReader;
  readonly #persona: OsdpPersona;
  readonly #server: Server;
  readonly #folder = mkdtempSync(join(tmpdir(), "latchd-osdp-"));
  readonly #key = randomBytes(16);
  readonly #orders = new Set<string>();
  #mood: StrikeMood = "well";
  /** Whether the last command was to the strike. */
  #isOrdered = false;
  releases = 0;
  /** How its connections have ended. */
  readonly ends: string[] = [];
  /** How often it was asked what there is to tell. */
  polls = 0;

  constructor() {
    this.#persona = new OsdpPersona({
      readers: new Map([[Number(address), Uint8Array.from(this.#key)]]),
      baud,
      seed: 1,
      lumps: 0,
      echoes: false,
      see: (_, sight) => {
        if (sight.happened === "switched" && sight.on) this.releases += 1;
      },
    });
    const [reader] = this.#persona.readers.values();
    if (!reader) throw new Error("there is no reader");
    this.reader = reader;
    this.#persona.bus.line.weather = (said) => {
      const frame = frameIn(said);
      if (frame?.isReply === false && frame.code === poll) this.polls += 1;
      const isOrder = frame?.isReply === false ? frame.code === out : this.#isOrdered;
      if (isOrder && frame?.isReply === false) this.#orders.add(Buffer.from(said).toString("hex"));
      this.#isOrdered = isOrder;
      // Deaf to its orders: all else comes through, so that each order is sent, and what follows on it can come.
      const isLost = isOrder && (this.#mood === "deaf" || (this.#mood === "loses_replies" && frame?.isReply === true));
      return isLost ? [] : calm(said);
    };
    this.#server = createServer((line) => {
      line.on("error", (error: NodeJS.ErrnoException) => void this.ends.push(error.code ?? ""));
      this.#persona.talk(line.setNoDelay());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    writeFileSync(this.#keysFile, JSON.stringify({ [address]: this.#key.toString("hex") }), { mode: 0o600 });
    return this;
  }

  get #keysFile(): string {
    return join(this.#folder, "keys.json");
  }

  get commands(): number {
    return this.#orders.size;
  }

  mood(mood: StrikeMood): void {
    this.#mood = mood;
    this.reader.behave(mood === "refuses" ? refusedRecord : { refuses: {} });
  }

  open(host: RecordingHost, more: object = {}): Promise<Link> {
    const bound = this.#server.address();
    const port = typeof bound === "object" && bound ? bound.port : 0;
    const readers = { [address]: { strike: { seconds: 0.1 }, cards: ["h10301"] } };
    const given = { port: `tcp://127.0.0.1:${port}`, baud, keys_file: this.#keysFile, readers, ...more };
    return osdp.open(osdp.options.parse(given), host);
  }

  show(): void {
    this.#persona.act((now) => this.reader.present({ report: "card", format: 1, bits: "26:bd88eb80" }, now));
  }

  /** What becomes of the keys in its file. */
  rewrite(key: string): void {
    writeFileSync(this.#keysFile, JSON.stringify({ [address]: key }));
  }

  async close(): Promise<void> {
    this.#persona.stop();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true });
  }
}

describeStrike("osdp", async (): Promise<StrikeBench> => {
  const far = await new FarReader().start();
  return { address, strike: far, open: (host) => far.open(host), opens: async () => false, close: () => far.close() };
});

/** Ends with the test. */
async function bench(clock: Clock = hurriedClock(1)): Promise<{ far: FarReader; host: RecordingHost }> {
  const far = await new FarReader().start();
  const host = new RecordingHost(clock);
  onTestFinished(() => {
    host[Symbol.dispose]();
    return far.close();
  });
  return { far, host };
}

describe("an order to a strike that was not answered", () => {
  test("is not left to the connection when it is given up, which would bring it when it can", async () => {
    const { far, host } = await bench();
    await using link = await far.open(host);
    await host.reported("online");
    far.mood("deaf");
    const unlock = (signal: AbortSignal): Promise<ActOutcome> =>
      link.lock(address).bolt?.unlock(signal) ?? Promise.reject(new Error("it has no bolt"));
    await givenUp(unlock, () => far.commands > 0);
    await until("the connection is cut", () => far.ends.length > 0);
    expect(far.ends).toEqual(["ECONNRESET"]);
  });

  test("is not left to a connection that is closed", async () => {
    const { far, host } = await bench();
    const link = await far.open(host);
    await host.reported("online");
    far.mood("deaf");
    const unlocking = link
      .lock(address)
      .bolt?.unlock(new AbortController().signal)
      .catch(() => undefined);
    await until("the order", () => far.commands > 0);
    await link[Symbol.asyncDispose]();
    await unlocking;
    await until("the connection is cut", () => far.ends.length > 0);
    expect(far.ends).toEqual(["ECONNRESET"]);
  });
});

describe("the reader of driver osdp", () => {
  test("has no memory, reports what it is shown, and shows what was decided of it", async () => {
    const { far, host } = await bench();
    await using link = await far.open(host);
    await host.reported("online");
    const { memory, reader } = link.lock(address);
    expect(memory).toBeUndefined();
    // Until it was asked once in a session and had nothing to tell, what it tells may be from before.
    const fresh = async (): Promise<LinkEvent> => {
      const { polls } = far;
      await until("it was asked twice", () => far.polls > polls + 1);
      const before = host.events.length;
      far.show();
      const told = await host.reported("presented", before);
      return "stale" in told ? fresh() : told;
    };
    const shown = await fresh();
    expect(shown).toMatchObject({ address, credential: { kind: "card", format: "h10301" } });
    const lights = (): readonly unknown[] => far.reader.device.face.colours(instant(Date.now()));
    const resting = JSON.stringify(lights());
    if (shown.event === "presented") await reader?.answer(shown, "admit", new AbortController().signal);
    expect(JSON.stringify(lights())).not.toBe(resting);
    expect(host.said.join("\n")).not.toContain("bd88eb80");
  });

  test("stays online where somebody sets the clock back, and is asked on", async () => {
    let back = 0;
    const real = hurriedClock(1);
    const { far, host } = await bench({
      now: () => instant(real.now() - back),
      sleep: (...given) => real.sleep(...given),
    });
    await using link = await far.open(host);
    await host.reported("online");
    for (const by of [1, 5_000, 3_600_000]) {
      back += by;
      const before = host.events.length;
      far.show();
      await host.reported("presented", before);
    }
    expect(host.events.filter(({ event }) => event === "offline")).toEqual([]);
    expect(link.lock(address).bolt).toBeDefined();
  });

  test.each([
    ["303132333435363738393a3b3c3d3e3f", "run up"],
    ["a5".repeat(16), "alike"],
    ["30313233343536373839303132333435", "digits"],
    ["5c1e77a0d94b3f2861ee0a9cb3d8f417", "example"],
  ])("is not spoken to with the key %s, which is known or guessed", async (key, why) => {
    const { far, host } = await bench();
    far.rewrite(key);
    const error = await rejection(far.open(host));
    expect(error).toMatchObject({ name: "LinkError", sent: false });
    expect(String(error)).toContain(why);
    expect(String(error) + host.said.join("\n")).not.toContain(key);
  });
});
