import { expect, test } from "vitest";
import type { Credential } from "../../agent/domain/credential.ts";
import type { DoorSettings } from "../../agent/domain/door-rule.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { later } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { Store } from "../../agent/store/store.ts";
import { type Answer, configured, keypad, MemoryStore } from "../support/memory-store.ts";

const lobby = deviceId("door-1");
const elsewhere = deviceId("door-2");
const usual: DoorSettings = { rule: "pin_or_card", pinLength: undefined, lockOut: { count: 3, for: 60_000 } };
const pin = (digits: string): Credential => ({ kind: "pin", digits: new Secret(digits) });
const card = (bits: string): Credential => ({ kind: "card", format: "wiegand26", bits: new Secret(bits) });
const grant = "user_identities/grant_access_to_device";
const revoke = "user_identities/revoke_access_to_device";
const hour = 3_600_000;

class Lobby extends MemoryStore {
  isTimeKnown = true;
  readonly door: Store;

  constructor(doorman: Partial<DoorSettings> = {}, maxMassExpiry = 1) {
    super();
    const settings = { ...usual, ...doorman };
    this.door = this.reopened(
      [configured(lobby, { doorman: settings }), configured(elsewhere)],
      undefined,
      undefined,
      () => this.isTimeKnown,
      maxMassExpiry,
    );
  }

  say(name: string, parameters: object): Readonly<Record<string, unknown>> {
    const { body } = this.perform(name, JSON.stringify(parameters), {}, true, this.door).reply;
    const reply: Answer = JSON.parse(body);
    if (!reply.ok) throw new Error(`${name} is refused: ${body}`);
    return reply;
  }

  grant(who: string): void {
    this.say(grant, { user_identity_id: who, device_id: lobby });
  }

  own(who: string, kind: "pin" | "card", value: string): void {
    const given = kind === "pin" ? value : { format: "wiegand26", bits: value };
    this.say("credentials/set", { user_identity_id: who, kind, value: given });
  }

  receipt(who: string): unknown {
    return this.say("access/get", { user_identity_id: who, device_id: lobby })["receipt"];
  }

  decide(...credentials: Credential[]): unknown {
    const { decision, presenter, ...rest } = this.door.doors.decide(lobby, credentials, this.now);
    return [decision, presenter?.identity, ...Object.values(rest)];
  }

  types(): readonly unknown[] {
    return this.door.records.eventsOf({ after: 0, limit: 500 }).map((event) => event["event_type"]);
  }
}

test("a grant at a door whose reader asks is live with its commit, also while nobody has heard of the reader, and opens", () => {
  using at = new Lobby();
  at.grant("ann");
  expect(at.types()).toEqual(["access.accepted", "access.live", "access_code.set_on_device"]);
  expect(at.receipt("ann")).toMatchObject({
    state: "live",
    credentials: [{ kind: "pin", state: "live", evidence: "decided_here", enforced_by: "agent", reason: null }],
  });
  const { credentials } = at.say("credentials/get", { user_identity_id: "ann", device_id: lobby });
  const [{ code } = { code: "" }] = credentials as { code: string }[];
  expect(at.decide(pin(code))).toEqual(["admit", "ann"]);
  expect(at.decide(pin("000111"))).toEqual(["deny", undefined, "unknown_code"]);
  const codes = at.say("access_codes/list", { device_id: lobby })["access_codes"];
  expect(codes).toMatchObject([{ status: "set", code, errors: [], warnings: [] }]);
  expect(at.say("devices/get", { device_id: lobby })["device"]).toMatchObject({
    can_unlock_with_code: true,
    can_program_online_access_codes: true,
    properties: { online: false, latchd: { live: 1, revocation_debt: { count: 0 } } },
  });
});

