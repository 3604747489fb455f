import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instant, instant, later } from "../../../agent/domain/instant.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import { decodeCommand } from "../../../drivers/osdp/commands.ts";
import { decodeFrame, encodeFrame, type Frame } from "../../../drivers/osdp/frame.ts";
import type { Happening } from "../../../drivers/osdp/happening.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { defaultKey } from "../../../drivers/osdp/key-strength.ts";
import { encodeReply, type Reply } from "../../../drivers/osdp/replies.ts";
import {
  clientCryptogram,
  firstMac,
  type SessionKeys,
  serverCryptogram,
  sessionKeys,
  unwrap,
  wrap,
} from "../../../drivers/osdp/secure-channel.ts";
import { Session } from "../../../drivers/osdp/session.ts";
import type { SessionOptions } from "../../../drivers/osdp/session-options.ts";
import { isLong } from "../../support/long.ts";
import { bytesOf, fromHex, scenarioOf, toHex } from "./trace.ts";

const site = new Uint8Array(16).map((_, at) => at * at + 3);
const start = instant(1_000_000);
const plainCard: Reply = { reply: "RAW", reader: 0, format: 1, card: new Secret("26:bd88eb80") };

/**
 * A reader that keeps the rules, as small as can be: it has keys, answers repeats from its store, and tells one card when it
 * is polled. It is here to be lied about; the persona is another.
 */
class SmallReader {
  keys: readonly Key[] = [new Key(site)];
  cards: Reply[] = [];
  takesKeys = true;
  readonly done: string[] = [];
  #last: { readonly hex: string; readonly reply: Uint8Array } | undefined;
  #random: Uint8Array = new Uint8Array();
  #session: { readonly keys: SessionKeys; mac: Uint8Array } | undefined;
  #begun: SessionKeys | undefined;

  reset(): void {
    this.#session = undefined;
    this.#last = undefined;
  }

  answer(bytes: Uint8Array): Uint8Array {
    const frame = decodeFrame(bytes);
    if (typeof frame === "string") throw new Error(frame);
    if (this.#last?.hex === toHex(bytes)) return this.#last.reply;
    if (frame.sequence === 0) this.reset();
    const reply = this.#answer(frame, bytes);
    this.#last = { hex: toHex(bytes), reply };
    return reply;
  }

  #answer(frame: Frame, bytes: Uint8Array): Uint8Array {
    if (frame.security?.type === 0x11) return this.#challenged(frame);
    if (frame.security?.type === 0x13) return this.#proven(frame);
    if (frame.mac) return this.#inChannel(frame, bytes);
    if (frame.code === 0x61) return this.#clear(frame, { reply: "other", code: 0x45, data: new Uint8Array(12) });
    return this.#clear(frame, { reply: "NAK", error: 6, details: new Uint8Array() });
  }

