import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant, later } from "../../../agent/domain/instant.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import type { WireFrame } from "../../../agent/domain/wire-tools.ts";
import { decodeFrame, encodeFrame } from "../../../drivers/osdp/frame.ts";
import { newKey } from "../../../drivers/osdp/key-strength.ts";
import { Recording } from "../../../drivers/osdp/recording.ts";
import { redacted } from "../../../drivers/osdp/redact.ts";
import { encodeReply, type Reply } from "../../../drivers/osdp/replies.ts";
import { OsdpSite } from "../../support/osdp-site.ts";
import { bytesOf, scenarios, toHex } from "./trace.ts";

const card = "26:bd88eb80";
const typed = "493017";

/** All that is said at a site from now on; asked for as often as it has to be. */
class Listener {
  readonly frames: WireFrame[] = [];
  missed = 0;
  readonly #site: OsdpSite;
  #last: number;

  constructor(site: OsdpSite) {
    this.#site = site;
    this.#last = site.recording.ask(undefined).last;
  }

  run(ms: number): this {
    for (let left = ms; left > 0; left -= 200) {
      this.#site.run(Math.min(left, 200));
      const { frames, last, missed } = this.#site.recording.ask(this.#last);
      this.frames.push(...frames);
      this.missed += missed;
      this.#last = last;
    }
    return this;
  }

  named(name: string): readonly WireFrame[] {
    return this.frames.filter((frame) => frame.name === name);
  }

  /** As it goes to people and into files. */
  get text(): string {
    return this.frames
      .map(({ bytes, ...rest }) => `${JSON.stringify(rest)} ${toHex(bytes ?? new Uint8Array())}`)
      .join("\n");
  }
}

const show = (site: OsdpSite): void => {
  site.reader.present({ report: "card", format: 1, bits: card }, site.now);
  site.reader.type(`${typed}#`, site.now);
};
/** As text, and as they are on the wire. */
const secrets = (...keys: readonly string[]): readonly string[] => [
  "bd88eb80",
  typed,
  Buffer.from(typed).toString("hex"),
  ...keys,
];
const decoded = ({ bytes }: WireFrame): ReturnType<typeof decodeFrame> => decodeFrame(bytes ?? new Uint8Array());

