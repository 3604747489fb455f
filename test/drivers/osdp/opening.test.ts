import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant, later } from "../../../agent/domain/instant.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { defaultKey } from "../../../drivers/osdp/key-strength.ts";
import { Opening, type Outcome } from "../../../drivers/osdp/opening.ts";
import type { Reply } from "../../../drivers/osdp/replies.ts";
import { clientCryptogram, firstMac, serverCryptogram, sessionKeys } from "../../../drivers/osdp/secure-channel.ts";

const keyOf = (seed: number): Key => new Key(new Uint8Array(16).map((_, at) => at * at + seed));
const [likeliest, other, fresh] = [keyOf(3), keyOf(5), keyOf(7)];
const start = instant(1_000_000);
const later20 = later(start, 20_000);
const random = new Uint8Array(8).fill(1);
const ofReader = new Uint8Array(8).fill(2);
const nak: Reply = { reply: "NAK", error: 9, details: new Uint8Array() };

/** How a reader answers the challenge that has this key. */
const cryptogramOf = (key: Key): Reply => ({
  reply: "CCRYPT",
  cuid: new Uint8Array(8),
  random: ofReader,
  cryptogram: clientCryptogram(sessionKeys(key, random), random, ofReader),
});
const macOf = (key: Key): Reply => {
  const keys = sessionKeys(key, random);
  return { reply: "RMAC_I", mac: firstMac(keys, serverCryptogram(keys, random, ofReader)) };
};
/** The selector of what is to be said. */
const selectorOf = (outcome: Outcome): number | undefined =>
  outcome.do === "say" ? outcome.step.security?.data[0] : undefined;

/** One attempt with a reader that has this key. */
function attempt(opening: Opening, key: Key): Outcome {
  const selector = selectorOf(opening.challenge(random));
  const outcome = opening.challenged(cryptogramOf(key), selector);
  return outcome.do === "say" ? opening.proven(macOf(key)) : outcome;
}

const opened = (): Opening => {
  const opening = new Opening([likeliest]);
  attempt(opening, likeliest);
  return opening;
};
const installing = (): Opening => {
  const opening = new Opening([likeliest]);
  opening.pair(fresh, later20);
  return opening;
};

describe("Opening", () => {
  test("asks, proves and enters with the reader's own key, and tells nothing where it could be no other", () => {
    const opening = new Opening([likeliest]);
    expect(opening.challenge(random)).toMatchObject({
      do: "say",
      stage: "challenged",
      step: { command: { command: "CHLNG", random }, security: { type: 0x11, data: Uint8Array.of(1) } },
    });
    const cryptogram = serverCryptogram(sessionKeys(likeliest, random), random, ofReader);
    expect(opening.challenged(cryptogramOf(likeliest), 1)).toEqual({
      do: "say",
      stage: "proving",
      step: { command: { command: "SCRYPT", cryptogram }, security: { type: 0x13, data: Uint8Array.of(1) } },
    });
    expect(opening.proven(macOf(likeliest))).toMatchObject({ do: "enter", protection: "own_key", tell: [] });
  });

  test("tries the keys that a reader may have in their order, at once, and is suspicious only after the last", () => {
    const opening = new Opening([likeliest, other]);
    for (const _ of ["once", "and from the first again"]) {
      expect(attempt(opening, fresh)).toEqual({ do: "shake", wait: 0 });
      expect(attempt(opening, fresh)).toEqual({ do: "breach", why: "wrong_key" });
    }
    expect(attempt(opening, fresh).do).toBe("shake");
    expect(attempt(opening, other)).toMatchObject({ do: "enter", tell: [{ happening: "key_proven", key: other }] });
    // What it has not is forgotten.
    expect(attempt(opening, likeliest).do).toBe("breach");
  });

  test.each<[string, (opening: Opening) => Outcome, string]>([
    ["does not take part", (opening) => opening.refused(), "key_refused"],
    [
      "asks for the key that everybody knows",
      (opening) => opening.challenged(cryptogramOf(likeliest), 0),
      "default_key",
    ],
    ["answers with another selector", (opening) => opening.challenged(cryptogramOf(likeliest), 2), "layout"],
    ["answers with something else", (opening) => opening.challenged(nak, 1), "layout"],
    ["answers with nothing that can be read", (opening) => opening.challenged(undefined, 1), "layout"],
    ["has come to another MAC", (opening) => opening.proven(macOf(other)), "key_refused"],
  ])("takes a reader that %s for a breach", (_, hears, why) => {
    const opening = new Opening([likeliest]);
    opening.challenge(random);
    expect(hears(opening)).toEqual({ do: "breach", why });
  });

  test("looks again in five seconds at a reader that it has no key for", () => {
    const unpaired = { do: "restart", wait: 5_000, tell: [{ happening: "unpaired" }] };
    expect(new Opening([]).challenge(random)).toEqual(unpaired);
  });

  test("gives a key in the channel, takes an ACK for no proof, and tells which of the two keys is proven", () => {
    for (const held of [likeliest, fresh]) {
      const opening = opened();
      expect([opening.isKeyDue, opening.keySet()]).toEqual([false, undefined]);
      opening.rotate(fresh);
      expect(opening.isKeyDue).toBe(true);
      expect(opening.keySet()).toEqual({
        do: "say",
        stage: "channel",
        step: { command: { command: "KEYSET", keyType: 1, key: fresh } },
        tell: [{ happening: "key_sent", key: fresh }],
      });
      expect(opening.keyAnswered({ reply: "ACK" })).toEqual({ do: "shake", wait: 0 });
      const outcome = held === fresh ? undefined : attempt(opening, held);
      expect(outcome?.do).toBe(held === fresh ? undefined : "shake");
      expect(attempt(opening, held)).toMatchObject({ do: "enter", tell: [{ happening: "key_proven", key: held }] });
    }
  });

  test("goes on with the key that the reader has where it refuses another", () => {
    const opening = opened();
    opening.rotate(fresh);
    opening.keySet();
    expect(opening.keyAnswered(nak)).toEqual({ do: "go_on", tell: [{ happening: "key_refused", error: 9 }] });
    expect(opening.isKeyDue).toBe(false);
    expect(attempt(opening, fresh).do).toBe("breach");
  });
});

