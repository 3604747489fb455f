import { expect, test } from "vitest";
import { instant } from "../../../agent/domain/instant.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import type { Happening } from "../../../drivers/osdp/happening.ts";
import { newKey } from "../../../drivers/osdp/key-strength.ts";
import { keyOf, Replay } from "./panel.ts";
import { scenarioOf } from "./trace.ts";

const site = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
const of = (happenings: readonly Happening[], ...kinds: Happening["happening"][]): readonly Happening[] =>
  happenings.filter(({ happening }) => kinds.includes(happening));
const card = (text: string, stale = false): Happening => ({
  happening: "card",
  reader: 0,
  format: 1,
  card: new Secret(text),
  stale,
});
const cardsIn = (happenings: readonly Happening[]): unknown =>
  happenings.flatMap((one) => (one.happening === "card" ? [[one.card.reveal(), one.stale]] : []));

test.each(["golden-crc", "golden-checksum"])("a session says in %s what was computed, byte for byte", (name) => {
  const scenario = scenarioOf(name);
  const replay = new Replay(scenario, {
    keys: [keyOf(scenario.keys["scbk"])],
    greeting: [{ command: "ID", kind: 0 }],
    challengeAtZero: false,
  });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(cardsIn(replay.happenings)).toEqual([
    ["26:bd88eb80", false],
    ["35:d34a2a9480", false],
  ]);
  const [keys] = of(replay.happenings, "keys");
  expect(keys?.happening === "keys" && keys.keys.reveal()).toBe("1234#");
  expect(of(replay.happenings, "result")).toEqual([
    { happening: "result", id: "9", result: { result: "done" } },
    { happening: "result", id: "13", result: { result: "done" } },
    { happening: "result", id: "17", result: { result: "done" } },
    { happening: "result", id: "23", result: { result: "refused", error: 3 } },
    { happening: "result", id: "25", result: { result: "done" } },
    { happening: "result", id: "27", result: { result: "done" } },
  ]);
  expect(of(replay.happenings, "status")).toEqual([{ happening: "status", tamper: true, power: false }]);
  // The NAK 3 has not taken it offline; the NAK 6 at the end takes the session, and nothing else.
  expect(of(replay.happenings, "online", "offline", "suspect")).toEqual([{ happening: "online" }]);
  expect(replay.session.counts).toMatchObject({ busy: 1, repeats: 1, channels: 1, restarts: 1, naks: 1 });
});

test("a session that pairs says in `annex-e-scbkd` what the standard says, byte for byte", () => {
  const replay = new Replay(scenarioOf("annex-e-scbkd"), { greeting: [] }, 0);
  replay.session.pair(newKey(), instant(2_000_000), instant(1_000_000));
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(replay.session.counts).toMatchObject({ channels: 1, breaches: 0 });
  expect(of(replay.happenings, "online", "key_proven", "suspect")).toEqual([]);
});

test("a session says in `plain` what was recorded, and goes to where COMSET has sent the reader", () => {
  const replay = new Replay(scenarioOf("plain"), {
    security: "clear",
    questions: [
      { command: "ID", kind: 0 },
      { command: "CAP", kind: 0 },
    ],
  });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "moved")).toEqual([{ happening: "moved", address: 2, baud: 38400 }]);
  expect(replay.session.address).toBe(2);
  expect(cardsIn(replay.happenings)).toEqual([["26:bd88eb80", false]]);
});