describe("Recording", () => {
  test("tells what is said in the channel as it is on the wire, and in words without its secrets", () => {
    const site = new OsdpSite().run(1_000);
    const listener = new Listener(site).run(200);
    show(site);
    listener.run(2_000);
    expect(listener.named("RAW")).toMatchObject([
      { text: "reader=0 format=1 card=[secret] bits=26", protection: "own_key", address: "0", direction: "heard" },
    ]);
    expect(listener.named("KEYPAD")).toHaveLength(typed.length + 1);
    expect(listener.frames.map(({ bytes }) => toHex(bytes!))).toEqual(
      site.wire.slice(-listener.frames.length).map((bytes) => toHex(bytes)),
    );
    for (const secret of secrets()) expect(listener.text).not.toContain(secret);
    expect(listener.missed).toBe(0);
  });

  test("tells of what is said in clear who has said it, and zeros in place of cards and keys", () => {
    const site = new OsdpSite({ own: "none", security: "clear" }).run(1_000);
    const listener = new Listener(site).run(200);
    show(site);
    listener.run(2_000);
    const [raw] = listener.named("RAW");
    expect(raw).toMatchObject({ protection: "clear", text: "reader=0 format=1 card=[secret] bits=26" });
    expect(decoded(raw!)).toMatchObject({ code: 0x50, data: Uint8Array.of(0, 1, 26, 0, 0, 0, 0, 0) });
    expect(listener.named("KEYPAD").map(decoded)).toEqual(
      Array.from(`${typed}#`, () => expect.objectContaining({ code: 0x53, data: Uint8Array.of(0, 1, 0) }) as unknown),
    );
    for (const secret of secrets()) expect(listener.text).not.toContain(secret);
  });

  test("tells nothing of what is said under the key that everybody knows but that it was said", () => {
    const site = new OsdpSite({ own: "none" }).run(100);
    const listener = new Listener(site);
    site.session.pair(newKey(), later(site.now, 20_000), site.now);
    listener.run(3_000);
    const under = listener.frames.filter(({ protection }) => protection === "default_key");
    expect(under.map(({ name }) => name)).toEqual(["KEYSET", "ACK"]);
    expect(under[0]?.text).toBe("keyType=1 key=[secret]");
    for (const frame of under.map(decoded)) {
      if (typeof frame === "string") throw new Error(frame);
      expect(toHex(frame.data)).toMatch(/^(00)*$/);
      expect(toHex(frame.mac!)).toBe("00000000");
    }
    for (const secret of secrets(...site.kept)) expect(listener.text).not.toContain(secret);
    expect(listener.frames.at(-1)?.protection).toBe("own_key");
  });

  test("does not give away a new key to who knows the old one", () => {
    const site = new OsdpSite().run(1_000);
    const listener = new Listener(site);
    site.session.rotate(newKey());
    listener.run(1_000);
    const [frame] = listener.named("KEYSET").map(decoded);
    if (typeof frame !== "object") throw new Error("no KEYSET");
    expect(toHex(frame.data)).toMatch(/^(00)+$/);
    for (const secret of secrets(...site.kept)) expect(listener.text).not.toContain(secret);
  });

  test("says what is a repeat, what was damaged, and what is not for us", () => {
    const site = new OsdpSite({ behaviour: { busy: 2 } }).run(1_000);
    const listener = new Listener(site).run(200);
    site.reader.behave({ busy: 1 });
    listener.run(500);
    expect(listener.named("BUSY")).toMatchObject([{ protection: "clear" }]);
    expect(listener.frames.filter(({ isRepeat }) => isRepeat)).toHaveLength(1);
    const say = (reply: Reply, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): void => {
      const frame = { address: 5, isReply: true, sequence: 1, check: "crc" as const, ...encodeReply(reply) };
      site.disturb(change(encodeFrame(frame)));
      listener.run(400);
    };
    say({ reply: "RAW", reader: 0, format: 1, card: new Secret(card) });
    expect(listener.named("RAW")).toMatchObject([
      { address: "5", problem: expect.stringContaining("another address") },
    ]);
    say({ reply: "RAW", reader: 0, format: 1, card: new Secret(card) }, (bytes) => bytes.with(9, 0x55));
    const [damaged] = listener.named("damaged");
    expect(damaged).toMatchObject({ problem: expect.stringContaining("check is wrong") });
    expect(damaged?.bytes).toBeUndefined();
    for (const secret of secrets()) expect(listener.text).not.toContain(secret);
  });

  test("listens only while somebody asks, and says how much he has missed", () => {
    const site = new OsdpSite().run(1_000);
    const first = site.recording.ask(undefined);
    expect(first).toMatchObject({ frames: [], missed: 0 });
    site.run(9_000);
    const second = site.recording.ask(first.last);
    expect(second.frames.length).toBeGreaterThan(100);
    expect(second).toMatchObject({ missed: 0, last: first.last + second.frames.length });
    site.run(11_000);
    const third = site.recording.ask(second.last);
    expect(third.frames).toEqual([]);
    expect(third.missed).toBeGreaterThan(100);
    expect(third.last).toBe(second.last + third.missed);
  });

  test("keeps so many, and hands out so many at once", () => {
    const recording = new Recording({ now: () => instant(0) });
    const { last } = recording.ask(undefined);
    const poll = { command: { command: "POLL" }, code: 0x60, sequence: 1, protection: "clear" } as const;
    const bytes = bytesOf({ hex: "ff530108000460ba00" });
    for (let nth = 0; nth < 3_000; nth += 1) recording.sent({ ...poll, bytes }, false);
    const { frames, missed } = recording.ask(last);
    expect(frames).toHaveLength(500);
    expect(missed).toBe(1_000);
    expect(recording.ask(frames.at(-1)!.number)).toMatchObject({ missed: 0 });
  });
});

