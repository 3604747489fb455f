import { describe, expect, test } from "vitest";
import { type Instant, later } from "../../../agent/domain/instant.ts";
import { Deframer, type Received } from "../../../drivers/osdp/deframer.ts";
import { encodeFrame, type Frame, mark } from "../../../drivers/osdp/frame.ts";
import type { Suspicion } from "../../../drivers/osdp/happening.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import type { Station } from "../../../simulator/osdp-line.ts";
import { calm } from "../../../simulator/osdp-weather.ts";
import { frameIn, Wired } from "../../support/osdp-wired.ts";
import { fromHex, toHex } from "./trace.ts";

/*
 * Somebody on the line of two readers: he hears all, says what he likes, and changes what is said (reference 3.7). What a
 * session refuses is in session.test.ts; here is what comes of it on a line, with readers whose session code is another.
 */

const baud = 38_400;
const card = "00011a00bd88eb80";
const codes = { ack: 0x40, raw: 0x50, keypad: 0x53, out: 0x68, comset: 0x6e, keyset: 0x75, challenge: 0x76 } as const;

class Intruder implements Station {
  readonly baud = baud;
  readonly heard: (Received & { readonly at: Instant })[] = [];
  /** All bytes that went over the line. */
  readonly bytes: number[] = [];
  /** What he answers to a command, in place of a reader. */
  answer: (command: Frame) => Uint8Array | undefined = () => undefined;
  readonly #wired: Wired;
  readonly #deframer = new Deframer();

  constructor(wired: Wired) {
    this.#wired = wired;
    wired.far.line.join(this);
  }

  readonly hear = (bytes: Uint8Array, at: Instant): void => {
    this.bytes.push(...bytes);
    for (const received of this.#deframer.push(bytes)) {
      this.heard.push({ ...received, at });
      const said = received.frame.isReply ? undefined : this.answer(received.frame);
      if (said) this.#wired.far.line.say(this, Uint8Array.of(mark, ...said), later(at, 3));
    }
  };

  /** Says something again and again, in the hope that nobody speaks just then. */
  insist(...said: readonly Uint8Array[]): void {
    for (let time = 0; time < 30; time += 1) {
      for (const bytes of said) {
        this.#wired.by(this, Uint8Array.of(mark, ...bytes));
        this.#wired.run(31);
      }
    }
  }

  commands(code: number): readonly Frame[] {
    return this.heard.flatMap(({ frame }) => (!frame.isReply && frame.code === code ? [frame] : []));
  }
}

function settled(): { readonly wired: Wired; readonly intruder: Intruder } {
  const wired = new Wired({ count: 2, baud, strike: 1, pollEvery: 200 });
  const intruder = new Intruder(wired);
  wired.run(2_000);
  expect(wired.addresses("online")).toEqual([0, 1]);
  return { wired, intruder };
}

function isLetIn(wired: Wired, address: number): boolean {
  const since = wired.now;
  wired.show(address);
  wired.run(1_000);
  return wired.strikes(address, since) === 1;
}

const suspicions = (wired: Wired, since: Instant): readonly { why: Suspicion; alarm: boolean }[] =>
  wired
    .is("suspect", since)
    .flatMap(({ happening }) =>
      happening.happening === "suspect" ? [{ why: happening.why, alarm: happening.alarm }] : [],
    );

const clear = (command: Pick<Frame, "address" | "sequence">, code: number, hex = "", isReply = true): Uint8Array =>
  encodeFrame({
    address: command.address,
    sequence: command.sequence,
    isReply,
    check: "crc",
    code,
    data: fromHex(hex),
  });

/** The real reader is off the line; whoever likes may say that he is it. */
function replaced(wired: Wired, address: number): void {
  const [reader] = [wired.readers[address]];
  if (reader) wired.far.leave(reader);
}

function restored(wired: Wired, address: number): void {
  const [reader] = [wired.readers[address]];
  if (reader) wired.far.join(reader);
}

/** A card was shown at reader 0, and all that was said with it since the start is known. */
function recorded(): { wired: Wired; intruder: Intruder; heard: readonly Received[] } {
  const { wired, intruder } = settled();
  expect(isLetIn(wired, 0)).toBe(true);
  return { wired, intruder, heard: intruder.heard.filter(({ frame }) => frame.address === 0) };
}