  #clear(frame: Frame, reply: Reply, type?: number): Uint8Array {
    const security = type === undefined ? {} : { security: { type, data: frame.security?.data ?? Uint8Array.of(1) } };
    return encodeFrame({ ...frame, ...security, ...encodeReply(reply), isReply: true });
  }

  #challenged(frame: Frame): Uint8Array {
    const key = frame.security?.data[0] === 0 ? this.keys.find(isDefault) : this.keys.find((one) => !isDefault(one));
    if (!key)
      return this.#clear({ ...frame, security: undefined! }, { reply: "NAK", error: 5, details: new Uint8Array() });
    this.#random = fromHex("a0a1a2a3a4a5a6a7");
    this.#begun = sessionKeys(key, frame.data);
    const cryptogram = clientCryptogram(this.#begun, frame.data, this.#random);
    const server = serverCryptogram(this.#begun, frame.data, this.#random);
    this.#session = { keys: this.#begun, mac: server };
    return this.#clear(frame, { reply: "CCRYPT", cuid: new Uint8Array(8), random: this.#random, cryptogram }, 0x12);
  }

  #proven(frame: Frame): Uint8Array {
    if (!this.#session) return this.#gone(frame);
    const mac = firstMac(this.#session.keys, frame.data);
    this.#session = { keys: this.#session.keys, mac };
    return this.#clear({ ...frame, security: { type: 0x14, data: Uint8Array.of(1) } }, { reply: "RMAC_I", mac }, 0x14);
  }

  #inChannel(frame: Frame, bytes: Uint8Array): Uint8Array {
    const opened = this.#session ? unwrap({ frame, bytes }, this.#session.keys, this.#session.mac) : "mac";
    if (typeof opened === "string") return this.#gone(frame);
    const wrapped = wrap(
      { ...frame, ...encodeReply(this.#does(frame.code, opened.data)), isReply: true },
      this.#session!.keys,
      opened.mac,
    );
    this.#session!.mac = wrapped.mac;
    return wrapped.bytes;
  }

  #gone(frame: Frame): Uint8Array {
    this.reset();
    const { security: _, mac: __, ...bare } = frame;
    return encodeFrame({ ...bare, code: 0x41, data: Uint8Array.of(6), isReply: true });
  }

  #does(code: number, data: Uint8Array): Reply {
    const command = decodeCommand(code, data);
    if (command?.command === "POLL") return this.cards.shift() ?? { reply: "ACK" };
    if (command?.command === "KEYSET" && !this.takesKeys) return { reply: "NAK", error: 9, details: new Uint8Array() };
    if (command?.command === "KEYSET") this.keys = [command.key];
    this.done.push(command?.command ?? "?");
    return command?.command === "TEXT" ? { reply: "NAK", error: 3, details: new Uint8Array() } : { reply: "ACK" };
  }
}

const isDefault = (key: Key): boolean => toHex(key.reveal()) === toHex(defaultKey().reveal());

/** A session, a reader, and the line between them. */
class Bench {
  readonly reader = new SmallReader();
  readonly session: Session;
  readonly happenings: Happening[] = [];
  readonly sent: string[] = [];
  now: Instant = start;
  /** What the line makes of what comes back; undefined: nothing comes. */
  line: (reply: Uint8Array) => Uint8Array | undefined = (reply) => reply;
  /** Whether a command gets through. */
  out: () => boolean = () => true;
  #count = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Session({
      address: 1,
      check: "crc",
      security: "required",
      keys: [new Key(site)],
      random: (length) => Uint8Array.from({ length }, () => (this.#count += 1)),
      pollEvery: 50,
      questions: [{ command: "LSTAT" }],
      ...options,
    });
  }

  /** Gives it the turn, as often as it wants it, for so long. */
  run(ms: number): this {
    const end = later(this.now, ms);
    while (this.now < end) {
      this.turn();
      const due = this.session.due(this.now) ?? this.now;
      this.now = instant(Math.min(Math.max(due, this.now + 10), end));
    }
    this.session.tick(this.now);
    this.happenings.push(...this.session.take());
    return this;
  }

  turn(): void {
    const bytes = this.session.turn(this.now);
    if (!bytes) return;
    this.sent.push(toHex(bytes));
    const reply = this.out() ? this.line(this.reader.answer(bytes.subarray(1))) : undefined;
    const frame = reply && decodeFrame(reply);
    const isOver = reply && typeof frame === "object" && this.session.hear({ frame, bytes: reply }, this.now);
    if (!isOver) {
      this.now = later(this.now, 200);
      this.session.silence(this.now);
    }
    this.happenings.push(...this.session.take());
  }

  of(...kinds: Happening["happening"][]): readonly Happening[] {
    return this.happenings.filter(({ happening }) => kinds.includes(happening));
  }

  get cards(): readonly boolean[] {
    return this.happenings.flatMap((one) => (one.happening === "card" ? [one.stale] : []));
  }

  /** All that was ever said under the key that everybody knows. */
  get underDefaultKey(): readonly string[] {
    return this.sent.filter((hex) => hex.includes("031100") || hex.includes("031300"));
  }
}

const online = (options: Partial<SessionOptions> = {}): Bench => {
  const bench = new Bench(options).run(1_000);
  bench.happenings.length = 0;
  return bench;
};

const order = { command: "OUT", outputs: [{ output: 0, code: 5, timer: 30 }] } as const;

