import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { type Instant, instant } from "../../../agent/domain/instant.ts";
import { type Driven, Pump } from "../../../drivers/osdp/pump.ts";
import { hurriedClock } from "../../support/host.ts";

/** Says one thing, and nothing after that. */
function once(said: Uint8Array): Driven {
  let left: Uint8Array | undefined = said;
  return {
    next: (): Instant | undefined => (left ? instant(0) : undefined),
    tick: () => {
      const bytes = left;
      left = undefined;
      return bytes;
    },
    onBytes: () => undefined,
    lost: () => undefined,
    idle: () => undefined,
  };
}

/** A line, and all that gets onto it. */
function wire() {
  const [near, far] = duplexPair();
  const told: string[] = [];
  far.on("data", (bytes: Buffer) => told.push(bytes.toString("hex")));
  return { line: { bytes: near, close: async () => undefined }, told, far };
}

test("Pump tells what has happened before it says anything: a key is kept before its first byte is on the line", async () => {
  const { line, told, far } = wire();
  const stop = new AbortController();
  const pump = new Pump(once(Uint8Array.of(0x53)), hurriedClock(1), () => told.push("happened"));
  far.once("data", () => stop.abort());
  await pump.run(line, stop.signal);
  expect(told.slice(0, 2)).toEqual(["happened", "53"]);
});

test("Pump says nothing where what has happened cannot be kept", async () => {
  const { line, told } = wire();
  const pump = new Pump(once(Uint8Array.of(0x53)), hurriedClock(1), () => {
    throw new Error("the disk is full");
  });
  await expect(pump.run(line, new AbortController().signal)).rejects.toThrow("the disk is full");
  line.bytes.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
});