describe("whoever has recorded a card and what followed", () => {
  test("moves no strike with the panel's commands, and is an alarm", () => {
    const { wired, intruder, heard } = recorded();
    const since = wired.now;
    const commands = heard.filter(({ frame }) => !frame.isReply).map(({ bytes }) => bytes);
    const orders = commands.filter((bytes) => frameIn(bytes)?.code === codes.out);
    expect(orders).toHaveLength(1);
    intruder.insist(...orders);
    intruder.insist(...commands.slice(-10));
    expect(wired.strikes(0, since)).toBe(0);
    expect(suspicions(wired, since)).toContainEqual({ why: "foreign_panel", alarm: true });
    wired.run(20_000);
    expect([isLetIn(wired, 0), isLetIn(wired, 1)]).toEqual([true, true]);
  });

  test("is not taken for the reader by what it has said, and is an alarm", () => {
    const { wired, intruder, heard } = recorded();
    const since = wired.now;
    replaced(wired, 0);
    // To each command what was said to such a one with that number, in turn, from the greeting on.
    const asked = new Map(heard.map((one, nth) => [heard[nth + 1], one.frame]));
    let next = 0;
    intruder.answer = ({ address, code, sequence }) => {
      const fits = heard.filter(
        (one) => one.frame.isReply && asked.get(one)?.code === code && one.frame.sequence === sequence,
      );
      next += 1;
      return address === 0 ? fits[next % fits.length]?.bytes : undefined;
    };
    wired.run(30_000);
    expect(wired.is("card", since)).toEqual([]);
    expect(wired.strikes(0, since)).toBe(0);
    expect(wired.addresses("offline", since)).toEqual([0]);
    expect(suspicions(wired, since)[0]).toEqual({ why: "mac", alarm: false });
    expect(suspicions(wired, since)).toContainEqual({ why: "wrong_key", alarm: true });
    expect(isLetIn(wired, 1)).toBe(true);
    intruder.answer = () => undefined;
    restored(wired, 0);
    wired.run(65_000);
    expect(isLetIn(wired, 0)).toBe(true);
  });
});

test("who changes what a reader says in clear of itself changes nothing that counts", () => {
  const wired = new Wired({ count: 2, baud, pollEvery: 200 });
  let edited = 0;
  wired.far.line.weather = (said) => {
    const frame = frameIn(said);
    if (!frame?.isReply || frame.security || frame.code !== 0x45) return calm(said);
    edited += 1;
    // Another maker, another number; and then abilities that nobody has asked for, without the Secure Channel.
    const lie = encodeFrame({ ...frame, data: fromHex("ffffff0909ffffffff000000") });
    return [...calm(lie), ...calm(encodeFrame({ ...frame, code: 0x46, data: fromHex("090000") }))];
  };
  wired.run(5_000);
  expect(edited).toBeGreaterThan(1);
  expect(wired.addresses("online")).toEqual([0, 1]);
  const told = wired.is("identity").map(({ happening }) => happening);
  expect(told).toEqual(
    [0, 1].map(() => expect.objectContaining({ identity: expect.objectContaining({ vendor: "1c5fca" }) })),
  );
  expect(wired.is("abilities").map(({ happening }) => happening)).toEqual(
    [0, 1].map(() => expect.objectContaining({ abilities: expect.objectContaining({ outputs: 1 }) })),
  );
});

test("a blank reader in place of one with a key gets none, is not listened to, and is an alarm", () => {
  const { wired, intruder } = settled();
  const since = wired.now;
  replaced(wired, 0);
  const blank = wired.reader(0, undefined);
  wired.far.join(blank);
  for (let minute = 0; minute < 5; minute += 1) {
    blank.present({ report: "card", format: 1, bits: "26:bd88eb80" }, wired.now);
    wired.run(60_000);
  }
  expect(suspicions(wired, since)[0]).toEqual({ why: "key_refused", alarm: true });
  expect(wired.addresses("offline", since)).toEqual([0]);
  expect(wired.is("card", since)).toEqual([]);
  expect(blank.keyring.own).toBeUndefined();
  expect(intruder.commands(codes.keyset)).toEqual([]);
  const selectors = new Set(intruder.commands(codes.challenge).map(({ security }) => security?.data[0]));
  expect([...selectors]).toEqual([1]);

  wired.far.leave(blank);
  restored(wired, 0);
  wired.run(65_000);
  expect(isLetIn(wired, 0)).toBe(true);
});