test("a session says in `sc` what was recorded, also to a reader that does not encrypt its status", () => {
  const replay = new Replay(scenarioOf("sc"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(cardsIn(replay.happenings)).toEqual([
    ["26:bd88eb80", false],
    ["37:123456789a", false],
  ]);
  expect(of(replay.happenings, "outputs", "status", "inputs")).toEqual([
    { happening: "inputs", states: [0, 0] },
    { happening: "outputs", states: [1] },
    { happening: "status", tamper: false, power: false },
    { happening: "inputs", states: [1, 0] },
  ]);
});

test("a session says in `rekey` what was recorded, and has the new key proven before it counts", () => {
  const [before, after] = [keyOf(site), keyOf("5c1e77a0d94b3f2861ee0a9cb3d8f417")];
  const replay = new Replay(scenarioOf("rekey"), { keys: [before] });
  const asked = replay.play(16);
  expect(of(replay.happenings, "key_proven")).toEqual([]);
  expect(replay.sent).toEqual(asked);
  const rest = new Replay(scenarioOf("rekey"), { keys: [before] });
  const all = rest.play();
  expect(rest.sent).toEqual(all);
  const [proven] = of(rest.happenings, "key_proven");
  expect(proven?.happening === "key_proven" && proven.key.reveal()).toEqual(after.reveal());
  expect(of(rest.happenings, "online", "offline", "suspect")).toEqual([{ happening: "online" }]);
});

test("a lost card reply is asked for with the same bytes, and the card is told once", () => {
  const replay = new Replay(scenarioOf("lost-card-reply"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "card")).toEqual([card("26:bd88eb80")]);
  expect(cardsIn(replay.happenings)).toEqual([["26:bd88eb80", false]]);
});

test("an order to an output whose ACK was lost is said again with the same bytes, and is done once", () => {
  const replay = new Replay(scenarioOf("lost-out-ack"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "result")).toEqual([{ happening: "result", id: "15", result: { result: "done" } }]);
});

test("a card with a wrong MAC is not acted on, and the session is begun anew after a second", () => {
  const replay = new Replay(scenarioOf("bad-reply-mac"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "card", "suspect", "offline")).toEqual([
    { happening: "suspect", why: "mac", alarm: false },
  ]);
  expect(replay.session.counts).toMatchObject({ breaches: 1, channels: 2 });
});

test("an order to an output that was damaged on its way, and repeated, is told as unknown as the session ends", () => {
  const scenario = scenarioOf("bad-command-crc");
  const replay = new Replay(scenario, { keys: [keyOf(site)] });
  const asked = replay.play();
  // The recorded one was damaged by the line: what was sent is what was sent again.
  expect(replay.sent).toEqual(asked.with(asked.length - 2, asked.at(-1) ?? ""));
  // It knows nothing of the session by now, which tells nothing of when it was damaged (Law 10).
  expect(of(replay.happenings, "result", "offline")).toEqual([
    { happening: "result", id: expect.any(String), result: { result: "unknown" } },
  ]);
  expect(replay.session.counts).toMatchObject({ restarts: 1, repeats: 1 });
});

test("a reader that was restarted is begun anew with at once, and stays online", () => {
  const replay = new Replay(scenarioOf("reader-restart"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "online", "offline", "suspect")).toEqual([{ happening: "online" }]);
  expect(replay.session.counts).toMatchObject({ channels: 2, restarts: 1 });
});

test("a reader with another key is an alarm, and is not offered the key that everybody knows", () => {
  const scenario = scenarioOf("wrong-key");
  const replay = new Replay(scenario, { keys: [keyOf(scenario.keys["panelScbk"])] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(replay.happenings).toEqual([{ happening: "suspect", why: "wrong_key", alarm: true }]);
  expect(replay.session.isOnline).toBe(false);
});

test("a panel never does what the trace `install` shows", () => {
  const scenario = scenarioOf("install");
  const replay = new Replay(scenario, { keys: [keyOf(site)] });
  const asked = replay.play(6);
  expect(replay.sent).toEqual(asked);
  expect(replay.happenings).toEqual([{ happening: "suspect", why: "wrong_key", alarm: true }]);
  // What the careless panel says then, and what the reader answers, changes nothing.
  replay.play();
  expect(replay.sent).not.toContain(scenario.frames[6]?.hex);
  expect(replay.sent.filter((hex) => hex.includes("031100") || hex.includes("031300"))).toEqual([]);
  expect(of(replay.happenings, "online", "card")).toEqual([]);
});

test("a reader that insists on the channel is not spoken to in clear", () => {
  const replay = new Replay(scenarioOf("clear-panel-enforced-reader"), {
    security: "clear",
    questions: [
      { command: "ID", kind: 0 },
      { command: "CAP", kind: 0 },
    ],
  });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "suspect")).toEqual([{ happening: "suspect", why: "wants_channel", alarm: false }]);
});

test.each([
  [1, "scbk1"],
  [5, "scbk5"],
])("the session of address %i says in `two-readers` what was recorded", (address, key) => {
  const scenario = scenarioOf("two-readers");
  const replay = new Replay(scenario, { keys: [keyOf(scenario.keys[key])] }, address);
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(of(replay.happenings, "online", "offline", "suspect")).toEqual([{ happening: "online" }]);
});

test("a card that was shown before the session is told as stale", () => {
  const replay = new Replay(scenarioOf("stale-card"), { keys: [keyOf(site)] });
  const asked = replay.play();
  expect(replay.sent).toEqual(asked);
  expect(cardsIn(replay.happenings)).toEqual([["26:bd88eb80", true]]);
});