/** Of a command as it went over the line, mark and all. */
const codeOf = (hex = ""): number | undefined => {
  const frame = decodeFrame(fromHex(hex).subarray(1));
  return typeof frame === "string" ? undefined : frame.code;
};

const clearReply = (reply: Uint8Array, code: number, data: Uint8Array): Uint8Array => {
  const frame = decodeFrame(reply);
  if (typeof frame === "string") throw new Error(frame);
  const { security: _, mac: __, ...bare } = frame;
  return encodeFrame({ ...bare, code, data });
};

test("a reader comes online, is polled, and is offline eight seconds after its last word", () => {
  const bench = new Bench().run(2_000);
  expect(bench.of("online", "offline")).toEqual([{ happening: "online" }]);
  expect(bench.session.counts.commands).toBeGreaterThan(35);
  const silent = bench.now;
  bench.line = () => undefined;
  bench.run(7_900);
  expect(bench.session.isOnline).toBe(true);
  bench.run(300);
  expect(bench.of("online", "offline")).toEqual([{ happening: "online" }, { happening: "offline" }]);
  expect(bench.now - silent).toBeLessThan(8_500);
  bench.line = (reply) => reply;
  bench.run(60_000);
  expect(bench.of("online", "offline")).toHaveLength(3);
});

test("a dead reader is looked for ever less often, down to twice a minute", () => {
  const bench = new Bench();
  bench.out = () => false;
  bench.run(600_000);
  expect(bench.sent.length).toBeGreaterThan(20);
  expect(bench.sent.length).toBeLessThan(40);
  // It is polled now and then, for readers that say nothing else before that.
  expect(bench.sent.some((hex) => hex === "ff530108000460ba00")).toBe(true);
});