describe.each([
  ["a card", codes.raw, card],
  ["a PIN", codes.keypad, "0005343731310d"],
])("%s in clear", (_, code, hex) => {
  test("from somebody in place of the reader is not used, and is an alarm", () => {
    const { wired, intruder } = settled();
    const since = wired.now;
    replaced(wired, 0);
    intruder.answer = (command) => (command.address === 0 ? clear(command, code, hex) : undefined);
    wired.run(60_000);
    expect(wired.addresses("card", since)).toEqual([]);
    expect(wired.addresses("keys", since)).toEqual([]);
    expect(wired.strikes(0, since)).toBe(0);
    expect(suspicions(wired, since)[0]).toEqual({ why: "clear", alarm: false });
    expect(suspicions(wired, since)).toContainEqual({ why: "clear", alarm: true });
    expect(isLetIn(wired, 1)).toBe(true);
  });

  test("under the numbers of the session, before the reader has answered, is not used", () => {
    const { wired, intruder } = settled();
    const since = wired.now;
    // He is faster than the reader, which is heard as well: the line is his as much as the reader's.
    wired.readers[0]?.behave({ reply_ms: [80, 80] });
    intruder.answer = (command) => (command.address === 0 && command.security ? clear(command, code, hex) : undefined);
    wired.run(20_000);
    expect(wired.addresses("card", since)).toEqual([]);
    expect(wired.addresses("keys", since)).toEqual([]);
    expect(suspicions(wired, since)).toContainEqual({ why: "clear", alarm: true });
    expect(isLetIn(wired, 1)).toBe(true);
  });
});

test("a card that is changed on its way, with its check made right, is not used, and not lost to a guess", () => {
  const { wired } = settled();
  const since = wired.now;
  let changed = 0;
  wired.far.line.weather = (said) => {
    const frame = frameIn(said);
    if (!frame?.isReply || frame.code !== codes.raw) return calm(said);
    changed += 1;
    return calm(encodeFrame({ ...frame, data: frame.data.with(5, (frame.data[5] ?? 0) ^ 0x10) }));
  };
  wired.show(0);
  wired.run(5_000);
  expect(changed).toBe(1);
  expect(wired.is("card", since).filter(({ happening }) => happening.happening === "card" && !happening.stale)).toEqual(
    [],
  );
  expect(suspicions(wired, since)[0]).toEqual({ why: "mac", alarm: false });
});

test("commands in clear, or under the key that everybody knows, move nothing, and are an alarm", () => {
  const { wired, intruder } = settled();
  const since = wired.now;
  const reader = wired.readers[0];
  const to = { address: 0, sequence: 0 };
  intruder.insist(
    clear(to, codes.out, "00051e00", false),
    clear(to, codes.comset, "0580250000", false),
    clear(to, codes.keyset, `0110${"a5".repeat(16)}`, false),
    encodeFrame({
      ...to,
      isReply: false,
      check: "crc",
      security: { type: 0x11, data: Uint8Array.of(0) },
      code: codes.challenge,
      data: fromHex("0102030405060708"),
    }),
  );
  expect(wired.strikes(0, since)).toBe(0);
  expect(reader?.address).toBe(0);
  expect(toHex(reader?.keyring.own ?? new Uint8Array())).toBe(toHex(wired.keys[0] ?? new Uint8Array()));
  expect(suspicions(wired, since)).toContainEqual({ why: "foreign_panel", alarm: true });
  // Of each reader once: he may go on all day.
  expect(suspicions(wired, since).filter(({ why }) => why === "foreign_panel").length).toBeLessThanOrEqual(2);
  wired.run(60_000);
  expect(isLetIn(wired, 0)).toBe(true);
});

test("another panel on the line is noticed while nobody of ours is asked", () => {
  const { wired, intruder } = settled();
  const since = wired.now;
  // To a reader that is none of ours.
  const rival = clear({ address: 9, sequence: 0 }, 0x60, "", false);
  wired.runUntil(
    () => wired.bus.next(wired.now) !== undefined && wired.now - (wired.spoken.at(-1)?.at ?? wired.now) > 15,
    1_000,
  );
  wired.by(intruder, rival);
  wired.run(10);
  expect(wired.bus.counts.unasked).toBe(1);
  expect(suspicions(wired, since)).toEqual([{ why: "foreign_panel", alarm: true }]);
});

test("a new key goes over the line once, when it is wanted, and under the old one", () => {
  const { wired, intruder } = settled();
  const fresh = wired.bytes(16);
  wired.readers[0]?.power(false, wired.now);
  wired.run(20_000);
  wired.readers[0]?.power(true, wired.now);
  wired.run(40_000);
  expect(intruder.commands(codes.keyset)).toEqual([]);
  wired.sessions[0]?.rotate(new Key(Uint8Array.from(fresh)));
  wired.run(3_000);
  expect(intruder.commands(codes.keyset).map(({ security }) => security?.type)).toEqual([0x17]);
  expect(toHex(wired.readers[0]?.keyring.own ?? new Uint8Array())).toBe(toHex(fresh));
  expect(toHex(Uint8Array.from(intruder.bytes))).not.toContain(toHex(fresh));
  expect(isLetIn(wired, 0)).toBe(true);
});
