import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { earliest, type Instant, instant, later } from "../../../agent/domain/instant.ts";
import { Bus, usualTimes } from "../../../drivers/osdp/bus.ts";
import type { Happening } from "../../../drivers/osdp/happening.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { Session } from "../../../drivers/osdp/session.ts";
import { seeded } from "../../../simulator/faults.ts";
import { OsdpBus } from "../../../simulator/osdp-bus.ts";
import { usualHardware } from "../../../simulator/osdp-device.ts";
import { HostEnd } from "../../../simulator/osdp-host-end.ts";
import { OsdpKeyring } from "../../../simulator/osdp-keyring.ts";
import { OsdpReader, type OsdpSight } from "../../../simulator/osdp-reader.ts";

const start = instant(1_790_000_000_000);

interface Told {
  readonly at: Instant;
  readonly address: number;
  readonly happening: Happening;
}

/** A panel and its readers on a paced line, in a time of their own. */
class Wired {
  readonly far = new OsdpBus({ random: seeded(1) });
  readonly readers: readonly OsdpReader[];
  readonly sessions: readonly Session[];
  readonly told: Told[] = [];
  readonly switched: { readonly at: Instant; readonly address: number }[] = [];
  readonly polls = new Map<number, Instant[]>();
  readonly #bus: Bus;
  readonly #host: HostEnd;
  now = start;

  constructor({ count, baud, lumps = 0 }: { readonly count: number; readonly baud: number; readonly lumps?: number }) {
    const parts = Array.from({ length: count }, (_, address) => this.#pair(address, baud));
    this.readers = parts.map(({ reader }) => reader);
    this.sessions = parts.map(({ session }) => session);
    for (const reader of this.readers) this.far.join(reader);
    this.#bus = new Bus(this.sessions, { baud, ...usualTimes });
    this.#host = new HostEnd({ baud, lumps, deliver: (bytes, at) => this.#bus.onBytes(bytes, at) });
    this.far.connect(this.#host);
  }

  #pair(address: number, baud: number): { readonly reader: OsdpReader; readonly session: Session } {
    const key = randomBytes(16);
    const reader = new OsdpReader(
      {
        address,
        baud,
        keyring: new OsdpKeyring(Uint8Array.from(key)),
        hardware: usualHardware,
        cuid: Uint8Array.from(randomBytes(8)),
        random: () => Uint8Array.from(randomBytes(8)),
        pace: seeded(address + 1),
        see: (sight: OsdpSight) => {
          if (sight.happened === "switched" && sight.on) this.switched.push({ at: sight.at, address });
        },
      },
      start,
    );
    const session = new Session({
      address,
      check: "crc",
      security: "required",
      keys: [new Key(Uint8Array.from(key))],
      random: (length) => Uint8Array.from(randomBytes(length)),
      pollEvery: 50,
    });
    return { reader, session };
  }

  run(ms: number): void {
    const until = later(this.now, ms);
    for (;;) {
      const next = earliest([this.far.next, this.#bus.next(this.now)]);
      if (next === undefined || next > until) break;
      this.now = instant(Math.max(next, this.now));
      this.far.advance(this.now);
      this.#speak();
    }
    this.now = until;
  }

  #speak(): void {
    const bytes = this.#bus.tick(this.now);
    for (const [address, session] of this.sessions.entries()) {
      for (const happening of session.take()) this.told.push({ at: this.now, address, happening });
    }
    if (!bytes) return;
    this.far.line.say(this.#host, bytes, this.now);
    // Mark, SOM, address.
    const address = bytes[2] ?? 0;
    this.polls.set(address, [...(this.polls.get(address) ?? []), this.now]);
  }

  addresses(what: Happening["happening"]): readonly number[] {
    return this.is(what)
      .map(({ address }) => address)
      .toSorted((a, b) => a - b);
  }

  is(what: Happening["happening"]): readonly Told[] {
    return this.told.filter(({ happening }) => happening.happening === what);
  }
}

const pauses = (times: readonly number[]): readonly number[] =>
  times.slice(1).map((time, nth) => time - (times[nth] ?? time));

test("eight readers in the Secure Channel at 9600 baud are each asked at least every 400 ms", () => {
  const wired = new Wired({ count: 8, baud: 9_600 });
  wired.run(10_000);
  expect(wired.addresses("online")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const since = wired.now;
  wired.run(60_000);
  const longest = [...wired.polls.values()].map((times) => Math.max(...pauses(times.filter((time) => time > since))));
  const most = Math.max(...longest);
  // Poll and answer are 30 bytes, and the line is quiet for two before each of them.
  const limit = 8 * ((34 * 10_000) / 9_600);
  process.stdout.write(
    `8 secure readers at 9600 baud: asked every ${most.toFixed(0)} ms (the wire: ${limit.toFixed(0)} ms)\n`,
  );
  expect(most).toBeLessThan(400);
  expect(wired.is("offline")).toEqual([]);
});

test("an output is moved in the next turn, whoever else is waiting for his", () => {
  const wired = new Wired({ count: 8, baud: 9_600 });
  wired.run(10_000);
  const at = wired.now;
  wired.sessions[3]?.want({
    id: "open",
    command: { command: "OUT", outputs: [{ output: 0, code: 5, timer: 30 }] },
    deadline: later(at, 2_000),
  });
  wired.run(1_000);
  expect(wired.is("result")).toMatchObject([{ address: 3, happening: { id: "open", result: { result: "done" } } }]);
  const [moved] = wired.switched;
  expect(moved).toMatchObject({ address: 3 });
  // The turn that is under way, and the 31 bytes of the command.
  expect((moved?.at ?? at) - at).toBeLessThan(38 + 45);
});

test("readers that are not there take little of the time of those that are", () => {
  const wired = new Wired({ count: 4, baud: 38_400 });
  wired.run(5_000);
  for (const gone of wired.readers.slice(2)) wired.far.leave(gone);
  wired.run(30_000);
  expect(wired.addresses("offline")).toEqual([2, 3]);
  const since = wired.now;
  wired.run(60_000);
  const times = (wired.polls.get(0) ?? []).filter((time) => time > since);
  // One silence of 200 ms at a time.
  expect(Math.max(...pauses(times))).toBeLessThan(400);
  for (const back of wired.readers.slice(2)) wired.far.join(back);
  wired.run(35_000);
  expect(wired.addresses("online")).toEqual([0, 1, 2, 2, 3, 3]);
});

test("an adapter that hands over in lumps costs time, and no reader", () => {
  const wired = new Wired({ count: 3, baud: 38_400, lumps: 16 });
  wired.run(30_000);
  expect(wired.is("online")).toHaveLength(3);
  expect(wired.is("offline")).toEqual([]);
  expect(wired.sessions.map(({ counts: { silences, repeats } }) => silences + repeats)).toEqual([0, 0, 0]);
});
