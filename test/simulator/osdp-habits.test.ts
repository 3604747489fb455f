import { expect, test } from "vitest";
import { later } from "../../agent/domain/instant.ts";
import { Key } from "../../drivers/osdp/key.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { defaultKey, OsdpPanel } from "../support/osdp-panel.ts";

/* The driver's session with readers that have the habits of those in the field. */

const card = { report: "card", format: 1, bits: "26:bd88eb80" } as const;

test.each<[Partial<Behaviour>]>([
  [{ marks: 0 }],
  [{ marks: 5 }],
  [{ reply_ms: [150, 190] }],
  [{ busy: 5 }],
  [{ sequence_zero: 3 }],
  [{ encrypts_nothing: true }],
  [{ status_zero: true }],
  [{ tells_outputs: true }],
  [{ poll_first: true }],
  [{ session_limit_ms: 400 }],
  [{ drops_session_on_damage: true }],
  [{ repeats_by_code: true }],
  [{ reads: "kept" }],
  [{ refuses: { [0x62]: 3, [0x7b]: 3, [0x65]: 3 } }],
])("Session: a card is read and a strike released at a reader that is %j", (behaviour) => {
  const panel = new OsdpPanel({ seed: 3, behaviour });
  panel.runUntil(() => panel.session.isOnline, 60_000);
  panel.run(1_000);
  panel.reader.present(card, panel.now);
  panel.session.want({
    id: "open",
    command: { command: "OUT", outputs: [{ output: 0, code: 5, timer: 10 }] },
    deadline: later(panel.now, 3_000),
  });
  panel.run(5_000);
  expect(panel.cards).toEqual([{ bits: card.bits, stale: false }]);
  expect(panel.happenings).toContainEqual(expect.objectContaining({ happening: "result", result: { result: "done" } }));
  const switched = panel.sights.flatMap((sight) => (sight.happened === "switched" ? [sight] : []));
  expect(switched.map(({ on }) => on)).toEqual([true, false]);
  expect(switched[1]!.at - switched[0]!.at).toBeCloseTo(1_000, 3);
});

test("Session: a reader that knows sums only is spoken to with sums", () => {
  const panel = new OsdpPanel({ seed: 3, behaviour: { checksum_only: true }, session: { check: "checksum" } });
  panel.runUntil(() => panel.session.isOnline, 5_000);
  panel.run(500);
  panel.reader.present(card, panel.now);
  panel.run(500);
  expect(panel.cards).toEqual([{ bits: card.bits, stale: false }]);
});

test("Session: a reader whose power fails from time to time comes back each time, and its reads are told once", () => {
  const panel = new OsdpPanel({ seed: 3, behaviour: { resets_after: 100 } });
  panel.runUntil(() => panel.session.isOnline, 5_000);
  for (let number = 0; number < 30; number += 1) {
    panel.reader.present({ ...card, bits: `26:${(number * 128 + 128).toString(16).padStart(8, "0")}` }, panel.now);
    panel.run(1_000);
  }
  expect(panel.sights.filter(({ happened }) => happened === "restarted").length).toBeGreaterThan(3);
  const told = panel.cards.map(({ bits }) => bits);
  expect(new Set(told).size).toBe(told.length);
  expect(told.length).toBeGreaterThan(20);
});

test.each<[Partial<Behaviour>, string]>([
  [{ wrong_key_type: true }, "default_key"],
  [{ wrong_cryptogram: true }, "wrong_key"],
])("Session: nothing that a reader says is believed which is %j", (behaviour, why) => {
  const panel = new OsdpPanel({ seed: 3, behaviour: { ...behaviour, allows_clear: true, reads: "kept" } });
  panel.reader.present(card, panel.now);
  panel.run(60_000);
  expect(panel.session.isOnline).toBe(false);
  expect(panel.cards).toEqual([]);
  expect(panel.happenings).toContainEqual(expect.objectContaining({ happening: "suspect", why }));
});

test("Session: a card under a wrong MAC is not read, and is not read again under a right one", () => {
  const panel = new OsdpPanel({ seed: 3 });
  panel.runUntil(() => panel.session.isOnline, 5_000);
  panel.run(500);
  panel.reader.present(card, panel.now);
  panel.reader.behave({ wrong_mac: 1 });
  panel.run(10_000);
  expect(panel.cards).toEqual([]);
  expect(panel.happenings).toContainEqual(expect.objectContaining({ happening: "suspect", why: "mac" }));
  expect(panel.session.isOnline).toBe(true);
});

test.each([false, true])("Session: a key is changed where the yes to it comes in clear: %s", (clear) => {
  const panel = new OsdpPanel({ seed: 3, behaviour: { clear_ack_after_keyset: clear } });
  panel.runUntil(() => panel.session.isOnline, 5_000);
  const next = defaultKey.map((byte) => byte ^ 0x5a);
  panel.session.rotate(new Key(next));
  panel.run(3_000);
  expect(panel.reader.keyring.own).toEqual(next);
  const proven = panel.happenings.flatMap((each) => (each.happening === "key_proven" ? [each.key.reveal()] : []));
  expect(proven.at(-1)).toEqual(next);
  expect(panel.session.isOnline && panel.reader.isSecure).toBe(true);
});

test("Session: a reader that waits to be installed gets a key by a deliberate act only", () => {
  const panel = new OsdpPanel({ seed: 3, own: "none" });
  panel.run(30_000);
  expect(panel.session.isOnline).toBe(false);
  expect(panel.reader.keyring.own).toBeUndefined();
  panel.session.pair(new Key(defaultKey), later(panel.now, 60_000), panel.now);
  panel.runUntil(() => panel.session.isOnline, 30_000);
  expect(panel.reader.keyring.own).toEqual(defaultKey);
  expect(panel.reader.keyring.installs).toBe(false);
  expect(panel.happenings).toContainEqual(expect.objectContaining({ happening: "pairing_over", paired: true }));
});