test("a reader that goes offline while it is looked for is not looked for later because of that", () => {
  const bench = online();
  const tries: Instant[] = [];
  bench.out = () => {
    tries.push(bench.now);
    return false;
  };
  // Its end is the end of the session, long before the reader is offline.
  bench.session.want({ id: "1", command: order, deadline: later(bench.now, 500) });
  bench.run(100_000);
  expect(bench.of("offline")).toHaveLength(1);
  const seconds = tries.slice(1).map((at, nth) => Math.floor((at - (tries[nth] ?? at)) / 1_000));
  expect(seconds.filter((pause) => pause > 0)).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

test.for([
  ["the challenge", 0x76],
  ["the proof", 0x77],
] as const)("a handshake whose line was lost after %s is not gone on with when that is back", ([, last]) => {
  const bench = online();
  bench.reader.reset();
  bench.line = (reply) => (codeOf(bench.sent.at(-1)) === last ? undefined : reply);
  while (codeOf(bench.sent.at(-1)) !== last) bench.run(10);
  // Without a line nobody has a turn.
  for (let waited = 0; waited < 20_000; waited += 100) bench.session.tick((bench.now = later(bench.now, 100)));
  bench.reader.reset();
  bench.line = (reply) => reply;
  bench.run(500);
  expect(bench.of("offline", "online", "suspect")).toEqual([{ happening: "offline" }, { happening: "online" }]);
});

test("a line that is lost for less than eight seconds loses no card, and tells none twice", () => {
  const bench = online();
  bench.line = () => undefined;
  bench.reader.cards.push(plainCard);
  bench.run(6_000);
  bench.line = (reply) => reply;
  bench.run(3_000);
  expect(bench.cards).toEqual([false]);
  expect(bench.of("offline")).toEqual([]);
});

test("any pattern of losses tells each card at most once, and once where the session survives", {
  timeout: 300_000,
}, () => {
  const pattern = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(pattern, pattern, fc.integer({ min: 1, max: 5 }), (outward, back, count) => {
      const bench = online();
      for (let card = 0; card < count; card += 1) bench.reader.cards.push(plainCard);
      const [lostOut, lostBack] = [[...outward], [...back]];
      bench.out = () => lostOut.shift() !== true;
      bench.line = (reply) => (lostBack.shift() === true ? undefined : reply);
      bench.run(20_000);
      // The worst of them are not over by then.
      for (let more = 0; more < 4 && bench.cards.length < count; more += 1) bench.run(10_000);
      const survived = bench.session.counts.restarts === 0;
      expect(bench.cards.length).toBeLessThanOrEqual(count);
      expect(survived ? bench.cards : count).toEqual(survived ? Array.from({ length: count }, () => false) : count);
    }),
    { numRuns: isLong ? 200 : 20 },
  );
});

test("a reader that is busy is asked again with the same bytes", () => {
  const bench = online();
  let times = 3;
  bench.line = (reply) => {
    times -= 1;
    return times < 0 ? reply : fromHex("53810800047972a1");
  };
  const before = bench.sent.length;
  bench.run(600);
  expect(new Set(bench.sent.slice(before, before + 4)).size).toBe(1);
  expect(bench.session.counts).toMatchObject({ busy: 3, restarts: 0 });
});

const resultsOf = (bench: Bench): unknown =>
  bench.of("result").map((one) => (one.happening === "result" ? one.result : 0));

describe("an order to an output", () => {
  test("is sent at once, before other commands, and its result is told", () => {
    const bench = online();
    bench.session.want({
      id: "text",
      command: { command: "TEXT", reader: 0, kind: 1, seconds: 0, row: 1, column: 1, text: "" },
    });
    bench.session.want({ id: "out", command: order, deadline: later(bench.now, 2_000) });
    bench.run(500);
    expect(bench.of("result")).toEqual([
      { happening: "result", id: "out", result: { result: "done" } },
      { happening: "result", id: "text", result: { result: "refused", error: 3 } },
    ]);
    expect(bench.of("offline")).toEqual([]);
  });

  test("is not sent where the reader is offline, nor after its deadline", () => {
    const bench = new Bench();
    bench.session.want({ id: "1", command: order, deadline: later(start, 2_000) });
    expect(bench.session.take()).toEqual([{ happening: "result", id: "1", result: { result: "unsent" } }]);
    const up = online();
    up.session.want({ id: "2", command: order, deadline: up.now });
    up.run(500);
    expect(resultsOf(up)).toEqual([{ result: "unsent" }]);
    expect(up.reader.done).not.toContain("OUT");
  });

  test("is not repeated after its deadline, and nobody knows then what came of it", () => {
    const bench = online();
    bench.out = () => false;
    bench.session.want({ id: "1", command: order, deadline: later(bench.now, 2_000) });
    bench.run(2_500);
    expect(resultsOf(bench)).toEqual([{ result: "unknown" }]);
    bench.out = () => true;
    bench.run(3_000);
    expect(bench.reader.done).not.toContain("OUT");
    expect(bench.session.isOnline).toBe(true);
  });

  test("is not repeated where it is not wanted any more, and nobody knows then what came of it", () => {
    const bench = online();
    bench.out = () => false;
    let isOver = false;
    bench.session.want({ id: "1", command: order, deadline: later(bench.now, 2_000), isOver: () => isOver });
    bench.run(300);
    expect(bench.of("result")).toEqual([]);
    isOver = true;
    bench.out = () => true;
    bench.run(3_000);
    expect(bench.reader.done).not.toContain("OUT");
    expect(resultsOf(bench)).toEqual([{ result: "unknown" }]);
    expect(bench.session.isOnline).toBe(true);
  });

  test("is said once more, in time, to a reader that had lost the session", () => {
    const bench = online();
    bench.reader.reset();
    bench.session.want({ id: "1", command: order, deadline: later(bench.now, 2_000) });
    bench.run(1_000);
    expect(bench.reader.done.filter((done) => done === "OUT")).toEqual(["OUT"]);
    expect(resultsOf(bench)).toEqual([{ result: "done" }]);
  });

  test("is not said once more where it was repeated: the reader may have acted before it lost the session", () => {
    const bench = online();
    bench.line = (reply) => {
      if (!bench.reader.done.includes("OUT")) return reply;
      bench.line = (next) => next;
      bench.reader.reset();
      return undefined;
    };
    bench.session.want({ id: "1", command: order, deadline: later(bench.now, 3_000) });
    bench.run(4_000);
    expect(bench.reader.done.filter((done) => done === "OUT")).toEqual(["OUT"]);
    expect(resultsOf(bench)).toEqual([{ result: "unknown" }]);
    expect(bench.session.isOnline).toBe(true);
  });

  test("is said twice at most, however often a reader loses the session", () => {
    const bench = online();
    bench.line = (reply) => {
      bench.reader.reset();
      return reply;
    };
    bench.session.want({ id: "1", command: order, deadline: later(bench.now, 30_000) });
    bench.reader.reset();
    bench.run(20_000);
    expect(resultsOf(bench)).toHaveLength(1);
    expect(bench.reader.done.filter((done) => done === "OUT").length).toBeLessThanOrEqual(2);
  });
});

test("a card that a reader has kept over a new session is told once, as stale", () => {
  const bench = online();
  bench.reader.reset();
  bench.reader.cards.push(plainCard, plainCard);
  bench.run(1_000);
  expect(bench.cards).toEqual([true, true]);
  bench.reader.cards.push(plainCard);
  bench.run(1_000);
  expect(bench.cards).toEqual([true, true, false]);
});

describe("the attacks on OSDP of 2023, and what the reference adds to them", () => {
  test("1. encryption is optional: without a key no reader comes online, and no card counts", () => {
    const bench = new Bench({ keys: [] });
    bench.line = (reply) => clearReply(reply, 0x50, fromHex("00011a00bd88eb80"));
    bench.run(30_000);
    expect(bench.of("online", "card")).toEqual([]);
    expect(bench.of("unpaired").length).toBeGreaterThan(1);
    expect(bench.underDefaultKey).toEqual([]);
  });

  test("2. a downgrade by capabilities in clear changes nothing: a reader with a key is spoken to in the channel only", () => {
    const bench = new Bench({
      greeting: [
        { command: "ID", kind: 0 },
        { command: "CAP", kind: 0 },
      ],
    });
    bench.line = (reply) => {
      const frame = decodeFrame(reply);
      const isCap = typeof frame === "object" && frame.code === 0x41 && !frame.mac;
      return isCap ? clearReply(reply, 0x46, fromHex("090000080000")) : reply;
    };
    bench.run(1_000);
    expect(bench.of("online")).toHaveLength(1);
    expect(bench.of("abilities")).toEqual([]);
    expect(bench.session.counts.channels).toBe(1);
  });

  test("3. a reader that asks for the key that everybody knows does not get it, and is an alarm", () => {
    const bench = new Bench();
    bench.reader.keys = [defaultKey()];
    bench.run(120_000);
    expect(bench.underDefaultKey).toEqual([]);
    expect(bench.of("suspect")[0]).toEqual({ happening: "suspect", why: "key_refused", alarm: true });
    expect(bench.of("online")).toEqual([]);
    const other = new Bench();
    // It answers as if it had been asked for with the selector 0.
    other.line = (reply) => (reply[4] === 0x0d && reply[6] === 0x12 ? withSelector(reply, 0) : reply);
    other.run(60_000);
    expect(other.of("suspect")[0]).toEqual({ happening: "suspect", why: "default_key", alarm: true });
    expect(other.underDefaultKey).toEqual([]);
  });

  test("4. no key is sent but under a key of the reader's own, or while somebody pairs it", () => {
    const bench = online();
    bench.reader.keys = [defaultKey()];
    bench.reader.reset();
    bench.run(60_000);
    expect(bench.reader.done).not.toContain("KEYSET");
    expect(bench.underDefaultKey).toEqual([]);
  });

  test("5. a MAC of four bytes: each wrong one ends the session, tries come ever less often, the third is an alarm", () => {
    const bench = online();
    let isBad = true;
    bench.line = (reply) => (isBad && reply[6] === 0x16 ? damagedMac(reply) : reply);
    bench.run(600_000);
    const suspects = bench.of("suspect");
    expect(suspects.slice(0, 3).map((one) => one.happening === "suspect" && [one.why, one.alarm])).toEqual([
      ["mac", false],
      ["mac", false],
      ["mac", true],
    ]);
    // 1 + 2 + 4 + … + 32 s, then one a minute: not more than 16 in ten minutes.
    expect(suspects.length).toBeLessThanOrEqual(16);
    isBad = false;
    bench.run(70_000);
    expect(bench.session.isOnline).toBe(true);
  });

  test.each([
    ["a card", 0x50, "00011a00bd88eb80"],
    ["keys", 0x53, "000131"],
    ["a formatted card", 0x51, "00010131"],
    ["an input", 0x49, "0100"],
    ["an ACK", 0x40, ""],
  ])("%s in clear ends the session, and is not used", (_, code, hex) => {
    const bench = online();
    bench.line = (reply) => clearReply(reply, code, fromHex(hex));
    bench.run(200);
    expect(bench.of("card", "keys", "inputs")).toEqual([]);
    expect(bench.of("suspect")[0]).toEqual({ happening: "suspect", why: "clear", alarm: false });
    expect(bench.session.counts.breaches).toBe(1);
  });

  test("a recorded reply that is played again has a wrong MAC", () => {
    const bench = online();
    const replies: Uint8Array[] = [];
    bench.reader.cards.push(plainCard);
    bench.line = (reply) => {
      replies.push(reply);
      return reply;
    };
    bench.run(1_000);
    const recorded = replies.find((reply) => reply[6] === 0x18)!;
    // The number fits every third time.
    bench.line = (reply) => (reply[4] === recorded[4] ? recorded : reply);
    bench.run(400);
    expect(bench.cards).toEqual([false]);
    expect(bench.of("suspect")[0]).toEqual({ happening: "suspect", why: "mac", alarm: false });
  });

  test("commands of somebody else on the line are an alarm, and an echo of our own is none", () => {
    const bench = online();
    const bytes = bench.session.turn(later(bench.now, 100))!.subarray(1);
    expect(bench.session.hear({ frame: decodeFrame(bytes) as Frame, bytes }, bench.now)).toBe(false);
    expect(bench.session.take()).toEqual([]);
    const foreign = fromHex("530108000460ba00");
    expect(bench.session.hear({ frame: decodeFrame(foreign) as Frame, bytes: foreign }, bench.now)).toBe(false);
    expect(bench.session.take()).toEqual([{ happening: "suspect", why: "foreign_panel", alarm: true }]);
    expect(bench.session.isAwaiting).toBe(true);
  });

  test("a session under another address, or with another number, is not heard", () => {
    const bench = online();
    bench.session.turn(later(bench.now, 100));
    const other = bytesOf(scenarioOf("two-readers").frames[3]!);
    expect(bench.session.hear({ frame: decodeFrame(other) as Frame, bytes: other }, bench.now)).toBe(false);
    expect(bench.session.counts).toMatchObject({ foreign: 1, breaches: 0 });
  });
});

/** With the check made right again. */
const remade = (reply: Uint8Array, change: (frame: Frame) => Frame): Uint8Array => {
  const frame = decodeFrame(reply);
  if (typeof frame === "string") throw new Error(frame);
  return encodeFrame(change(frame));
};
const damagedMac = (reply: Uint8Array): Uint8Array =>
  remade(reply, (frame) => ({ ...frame, mac: frame.mac!.with(0, frame.mac![0]! ^ 1) }));
const withSelector = (reply: Uint8Array, selector: number): Uint8Array =>
  remade(reply, (frame) => ({ ...frame, security: { type: 0x12, data: Uint8Array.of(selector) } }));

describe("a change of keys", () => {
  const fresh = new Key(site.map((byte) => byte ^ 0x5a));

  test("counts once the reader has proven the new one", () => {
    const bench = online();
    bench.session.rotate(fresh);
    bench.run(1_000);
    expect(bench.of("key_proven", "offline", "suspect")).toEqual([{ happening: "key_proven", key: fresh }]);
    expect(bench.session.counts.channels).toBe(2);
  });

  test.each([
    ["was not heard by the reader", true, site],
    ["was heard, and its ACK lost", false, fresh.reveal()],
  ])("that %s ends with the key that the reader has", (_, isLostOut, held) => {
    const bench = online();
    bench.session.rotate(fresh);
    bench.out = () => !isLostOut;
    bench.line = () => undefined;
    bench.now = later(bench.now, 50);
    bench.turn();
    // The reader is restarted before it can be asked again.
    bench.reader.reset();
    bench.out = () => true;
    bench.line = (reply) => reply;
    bench.run(10_000);
    const [proven] = bench.of("key_proven");
    expect(proven?.happening === "key_proven" && toHex(proven.key.reveal())).toBe(toHex(held));
    expect(bench.of("offline")).toEqual([]);
  });

  test("that the reader refuses leaves it online with the key that it has", () => {
    const bench = online();
    bench.reader.takesKeys = false;
    bench.session.rotate(fresh);
    bench.run(3_000);
    expect(bench.of("key_refused", "key_proven", "offline")).toEqual([{ happening: "key_refused", error: 9 }]);
    expect(bench.session.counts.channels).toBe(1);
  });

  test("that was cut off by a restart of the panel is found out with either key", () => {
    for (const held of [site, fresh.reveal()]) {
      const bench = new Bench({ keys: [fresh, new Key(site)] });
      bench.reader.keys = [new Key(held)];
      bench.run(2_000);
      const [proven] = bench.of("key_proven");
      expect(proven?.happening === "key_proven" && toHex(proven.key.reveal())).toBe(toHex(held));
      expect(bench.of("suspect")).toEqual([]);
    }
  });
});

describe("pairing", () => {
  const fresh = new Key(site.map((byte) => byte ^ 0x33));

  test("gives a reader in its install mode a key, and ends", () => {
    const bench = new Bench({ keys: [] });
    bench.reader.keys = [defaultKey()];
    bench.reader.cards.push(plainCard);
    bench.session.pair(fresh, later(start, 600_000), start);
    bench.run(3_000);
    expect(bench.of("key_proven", "pairing_over", "online", "suspect")).toEqual([
      { happening: "key_proven", key: fresh },
      { happening: "pairing_over", paired: true },
      { happening: "online" },
    ]);
    expect(bench.underDefaultKey).toHaveLength(2);
    // What was said under the key that everybody knows was not used; what comes first after that is stale.
    expect(bench.cards).toEqual([true]);
  });

  test("ends where the reader refuses the key", () => {
    const bench = new Bench({ keys: [] });
    bench.reader.keys = [defaultKey()];
    bench.reader.takesKeys = false;
    bench.session.pair(fresh, later(start, 600_000), start);
    bench.run(60_000);
    expect(bench.of("key_refused", "pairing_over", "online")).toEqual([
      { happening: "key_refused", error: 9 },
      { happening: "pairing_over", paired: false },
    ]);
    expect(bench.underDefaultKey).toHaveLength(2);
  });

  test("ends in time, and nothing is said under the key that everybody knows after that", () => {
    const bench = new Bench({ keys: [] });
    bench.session.pair(fresh, later(start, 60_000), start);
    bench.run(61_000);
    const tries = bench.underDefaultKey.length;
    expect(tries).toBeGreaterThan(1);
    expect(bench.of("pairing_over")).toEqual([{ happening: "pairing_over", paired: false }]);
    bench.reader.keys = [defaultKey()];
    bench.run(600_000);
    expect(bench.underDefaultKey).toHaveLength(tries);
    expect(bench.of("online")).toEqual([]);
  });
});

test("nothing that a session tells prints a card, keys or a key", () => {
  const bench = online();
  bench.reader.cards.push(plainCard, { reply: "KEYPAD", reader: 0, keys: new Secret("47\r") });
  bench.session.rotate(new Key(site.map((byte) => byte ^ 0x5a)));
  bench.run(2_000);
  expect(bench.of("card", "keys", "key_proven")).toHaveLength(3);
  expect(JSON.stringify(bench.happenings)).not.toMatch(/bd88eb80|47#/);
});

test("close() says what it can of what was asked, and wipes the keys", () => {
  const key = new Key(site);
  const bench = online({ keys: [key] });
  bench.session.want({ id: "1", command: { command: "OSTAT" } });
  bench.session.want({ id: "2", command: { command: "OSTAT" } });
  bench.session.turn(bench.now);
  bench.session.close(bench.now);
  expect(bench.session.take()).toEqual([
    { happening: "result", id: "1", result: { result: "unknown" } },
    { happening: "result", id: "2", result: { result: "unsent" } },
  ]);
  expect(toHex(key.reveal())).toBe("00".repeat(16));
});
