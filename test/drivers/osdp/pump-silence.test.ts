import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { Bus, usualTimes } from "../../../drivers/osdp/bus.ts";
import { Pump } from "../../../drivers/osdp/pump.ts";
import { Session } from "../../../drivers/osdp/session.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

/** A pump before a connection that stays as it is, with nobody at its end. */
function pumping(givesUpAfter?: number) {
  const clock = new VirtualClock();
  const options = { address: 0, check: "crc", security: "clear", keys: [], pollEvery: 50 } as const;
  const session = new Session({ ...options, random: (length) => new Uint8Array(length) });
  const bus = new Bus([session], { baud: 9_600, ...usualTimes });
  const pump = new Pump(bus, clock, () => void session.take(), givesUpAfter);
  const end = new AbortController();
  let asked = 0;
  const bytes = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      asked += 1;
      done();
    },
  });
  let isOver = false;
  const run = async (): Promise<void> => {
    await pump.run({ bytes, close: async () => undefined }, end.signal);
    isOver = true;
  };
  const ran = run();
  const stop = (): Promise<void> => {
    end.abort();
    return ran;
  };
  return { clock, bytes, stop, asked: () => asked, isOver: () => isOver };
}

test("a connection on which nobody has said anything for a minute is given up, and one on which somebody has is not", async () => {
  const { clock, bytes, stop, asked, isOver } = pumping(60_000);
  await clock.run(50_000);
  bytes.push(Uint8Array.of(0));
  await clock.run(59_000);
  expect([isOver(), asked() > 3]).toEqual([false, true]);
  await clock.run(31_000);
  expect(isOver()).toBe(true);
  await stop();
});

test("a serial device is stayed with, however long nobody answers", async () => {
  const { clock, stop, isOver } = pumping();
  await clock.run(600_000);
  expect(isOver()).toBe(false);
  await stop();
});