test("a revoke at such a door is gone with its commit, and nothing that was shown before opens any more", () => {
  using at = new Lobby();
  at.own("ann", "card", "bd88eb80");
  at.grant("ann");
  expect(at.decide(card("bd88eb80"))).toEqual(["admit", "ann"]);
  at.say(revoke, { user_identity_id: "ann", device_id: lobby });
  expect(at.decide(card("bd88eb80"))).toEqual(["deny", undefined, "unknown_code"]);
  expect(at.door.records.eventsOf({ after: 0, limit: 500 }).at(-1)).toMatchObject({
    event_type: "access.gone",
    evidence: "decided_here",
  });
  expect(at.receipt("ann")).toMatchObject({ state: "gone", credentials: [] });
  expect(at.door.records.debts()).toEqual([]);
});

test("a card is what it is in its format only, and a PIN that somebody has there is nobody else's", () => {
  using at = new Lobby();
  at.own("ann", "card", "bd88eb80");
  at.grant("ann");
  expect(at.decide({ kind: "card", format: "raw", bits: new Secret("bd88eb80") })).toEqual([
    "deny",
    undefined,
    "unknown_code",
  ]);
  at.own("bob", "pin", "4711");
  at.grant("bob");
  at.own("cleo", "pin", "4711");
  at.grant("cleo");
  expect(at.receipt("cleo")).toMatchObject({ state: "refused", credentials: [{ reason: "duplicate" }] });
  expect(at.decide(pin("4711"))).toEqual(["admit", "bob"]);
  at.say(revoke, { user_identity_id: "bob", device_id: lobby });
  expect(at.receipt("cleo")).toMatchObject({ state: "live" });
  expect(at.decide(pin("4711"))).toEqual(["admit", "cleo"]);
});

test("where card and PIN are wanted together, one alone is not live and opens nothing, and both of two people neither", () => {
  using at = new Lobby({ rule: "card_and_pin" });
  at.grant("ann");
  expect(at.receipt("ann")).toMatchObject({ state: "waiting", credentials: [{ reason: "credential_needed" }] });
  at.own("ann", "card", "aa");
  expect(at.receipt("ann")).toMatchObject({ state: "live", credentials: [{ state: "live" }, { state: "live" }] });
  at.own("bob", "card", "bb");
  at.own("bob", "pin", "471100");
  at.grant("bob");
  expect(at.decide(card("bb"), pin("471100"))).toEqual(["admit", "bob"]);
  expect(at.decide(card("aa"), pin("471100"))).toEqual(["deny", undefined, "wrong_pair"]);
});

const timed = (at: Lobby, who: string): void => {
  const day = (ms: number): string => new Date(at.now + ms).toISOString();
  const times = { starts_at: day(hour), ends_at: day(3 * hour) };
  const asked = { user_identity_id: who, device_ids: [lobby], ...times };
  at.say("access_grants/create", asked);
};

test("a window opens and closes to the moment, whether or not anybody has looked at it, and the receipt follows", () => {
  using at = new Lobby();
  at.own("ann", "card", "aa");
  timed(at, "ann");
  const began = at.now;
  expect(at.receipt("ann")).toMatchObject({ state: "waiting", credentials: [{ reason: "outside_window" }] });
  expect(at.decide(card("aa"))).toEqual(["deny", "ann", "not_begun"]);
  at.now = later(began, hour);
  expect(at.decide(card("aa"))).toEqual(["admit", "ann"]);
  expect(at.receipt("ann")).toMatchObject({ state: "live", credentials: [{ enforced_by: "agent" }] });
  at.now = later(began, 3 * hour);
  expect(at.decide(card("aa"))).toEqual(["deny", "ann", "expired_code"]);
  at.door.turn();
  expect(at.decide(card("aa"))).toEqual(["deny", undefined, "unknown_code"]);
  expect(at.receipt("ann")).toMatchObject({ state: "gone" });
});

