import { expect, test } from "vitest";
import { later } from "../../../agent/domain/instant.ts";
import { encodeFrame, longestFrame } from "../../../drivers/osdp/frame.ts";
import { seeded } from "../../../simulator/faults.ts";
import type { Station } from "../../../simulator/osdp-line.ts";
import { calm, silent, type Weather } from "../../../simulator/osdp-weather.ts";
import { frameIn, Wired } from "../../support/osdp-wired.ts";

/*
 * Three readers on one line, of which the second one is in trouble, or makes it. What must hold whatever it is: the two others stay
 * online, are asked in time, and who shows a card there is let in; what was wrong is counted; and when it is over all is well.
 */

const baud = 38_400;
const sick = 1;
const innocents = [0, 2];
/** How long the trouble lasts. */
const lasts = 6_000;

/** Somebody else at the line. */
const stranger: Station = { baud, hear: () => undefined };

/** What becomes of that which the reader in trouble says. */
const ofSick =
  (change: (said: Uint8Array) => ReturnType<Weather>): Weather =>
  (said) => {
    const frame = frameIn(said);
    return frame?.isReply === true && frame.address === sick ? change(said) : calm(said);
  };
const over = (said: Uint8Array): Uint8Array => said.subarray(said.indexOf(0x53));
const lineOf = (wired: Wired, weather: Weather): void => {
  wired.far.line.weather = weather;
};

interface Trouble {
  readonly name: string;
  readonly begin: (wired: Wired) => void;
  /** Now and then while it lasts. */
  readonly goOn?: (wired: Wired) => void;
  readonly end?: (wired: Wired) => void;
  readonly counted: (wired: Wired) => number;
  /** For how long one of the others may not be asked. */
  readonly most?: number;
}

const line = (what: keyof Wired["bus"]["counts"]) => (wired: Wired) => wired.bus.counts[what];
const session = (what: keyof Wired["sessions"][number]["counts"]) => (wired: Wired) =>
  wired.sessions[sick]?.counts[what] ?? 0;
const random = seeded(7);
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);

const troubles: readonly Trouble[] = [
  {
    name: "noise between what is said",
    begin: (wired) =>
      lineOf(wired, (said) => (random() < 0.1 ? [...calm(noise(1 + random() * 20)), ...calm(said)] : calm(said))),
    counted: line("noise"),
  },
  {
    name: "noise while nobody is asked",
    begin: () => undefined,
    goOn: (wired) => wired.by(stranger, noise(30)),
    counted: line("noise"),
  },
  {
    name: "frames that stop in the middle",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => calm(said.subarray(0, said.length - 4))),
      ),
    counted: line("cut"),
  },
  {
    name: "frames of an impossible length",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => calm(Uint8Array.of(...over(said).with(3, 0x10), ...noise(20)))),
      ),
    counted: line("noise"),
  },
  {
    name: "frames that promise to be as long as can be",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) =>
          calm(
            over(said)
              .with(2, longestFrame & 0xff)
              .with(3, longestFrame >> 8),
          ),
        ),
      ),
    counted: line("cut"),
  },
  {
    name: "a wrong check",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => calm(said.map((byte, at) => (at === said.length - 1 ? byte ^ 1 : byte)))),
      ),
    counted: line("check"),
  },
  {
    name: "the address of no reader",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => calm(encodeFrame({ ...whole(said), address: 0x55 }))),
      ),
    counted: session("foreign"),
  },
  {
    name: "the address of another reader",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => calm(encodeFrame({ ...whole(said), address: 2 }))),
      ),
    counted: session("foreign"),
  },
  {
    name: "a right check with a wrong MAC",
    begin: (wired) => wired.readers[sick]?.behave({ wrong_mac: 1_000 }),
    end: (wired) => wired.readers[sick]?.behave({ wrong_mac: 0 }),
    counted: session("breaches"),
  },
  {
    name: "answers that come too late",
    begin: (wired) => wired.readers[sick]?.behave({ reply_ms: [210, 260] }),
    end: (wired) => wired.readers[sick]?.behave({ reply_ms: [3, 3] }),
    counted: session("silences"),
    // They fall into what is said to others, who are asked again.
    most: 600,
  },
  {
    name: "the same answer twice",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => [...calm(said), ...calm(said)]),
      ),
    counted: line("unasked"),
  },
  {
    name: "answers that nobody has asked for",
    begin: () => undefined,
    goOn: (wired) =>
      wired.by(
        stranger,
        encodeFrame({ address: sick, isReply: true, sequence: 1, check: "crc", code: 0x40, data: new Uint8Array() }),
      ),
    counted: line("frames"),
  },
  {
    name: "a reader that is busy without an end",
    begin: (wired) => wired.readers[sick]?.behave({ busy: 10_000 }),
    end: (wired) => wired.readers[sick]?.behave({ busy: 0 }),
    counted: session("busy"),
  },
  {
    name: "a reader that begins anew again and again",
    begin: (wired) => wired.readers[sick]?.behave({ resets_after: 3 }),
    end: (wired) => wired.readers[sick]?.behave({ resets_after: 0 }),
    counted: session("restarts"),
  },
  {
    name: "a reader that floods the line after each answer",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => [...calm(said), ...calm(noise(300))]),
      ),
    counted: line("noise"),
  },
  {
    name: "a reader that floods the line with answers",
    begin: (wired) =>
      lineOf(
        wired,
        ofSick((said) => Array.from({ length: 20 }, () => ({ bytes: said, after: 0 }))),
      ),
    counted: line("unasked"),
  },
  {
    name: "a reader whose wires are cut",
    begin: (wired) => lineOf(wired, ofSick(silent)),
    counted: session("silences"),
  },
];

