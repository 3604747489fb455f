import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFrame, type Frame } from "../../../drivers/osdp/frame.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { defaultKey, newKey, weakness } from "../../../drivers/osdp/key-strength.ts";
import {
  clientCryptogram,
  equal,
  firstMac,
  macOf,
  padded,
  type SessionKeys,
  serverCryptogram,
  sessionKeys,
  unwrap,
  wipe,
  wrap,
} from "../../../drivers/osdp/secure-channel.ts";
import { bytesOf, fromHex, type Scenario, scenarios, type TraceFrame, toHex } from "./trace.ts";

const framed = (traced: { readonly hex: string }): Frame => {
  const frame = decodeFrame(bytesOf(traced));
  if (typeof frame === "string") throw new Error(frame);
  return frame;
};

test.each([
  [
    "of Annex E",
    ["303132333435363738393a3b3c3d3e3f", "b0b1b2b3b4b5b6b7", "a0a1a2a3a4a5a6a7"],
    ["bf8dc2a8329acb8c67c6d0cd9a451682", "5e86c676603bdee2d8beafe178637332", "6fda86e857777e81132035758239172e"],
    ["fde5d2f428ec16312471ea3c02bd7796", "26d3356e07762d262801fc8e6665a891", "b2a30057eb98ba2229ec1f875662b524"],
  ],
  [
    "of two other devices",
    ["303132333435363738393a3b3c3d3e3f", "cdcd921212d3ee6a", "6162636465666768"],
    ["037fdce2a3317c3a58eaa52ed0be031a", "5c82abbe4db3f3527ba619f8eccc5c4b", "1bdbc1cf675c6bd96dee03895f360cd1"],
    ["4b7e2f98ad79bd968119a8d1d3dbdaee", "a230f5d33b25f43434929ab208de90a7", "d8f543e207ac5d2e30be9fac3aa04bea"],
  ],
])("keys, cryptograms and first MAC are those %s", (_, [key, panel, reader], keys, [client, server, mac]) => {
  const [a, b] = [fromHex(panel!), fromHex(reader!)];
  const session = sessionKeys(new Key(fromHex(key!)), a);
  expect([session.enc, session.mac1, session.mac2].map(toHex)).toEqual(keys);
  expect(toHex(clientCryptogram(session, a, b))).toBe(client);
  const cryptogram = serverCryptogram(session, a, b);
  expect(toHex(cryptogram)).toBe(server);
  expect(toHex(firstMac(session, cryptogram))).toBe(mac);
});

const zero = new Uint8Array(16);
const zeros: SessionKeys = { enc: zero, mac1: zero, mac2: zero };

test.each([
  ["60", "53000e000e0215604b32767773b6"],
  ["6200", "53001e000e021762d14eb7ad982cc5f9aa25318a7eaed6260f6a2aa73870"],
  ["680003640001067800", "53001e000e021768f7efa0d4764a4e29267596f216d8a9e8c5887608b908"],
  ["6e0180250000", "53001e000e02176eaca3c2ffe4d9e599cd771b8ef3d13f23faab634e0895"],
  [
    "75011000010203040506070001020304050607",
    "53002e000e021775f0ddec9a0ed8ce4c80baf5d55c18436f9189fd66c9f223dc041486d83357df986c1d4bc2b2f2",
  ],
])("wrap() under keys of zeros makes of %s what others make of it", (command, hex) => {
  const [code = 0, ...data] = fromHex(command);
  const frame = { address: 0, isReply: false, sequence: 2, check: "crc", code, data: Uint8Array.from(data) } as const;
  expect(toHex(wrap(frame, zeros, zero).bytes)).toBe(hex);
});

test.each([
  ["0500100012ab", "0500100012ab80000000000000000000"],
  ["00112233445566778899aabbccddee", "00112233445566778899aabbccddee80"],
  ["00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff80000000000000000000000000000000"],
])("padded() makes whole blocks of %s", (data, whole) => {
  expect(toHex(padded(fromHex(data)))).toBe(whole);
});