test("who may always pass does so whatever their window says, and where they may no longer or only elsewhere, it is asked", () => {
  using at = new Lobby();
  at.own("ann", "card", "aa");
  timed(at, "ann");
  const began = at.now;
  at.grant("ann");
  expect(at.decide(card("aa"))).toEqual(["admit", "ann"]);
  at.now = later(began, 2 * hour);
  at.door.turn();
  at.say(grant, { user_identity_id: "ann", device_id: elsewhere });
  at.own("bob", "card", "bb");
  at.grant("bob");
  at.say(revoke, { user_identity_id: "ann", device_id: lobby });
  expect(at.decide(card("aa"))).toEqual(["admit", "ann"]);
  at.now = later(began, 3 * hour);
  expect(at.decide(card("aa"))).toEqual(["deny", "ann", "expired_code"]);
  expect(at.decide(card("bb"))).toEqual(["admit", "bob"]);
});

test("while the time is not known, who may always pass may pass, and a window is as it last was", () => {
  using at = new Lobby();
  for (const [who, bits] of [
    ["ann", "aa"],
    ["bob", "bb"],
  ] as const)
    at.own(who, "card", bits);
  at.grant("ann");
  timed(at, "bob");
  const began = at.now;
  at.isTimeKnown = false;
  at.now = later(began, 2 * hour);
  expect(at.decide(card("aa"))).toEqual(["admit", "ann"]);
  expect(at.decide(card("bb"))).toEqual(["deny", "bob", "outside_schedule"]);
  at.isTimeKnown = true;
  at.door.turn();
  expect(at.decide(card("bb"))).toEqual(["admit", "bob"]);
  at.isTimeKnown = false;
  at.now = later(began, 9 * hour);
  expect(at.decide(card("bb"))).toEqual(["admit", "bob"]);
  const asked = { user_identity_id: "bob", device_id: lobby };
  expect(at.say("access/explain", asked)["explanation"]).toMatchObject({ decision: "admit", until: null });
  at.isTimeKnown = true;
  expect(at.say("access/explain", asked)["explanation"]).toMatchObject({ decision: "deny", reason: "ended" });
  expect(at.decide(card("bb"))).toEqual(["deny", "bob", "expired_code"]);
});

test("what is granted stays live when the reader is met, changed and met again, and who looks after the door is told", () => {
  using at = new Lobby();
  at.own("ann", "card", "aa");
  at.grant("ann");
  const { rounds } = at.door;
  rounds.learn(lobby, { identity: "reader-1", reader: true, bolt: { locks: false } });
  rounds.learn(lobby, { identity: "reader-2", reader: true, bolt: { locks: false } });
  rounds.happened(lobby, { suspect: "all", awake: true, events: [] });
  expect(at.receipt("ann")).toMatchObject({ state: "live", credentials: [{ evidence: "decided_here" }] });
  expect(at.types()).toContain("device.replaced");
  expect(rounds.placements(lobby)).toEqual([]);
  expect(at.say("devices/get", { device_id: lobby })["device"]).toMatchObject({ can_remotely_unlock: true });
});

test("where a door gets another rule, or is none for a doorman any more, what was live is looked at anew", () => {
  using at = new Lobby();
  at.own("ann", "pin", "4711");
  at.grant("ann");
  const five = at.reopened([configured(lobby, { doorman: { ...usual, pinLength: 5 } })]);
  const state = (store: Store): unknown =>
    JSON.parse(
      at.perform("access/get", JSON.stringify({ user_identity_id: "ann", device_id: lobby }), {}, true, store).reply
        .body,
    ).receipt;
  expect(state(five)).toMatchObject({ state: "refused", credentials: [{ reason: "invalid" }] });
  const lock = at.reopened([configured(lobby)]);
  expect(state(lock)).toMatchObject({ state: "waiting" });
  lock.rounds.learn(lobby, keypad());
  lock.rounds.choose(lobby);
  expect(lock.rounds.placements(lobby)).toMatchObject([{ lock: "serial-1", belief: { at: "nowhere" } }]);
  const again = at.reopened([configured(lobby, { doorman: usual })]);
  expect(state(again)).toMatchObject({ state: "live" });
});