function whole(said: Uint8Array): NonNullable<ReturnType<typeof frameIn>> {
  const frame = frameIn(said);
  if (!frame) throw new Error("no frame");
  return frame;
}

/** Three readers that have been online for a while. */
function settled(): Wired {
  const wired = new Wired({ count: 3, baud, strike: 1, pollEvery: 100 });
  wired.run(1_500);
  expect(wired.addresses("online")).toEqual([0, 1, 2]);
  return wired;
}

/** Every reader is online, in a session that has begun. */
const isWell = (wired: Wired): boolean =>
  wired.sessions.every(({ isOnline }) => isOnline) && wired.readers.every(({ isSecure }) => isSecure);

/** Until all is well, and what may be stale has been told. */
function recover(wired: Wired): void {
  wired.runUntil(() => isWell(wired), 70_000);
  wired.run(500);
}

/** Who shows a card at a reader is let in, within a second. */
function isLetIn(wired: Wired, address: number): boolean {
  const before = wired.strikes(address);
  wired.show(address);
  wired.run(1_000);
  return wired.strikes(address) === before + 1;
}

test.each(troubles)(
  "$name: the other readers do not suffer, and it is counted",
  ({ begin, goOn, end, counted, most = 400 }) => {
    const wired = settled();
    const since = wired.now;
    const before = counted(wired);
    begin(wired);
    const letIn: boolean[] = [];
    for (let shown = 0; wired.now < later(since, lasts); shown += 1) {
      letIn.push(isLetIn(wired, innocents[shown % 2] ?? 0));
      goOn?.(wired);
      wired.run(137);
    }
    expect(letIn.filter((is) => !is)).toEqual([]);
    for (const address of innocents) expect(wired.longestPause(address, since)).toBeLessThan(most);
    expect(wired.addresses("offline").filter((address) => address !== sick)).toEqual([]);
    expect(counted(wired)).toBeGreaterThan(before + 2);

    // It is over: after a while all is as it was.
    lineOf(wired, calm);
    end?.(wired);
    recover(wired);
    expect([0, 1, 2].map((address) => isLetIn(wired, address))).toEqual([true, true, true]);
  },
);

test("wrong MACs end the session each time, ever less is tried, and an operator is told at the third", () => {
  const wired = settled();
  wired.readers[sick]?.behave({ wrong_mac: 1_000 });
  const since = wired.now;
  wired.run(60_000);
  const suspects = wired.is("suspect", since);
  expect(suspects.map(({ address }) => address)).toEqual(suspects.map(() => sick));
  expect(suspects.map(({ happening }) => happening)).toEqual(
    suspects.map((_, nth) => ({ happening: "suspect", why: "mac", alarm: nth >= 2 })),
  );
  // At once, then after 1, 2, 4, 8, 16, 32 s.
  expect(suspects).toHaveLength(6);
  expect(wired.addresses("offline", since)).toEqual([sick]);
  wired.show(sick);
  wired.run(5_000);
  expect(wired.strikes(sick)).toBe(0);
});