/** Follows what is said with one reader of a trace: its cryptograms and its chain of MACs. */
class Follower {
  readonly wrong: number[] = [];
  proven = 0;
  handshakes = 0;
  readonly #keys: readonly Key[];
  #random: Uint8Array = new Uint8Array();
  #session: { readonly keys: SessionKeys; readonly cryptogram: Uint8Array } | undefined;
  #last: Uint8Array = new Uint8Array();

  constructor({ keys }: Scenario) {
    const given = Object.values(keys).filter((key) => key.length === 32);
    this.#keys = [...given.map((key) => new Key(fromHex(key))), defaultKey()];
  }

  see(traced: TraceFrame): void {
    const frame = framed(traced);
    const type = frame.security?.type ?? 0;
    if (type === 0x11) this.#random = frame.data;
    if (type === 0x12) this.#challenged(traced, frame.data.slice(8, 16), frame.data.slice(16));
    if (type === 0x13) this.#compare(traced, frame.data, this.#session!.cryptogram);
    if (type === 0x14) this.#begun(traced, frame.data);
    if (type >= 0x15) this.#channel(traced, frame);
  }

  #challenged(traced: TraceFrame, random: Uint8Array, cryptogram: Uint8Array): void {
    const keys = this.#keys
      .map((key) => sessionKeys(key, this.#random))
      .find((candidate) => equal(clientCryptogram(candidate, this.#random, random), cryptogram));
    if (!keys) this.wrong.push(traced.n);
    this.#session = keys && { keys, cryptogram: serverCryptogram(keys, this.#random, random) };
    const { sEnc, sMac1, sMac2 } = traced.session ?? {};
    const isAsWritten = keys && [keys.enc, keys.mac1, keys.mac2].map(toHex).join() === [sEnc, sMac1, sMac2].join();
    if (traced.session && !isAsWritten) this.wrong.push(traced.n);
  }

  #begun(traced: TraceFrame, mac: Uint8Array): void {
    this.#last = firstMac(this.#session!.keys, this.#session!.cryptogram);
    this.#compare(traced, mac, this.#last);
    this.handshakes += 1;
  }

  #channel(traced: TraceFrame, frame: Frame): void {
    const { keys } = this.#session!;
    const opened = unwrap({ frame, bytes: bytesOf(traced) }, keys, this.#last);
    if (typeof opened === "string") {
      this.wrong.push(traced.n);
      return;
    }
    if (toHex(opened.data) !== traced.plain || toHex(opened.mac) !== traced.mac) this.wrong.push(traced.n);
    const again = wrap({ ...frame, data: opened.data }, keys, this.#last);
    // Two kinds of frame are not as we write them: an empty one that is encrypted, and one with data that are not.
    const ours = (opened.data.length === 0 ? 0x15 : 0x17) + Number(frame.isReply);
    if (frame.security!.type === ours) this.#compare(traced, again.bytes, bytesOf(traced));
    this.#last = opened.mac;
    this.proven += 1;
  }

  #compare(traced: TraceFrame, one: Uint8Array, other: Uint8Array): void {
    if (!equal(one, other)) this.wrong.push(traced.n);
  }
}

/** Repeats are the same bytes as what they repeat, and move no chain. */
function follow(scenario: Scenario): readonly Follower[] {
  const followers = new Map<number, Follower>();
  const seen = new Set<string>();
  for (const traced of scenario.frames) {
    const follower = followers.get(traced.addr) ?? new Follower(scenario);
    followers.set(traced.addr, follower);
    if (traced.invalid === "crc" || ((traced.scs ?? 0) >= 0x15 && seen.has(traced.hex))) continue;
    seen.add(traced.hex);
    follower.see(traced);
  }
  return [...followers.values()];
}

describe.each(scenarios)("the trace $name", (scenario) => {
  test("every cryptogram and every MAC is as computed, and what we wrap is the same, byte for byte", () => {
    const wrong = follow(scenario).flatMap((follower) => follower.wrong);
    const onPurpose = scenario.frames.filter(({ invalid }) => invalid === "mac" || invalid === "clientCryptogram");
    expect(wrong).toEqual(onPurpose.map(({ n }) => n));
  });
});

test("the traces hold 18 complete handshakes, and some 250 frames of the channel", () => {
  const seen = scenarios.flatMap(follow);
  expect(seen.reduce((sum, { handshakes }) => sum + handshakes, 0)).toBe(18);
  expect(seen.reduce((sum, { proven }) => sum + proven, 0)).toBeGreaterThan(240);
});

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("unwrap() reads what wrap() wrote, and nothing that was changed on the way", () => {
  fc.assert(
    fc.property(
      bytes16,
      bytes16,
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(),
      fc.boolean(),
      (key, last, data, at, isReply) => {
        const keys = sessionKeys(new Key(key), last);
        const frame = { address: 3, isReply, sequence: 1, check: "crc", code: 0x50, data } as const;
        const wrapped = wrap(frame, keys, last);
        const decoded = framed({ hex: toHex(wrapped.bytes) });
        expect(unwrap({ frame: decoded, bytes: wrapped.bytes }, keys, last)).toEqual({ data, mac: wrapped.mac });
        const where = at % (wrapped.bytes.length - 6);
        const changed = wrapped.bytes.with(where, (wrapped.bytes[where] ?? 0) ^ 1);
        expect(unwrap({ frame: decoded, bytes: changed }, keys, last)).toBe("mac");
        expect(unwrap({ frame: decoded, bytes: wrapped.bytes }, keys, last.with(15, (last[15] ?? 0) ^ 1))).toBe("mac");
      },
    ),
  );
});

test("unwrap() refuses data that are no whole blocks, or end in no padding", () => {
  const keys = sessionKeys(defaultKey(), zero);
  const whole = wrap(
    { address: 0, isReply: true, sequence: 1, check: "crc", code: 0x50, data: Uint8Array.of(1) },
    keys,
    zero,
  );
  const frame = framed({ hex: toHex(whole.bytes) });
  for (const data of [new Uint8Array(), frame.data.subarray(1), new Uint8Array(16)]) {
    // Proven with the right keys, so that only the padding is left to be wrong.
    const before = Uint8Array.from([...whole.bytes.subarray(0, 8), ...data]);
    const mac = macOf(before, keys, zero);
    const bytes = Uint8Array.from([...before, ...mac.subarray(0, 4), 0, 0]);
    expect(unwrap({ frame: { ...frame, data, mac: mac.slice(0, 4) }, bytes }, keys, zero)).toBe("padding");
  }
});

test("wipe() leaves nothing of the keys of a session", () => {
  const keys = sessionKeys(defaultKey(), zero);
  wipe(keys);
  expect([keys.enc, keys.mac1, keys.mac2]).toEqual([zero, zero, zero]);
  const key = newKey();
  key.wipe();
  expect(key.reveal()).toEqual(zero);
});

test.each([
  ["303132333435363738393a3b3c3d3e3f", /run up or down/],
  ["00000000000000000000000000000000", /alike/],
  ["ffffffffffffffffffffffffffffffff", /alike/],
  ["ffeeddccbbaa99887766554433221100", /run up or down/],
  ["0f0e0d0c0b0a09080706050403020100", /run up or down/],
  ["f8f9fafbfcfdfeff0001020304050607", /run up or down/],
  ["31323334313233343132333431323334", /digits/],
  ["a1b2c3d4e5f60718293a4b5c6d7e8f90", /example/],
  ["8f3a5c71e0b94d2286fd17a94c60be35", /example/],
  ["a1b2c3d4", /4 bytes/],
])("weakness() of %s", (key, words) => {
  expect(weakness(new Key(fromHex(key)))).toMatch(words);
});

test("weakness() knows every key of the traces, and nothing against a new one", () => {
  const keys = scenarios.flatMap((one) => Object.entries(one.keys)).filter(([name]) => /scbk/i.test(name));
  expect(keys.filter(([, key]) => weakness(new Key(fromHex(key))) === undefined)).toEqual([]);
  for (let count = 0; count < 100; count += 1) expect(weakness(newKey())).toBe(undefined);
  expect(newKey().reveal()).not.toEqual(newKey().reveal());
});

test("a key does not print", () => {
  expect(`${JSON.stringify(defaultKey())} ${defaultKey().toString()}`).toBe('"[secret]" [secret]');
});