describe("Opening, while somebody pairs", () => {
  test("waits for the install mode, gives the key under the one that everybody knows, and has it proven", () => {
    const opening = new Opening([likeliest]);
    expect(opening.pair(fresh, later20)).toEqual({ do: "restart", wait: 0 });
    expect(selectorOf(opening.challenge(random))).toBe(0);
    const absent = { do: "restart", wait: 2_000, tell: [{ happening: "not_installing" }] };
    expect(opening.refused()).toEqual(absent);
    expect(attempt(opening, defaultKey())).toMatchObject({ do: "enter", protection: "default_key", tell: [] });
    expect(opening.keySet()).toMatchObject({ tell: [{ happening: "key_sent", key: fresh }] });
    expect(opening.keyAnswered({ reply: "ACK" })).toEqual({ do: "shake", wait: 0 });
    expect(attempt(opening, fresh)).toMatchObject({
      do: "enter",
      protection: "own_key",
      tell: [
        { happening: "key_proven", key: fresh },
        { happening: "pairing_over", paired: true },
      ],
    });
    expect(opening.tick(later20, true)).toEqual({ do: "go_on" });
  });

  test("gives the new key in no channel under a key of the reader's own", () => {
    const opening = opened();
    opening.rotate(fresh);
    opening.pair(fresh, later20);
    expect(opening.isKeyDue).toBe(false);
    expect(opening.keySet()).toBeUndefined();
  });

  test("is over, and nothing of that channel is used, where the reader refuses the key", () => {
    const opening = installing();
    attempt(opening, defaultKey());
    opening.keySet();
    expect(opening.keyAnswered(nak)).toEqual({
      do: "restart",
      wait: 0,
      tell: [
        { happening: "key_refused", error: 9 },
        { happening: "pairing_over", paired: false },
      ],
    });
    expect(selectorOf(opening.challenge(random))).toBe(1);
  });

  test("is over in time, and leaves a reader alone only where it is in use under a key of its own", () => {
    const tell = [{ happening: "pairing_over", paired: false }];
    expect(installing().tick(later(later20, -1), false)).toEqual({ do: "go_on" });
    expect(installing().tick(later20, false)).toEqual({ do: "restart", wait: 0, tell });
    expect(installing().tick(later20, true)).toEqual({ do: "go_on", tell });
    const open = installing();
    attempt(open, defaultKey());
    expect(open.tick(later20, true)).toEqual({ do: "restart", wait: 0, tell });
  });

  test("no reply leads to the key that everybody knows once it is over, nor before it was begun", () => {
    const keys = fc.constantFrom(likeliest, other, fresh, defaultKey());
    const selectors = fc.constantFrom(0, 1, 2, undefined);
    const step = fc.oneof<fc.Arbitrary<(opening: Opening) => Outcome | undefined>[]>(
      keys.map((key) => (opening) => attempt(opening, key)),
      fc.tuple(keys, selectors).map(
        ([key, selector]) =>
          (opening) =>
            opening.challenged(cryptogramOf(key), selector),
      ),
      keys.map((key) => (opening) => opening.proven(macOf(key))),
      fc.constant((opening) => opening.refused()),
      fc.constant((opening) => opening.keySet()),
      fc.constantFrom<Reply>(nak, { reply: "ACK" }).map((reply) => (opening) => opening.keyAnswered(reply)),
    );
    const all = fc.array(step, { maxLength: 20 });
    fc.assert(
      fc.property(all, all, fc.boolean(), (first, second, isPaired) => {
        const opening = new Opening([likeliest, other]);
        opening.rotate(fresh);
        if (isPaired) opening.pair(fresh, later20);
        for (const take of first) take(opening);
        opening.tick(later20, true);
        // A restart drops what was begun.
        opening.drop();
        for (const take of second) {
          expect(take(opening)).not.toMatchObject({ protection: "default_key" });
          expect(selectorOf(opening.challenge(random))).not.toBe(0);
        }
      }),
    );
  });
});
