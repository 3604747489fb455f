import { expect, test } from "vitest";
import { earliest, instant, later } from "../../../agent/domain/instant.ts";
import { usualTimes } from "../../../drivers/osdp/bus.ts";
import { encodeFrame } from "../../../drivers/osdp/frame.ts";
import { Search, type SearchStep, type Sighting } from "../../../drivers/osdp/search.ts";
import { seeded } from "../../../simulator/faults.ts";
import type { Behaviour } from "../../../simulator/osdp-behaviour.ts";
import { OsdpBus } from "../../../simulator/osdp-bus.ts";
import { usualHardware } from "../../../simulator/osdp-device.ts";
import { HostEnd } from "../../../simulator/osdp-host-end.ts";
import { OsdpKeyring } from "../../../simulator/osdp-keyring.ts";
import { OsdpReader } from "../../../simulator/osdp-reader.ts";

const start = instant(1_790_000_000_000);

interface Stands {
  readonly address: number;
  readonly baud?: number;
  readonly behaviour?: Partial<Behaviour>;
}

/** A search of the addresses 0 to 3 at one rate, in a time of its own. */
function looked(
  readers: readonly Stands[],
  { baud = 9_600, lumps = 0, echoes = false }: { baud?: number; lumps?: number; echoes?: boolean } = {},
) {
  const bus = new OsdpBus({ random: seeded(3) });
  for (const { address, baud: own = 9_600, behaviour = {} } of readers) {
    bus.join(
      new OsdpReader(
        {
          address,
          baud: own,
          keyring: new OsdpKeyring(new Uint8Array(16)),
          hardware: { ...usualHardware, identity: { ...usualHardware.identity, serial: 1_000 + address } },
          cuid: new Uint8Array(8),
          random: () => new Uint8Array(8),
          pace: seeded(address),
          behaviour,
        },
        start,
      ),
    );
  }
  const search = new Search([0, 1, 2, 3], { baud, ...usualTimes });
  const host = new HostEnd({ baud, lumps, echoes, deliver: (bytes, at) => search.onBytes(bytes, at) });
  bus.connect(host);
  let now = start;
  const asked: string[] = [];
  while (!search.isOver) {
    now = instant(Math.max(earliest([bus.next, search.next(now)]) ?? now, now));
    bus.advance(now);
    const bytes = search.tick(now);
    if (!bytes) continue;
    asked.push(Buffer.from(bytes).toString("hex"));
    bus.line.say(host, bytes, now);
  }
  const steps: readonly SearchStep[] = search.take();
  const found: readonly Sighting[] = steps.flatMap((step) => (step.step === "found" ? [step.sighting] : []));
  return { found, steps, asked, ms: now - start };
}

const whole = (address: number): object => ({
  address,
  identity: { vendor: "1c5fca", serial: 1_000 + address },
  abilities: { outputs: 1, timedOutputs: true, secureChannel: true },
});

test("Search finds who is at a line at its rate, and tells whom it asks", () => {
  const { found, steps, ms } = looked([{ address: 1 }, { address: 3 }]);
  expect(found).toMatchObject([whole(1), whole(3)]);
  expect(steps.flatMap((step) => (step.step === "asking" ? [step.address] : []))).toEqual([0, 1, 2, 3]);
  // Two silences for each of two empty addresses, and no more than that.
  expect(ms).toBeGreaterThan(2 * 2 * 200);
  expect(ms).toBeLessThan(2 * 2 * 220 + 2 * 120);
});

test("Search asks in clear and with the checksum, and of nobody more than who it is and what it can do", () => {
  const { asked } = looked([{ address: 1, behaviour: { checksum_only: true } }]);
  expect(asked).toContain("ff5301080000610043");
  for (const hex of asked) expect(hex).toMatch(/^ff530[0-3]0[78]000[0-3]6[012]/);
});

test.each<[string, Partial<Behaviour>]>([
  ["knows no CRC", { checksum_only: true }],
  ["has a CRC in every reply", { always_crc: true }],
  ["wants to be polled first", { poll_first: true }],
  ["is busy", { busy: 4 }],
  ["takes its time", { reply_ms: [150, 190] }],
  ["sends no mark", { marks: 0 }],
])("Search finds a reader that %s", (_, behaviour) => {
  expect(looked([{ address: 2, behaviour }]).found).toMatchObject([whole(2)]);
});

test("Search finds readers behind adapters that hand over in lumps, or hear themselves", () => {
  expect(looked([{ address: 0 }], { lumps: 16 }).found).toMatchObject([whole(0)]);
  const { found, steps } = looked([{ address: 0 }], { echoes: true });
  expect(found).toMatchObject([whole(0)]);
  expect(steps.filter(({ step }) => step === "foreign_panel")).toEqual([]);
});

test("Search says that somebody is there who refuses, or cannot be read", () => {
  const refuses = looked([{ address: 1, behaviour: { refuses: { 0x61: 3 } } }]);
  expect(refuses.found).toEqual([{ address: 1, check: "checksum", error: 3 }]);
  const two = looked([{ address: 1 }, { address: 1 }]);
  expect(two.found).toMatchObject([{ address: 1, isGarbled: true }]);
});

test("Search finds nobody at another rate than theirs", () => {
  const stands = [{ address: 1, baud: 38_400 }];
  expect(looked(stands).found).toEqual([]);
  expect(looked(stands, { baud: 38_400 }).found).toMatchObject([whole(1)]);
});

test("Search notices somebody else who gives commands", () => {
  const search = new Search([0], { baud: 9_600, ...usualTimes });
  search.tick(start);
  const frame = { address: 4, isReply: false, sequence: 1, check: "crc", code: 0x60, data: new Uint8Array() } as const;
  search.onBytes(encodeFrame(frame), later(start, 30));
  expect(search.take()).toContainEqual({ step: "foreign_panel" });
});