describe("redacted()", () => {
  const frames = scenarios
    .flatMap(({ frames: of }) => of.map(bytesOf))
    .filter((bytes) => decodeFrame(bytes) instanceof Object);
  const seen = fc.constantFrom(...frames).map((bytes) => {
    const frame = decodeFrame(bytes);
    if (typeof frame === "string") throw new Error(frame);
    return { frame, bytes };
  });

  test("leaves who says what, and how much, of every recorded frame", () => {
    fc.assert(
      fc.property(seen, fc.boolean(), (received, isSealed) => {
        const { frame } = received;
        const after = decodeFrame(redacted(received, isSealed));
        if (typeof after === "string") throw new Error(after);
        const { address, isReply, sequence, check, code } = frame;
        expect(after).toMatchObject({ address, isReply, sequence, check, code });
        expect(after.data).toHaveLength(frame.data.length);
        expect(after.security?.type).toBe(frame.security?.type);
      }),
    );
  });

  test("makes a frame of any frame, and the recording tells it", () => {
    const any = fc.record({
      address: fc.nat(0x7f),
      isReply: fc.boolean(),
      sequence: fc.nat(3),
      check: fc.constantFrom("crc" as const, "checksum" as const),
      code: fc.nat(255),
      data: fc.uint8Array({ maxLength: 40 }),
    });
    const type = fc.option(fc.integer({ min: 0x10, max: 0x30 }), { nil: undefined });
    fc.assert(
      fc.property(any, type, fc.uint8Array({ maxLength: 3 }), fc.boolean(), (fields, of, block, isOver) => {
        const hasMac = of !== undefined && of >= 0x15 && of <= 0x18;
        const bytes = encodeFrame({
          ...fields,
          ...(of === undefined ? {} : { security: { type: of, data: block } }),
          ...(hasMac ? { mac: Uint8Array.of(1, 2, 3, 4) } : {}),
        });
        const frame = decodeFrame(bytes);
        if (typeof frame === "string") throw new Error(frame);
        const recording = new Recording({ now: () => instant(0) });
        const { last } = recording.ask(undefined);
        recording.heard({ frame, bytes }, isOver);
        const [told] = recording.ask(last).frames;
        expect(decodeFrame(told!.bytes!)).toMatchObject({ address: fields.address, code: fields.code });
        expect(told!.bytes).toHaveLength(bytes.length);
      }),
    );
  });

  test("tells two cards, two PINs and two keys apart in nothing", () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const types = fc.constantFrom(undefined, 0x11, 0x15, 0x16, 0x17, 0x18, 0x21);
    fc.assert(
      fc.property(
        bytes,
        bytes,
        types,
        fc.constantFrom(0x50, 0x51, 0x53, 0x80, 0x90, 0x75),
        (one, other, type, code) => {
          const shown = [one, other].map((data) => {
            const mac = type !== undefined && type >= 0x15 && type <= 0x18 ? { mac: data.slice(0, 4) } : {};
            const security = type === undefined ? {} : { security: { type, data: Uint8Array.of(1) } };
            // As each reply has it that is of its shape: reader, and how many there are.
            const head = code === 0x50 ? [0, 1, 64, 0] : code === 0x51 ? [0, 1, 8] : code === 0x53 ? [0, 8] : [];
            const isReply = code !== 0x75;
            const fields = { address: 1, isReply, sequence: 1, check: "crc" as const, code, ...security, ...mac };
            const whole = encodeFrame({ ...fields, data: Uint8Array.of(...head, ...data) });
            const frame = decodeFrame(whole);
            return typeof frame === "string" ? frame : toHex(redacted({ frame, bytes: whole }, false));
          });
          expect(shown[0]).toBe(shown[1]);
        },
      ),
    );
  });
});