test("two readers with one address: neither is let in by chance, and the others do not suffer", () => {
  for (const sameKey of [true, false]) {
    const wired = settled();
    const second = wired.reader(sick, sameKey ? wired.keys[sick] : wired.bytes(16));
    const since = wired.now;
    wired.far.join(second);
    expect([isLetIn(wired, 0), isLetIn(wired, 2)]).toEqual([true, true]);
    wired.run(lasts);
    expect([isLetIn(wired, 0), isLetIn(wired, 2)]).toEqual([true, true]);
    for (const address of innocents) expect(wired.longestPause(address, since)).toBeLessThan(400);
    expect(wired.addresses("offline", since)).toEqual([sick]);
    const { check, length, layout, cut, noise: bytes } = wired.bus.counts;
    expect(check + length + layout + cut + bytes).toBeGreaterThan(10);
    wired.far.leave(second);
    recover(wired);
    expect(isLetIn(wired, sick)).toBe(true);
  }
});

test("a line on which somebody never stops is not given up, and nothing piles up", () => {
  for (const flood of [
    () => noise(400),
    // The beginning of the longest frame there can be, over and over.
    () => Uint8Array.from({ length: 400 }, (_, at) => [0x53, 0x80 + sick, 0xa0, 0x05][at % 4] ?? 0),
  ]) {
    const wired = settled();
    const from = wired.now;
    while (wired.now < later(from, 10_000)) {
      wired.by(stranger, flood());
      wired.run((400 * 10_000) / baud);
    }
    expect(wired.addresses("offline")).toEqual([0, 1, 2]);
    recover(wired);
    expect([0, 1, 2].map((address) => isLetIn(wired, address))).toEqual([true, true, true]);
  }
});

test("bytes that trickle in after the beginning of a frame hold the line up for a moment, and not for good", () => {
  const wired = settled();
  const since = wired.now;
  lineOf(
    wired,
    ofSick((said) =>
      calm(
        over(said)
          .with(2, longestFrame & 0xff)
          .with(3, longestFrame >> 8),
      ),
    ),
  );
  while (wired.now < later(since, 10_000)) {
    wired.by(stranger, Uint8Array.of(0x00));
    wired.run(100);
  }
  for (const address of innocents) expect(wired.longestPause(address, since)).toBeLessThan(1_500);
  expect(wired.addresses("offline").filter((address) => address !== sick)).toEqual([]);
});

test("a port that vanishes takes all readers offline after a while, and they are back when it is", () => {
  const wired = settled();
  const [since, channels] = [wired.now, wired.sessions.map(({ counts }) => counts.channels)];
  wired.unplug();
  wired.run(4_000);
  wired.plug();
  wired.run(2_000);
  // So short that nobody has given up.
  expect(wired.addresses("offline", since)).toEqual([]);
  expect(wired.sessions.map(({ counts }) => counts.channels)).toEqual(channels);
  expect([0, 1, 2].map((address) => isLetIn(wired, address))).toEqual([true, true, true]);

  wired.unplug();
  const gone = wired.now;
  wired.run(60_000);
  expect(wired.addresses("offline", since)).toEqual([0, 1, 2]);
  expect(wired.is("offline", since).every(({ at }) => at - gone < 9_000)).toBe(true);
  wired.plug();
  wired.run(3_000);
  expect(wired.addresses("online", since)).toEqual([0, 1, 2]);
  expect([0, 1, 2].map((address) => isLetIn(wired, address))).toEqual([true, true, true]);
});

test("a port that vanishes in the middle of anything is found again, at whatever moment it was", () => {
  const wired = settled();
  for (let moment = 0; moment < 40; moment += 1) {
    wired.run(1_000 + moment * 1.7);
    wired.unplug();
    wired.run(300);
    wired.plug();
  }
  wired.run(2_000);
  expect(wired.is("offline")).toEqual([]);
  expect([0, 1, 2].map((address) => isLetIn(wired, address))).toEqual([true, true, true]);
});

test("who is there comes online on a line on which most are not, as soon as each of those was asked once", () => {
  const wired = new Wired({ count: 60, baud });
  const there = [0, 20, 59];
  for (const [address, reader] of wired.readers.entries()) if (!there.includes(address)) wired.far.leave(reader);
  // Each of those who are away is waited for once, before the last one has its first turn.
  wired.runUntil(() => wired.addresses("online").length === there.length, 20_000);
  expect(wired.addresses("online")).toEqual(there);
});
