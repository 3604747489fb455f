import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { anyParameters, type Likely } from "../support/any-parameters.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [front = deviceId("door-1"), back = deviceId("door-2")] = doors;
/** A key that is for the front door, and for all that can be asked there. */
const ofFront = { door: "http", scope: { commands: ["*"], devices: [front], codes: true } } as const;
const outOfScope = { ok: false, error: { type: "insufficient_scope" } };
const grant = "user_identities/grant_access_to_device";

/** Ann and an access code on both doors, Bob on the back door, Eve on the front door; all of it on the locks. */
class House extends MemoryStore {
  readonly codeOnBack: string;
  readonly grantOfBoth: string;
  /** What nobody at the front door may ever read. */
  readonly secrets: readonly string[];

  constructor() {
    super();
    for (const device of doors) this.store.rounds.learn(device, keypad({ identity: `lock of ${device}` }));
    for (const [person, pin] of [
      ["ann", "493017"],
      ["bob", "591736"],
      ["eve", "618253"],
    ]) {
      this.ask("credentials/set", { user_identity_id: person, kind: "pin", value: pin });
    }
    this.ask(grant, { user_identity_id: "ann", device_id: front });
    this.ask(grant, { user_identity_id: "bob", device_id: back });
    this.ask(grant, { user_identity_id: "eve", device_id: front });
    const both = { user_identity_id: "ann", device_ids: doors, access_grant_key: "both" };
    this.grantOfBoth = idIn(this.ask("access_grants/create", both)["access_grant"], "access_grant_id");
    this.ask("access_codes/create", { device_id: front, code: "739164" });
    const made = this.ask("access_codes/create", { device_id: back, code: "846271" })["access_code"];
    this.codeOnBack = idIn(made, "access_code_id");
    this.secrets = ["493017", "591736", "846271", `Name of ${back}`];
    for (const device of doors) this.#carryOut(device);
  }

  /** All that is known of the back door and who may open it. */
  backDoor(): string {
    const asked: [string, object][] = [
      ["devices/get", { device_id: back }],
      ["access/list", { device_id: back }],
      ["access_codes/list", { device_id: back }],
      ["access_grants/list", { device_id: back }],
      ["events/list", { device_id: back }],
      ["access/explain", { user_identity_id: "ann", device_id: back }],
      ["credentials/get", { user_identity_id: "ann", device_id: back }],
      ["credentials/get", { user_identity_id: "bob" }],
    ];
    return JSON.stringify(
      asked.map(([name, parameters]) => this.ask(name, parameters)),
      // A credential that is wanted at the front door, too, or no more, is the same at the back door.
      (name, value: unknown) => (name === "device_ids" && Array.isArray(value) ? value.includes(back) : value),
    );
  }

  #carryOut(device: typeof front): void {
    this.store.rounds.choose(device);
    for (const [at, { id }] of this.store.rounds.placements(device).entries()) {
      const belief = { at: "held", slot: slotName(String(at + 1)), proof: "read_back" } as const;
      this.store.rounds.change(device, id, (placement) => ({ ...placement, belief }));
    }
  }
}
const idIn = (made: unknown, name: string): string => String(z.looseObject({}).parse(made)[name]);

const atFront = { device_id: front };
const annAtFront = { user_identity_id: "ann", ...atFront };
/** What may be asked at one door; all else is of everything. */
const open: Readonly<Record<string, object>> = {
  "access/explain": annAtFront,
  "access/get": annAtFront,
  "access/list": atFront,
  "access_codes/create": { ...atFront, code: "285714" },
  "access_codes/create_multiple": { device_ids: [front], code: "285715" },
  "access_codes/get": { ...atFront, code: "739164" },
  "access_codes/list": atFront,
  "access_grants/create": { user_identity_id: "ann", device_ids: [front] },
  "access_grants/list": atFront,
  "credentials/get": annAtFront,
  "devices/get": atFront,
  "devices/list": { device_ids: [front] },
  "events/list": atFront,
  "locks/get": atFront,
  "locks/list": { device_ids: [front] },
  [grant]: annAtFront,
  "user_identities/revoke_access_to_device": annAtFront,
};

test("a key for some devices neither changes nor reads anything of another device, through any command", () => {
  using house = new House();
  const likely: Likely = {
    device_id: [front, front, front, back],
    device_ids: [[front], [front], [front, back], [back]],
    user_identity_id: ["ann", "eve", "bob"],
    user_identity_ids: [["ann"]],
    requested_access_methods: [[{ mode: "code" }], [{ mode: "code", code: "271828" }], [{ mode: "card" }]],
    access_grant_id: [house.grantOfBoth],
    access_grant_key: ["both", "new"],
    access_code_id: [house.codeOnBack],
    access_code_ids: [[house.codeOnBack]],
    code: ["271828", "314159"],
    kind: ["pin"],
    value: ["271828"],
    name: ["Guest"],
    limit: [500],
    since: ["2001-01-01T00:00:00Z"],
    starts_at: ["2098-01-01T00:00:00Z"],
    ends_at: ["2099-01-01T00:00:00Z"],
    request_id: ["r-1", "r-2", "r-3"],
  };
  // Who may all has asked before, with ids that somebody else may use, too.
  for (const [id, name, parameters] of [
    ["r-1", "credentials/get", { user_identity_id: "ann", device_id: front }],
    ["r-2", "access_codes/list", { device_id: front }],
  ] as const) {
    house.ask(name, { request_id: id, ...parameters }, { door: "http" });
  }
  const commands = [...table.values()].filter(({ doors: of, kind }) => of.includes("http") && kind !== "acts");
  house.touched.clear();
  const before = house.backDoor();
  const isDone = (name: string, parameters: unknown): boolean => {
    const { reply } = house.perform(name, JSON.stringify(parameters), ofFront);
    expect(house.touched).not.toContain(back);
    // What is refused says again, at most, what was asked for.
    if (reply.status !== 200) return false;
    for (const secret of house.secrets) {
      if (reply.body.includes(secret)) throw new Error(`${name} tells ${secret}: ${reply.body}`);
    }
    JSON.parse(reply.body, (member, value: unknown) => {
      if ([value].flat().includes(naming[member])) throw new Error(`${name} names the back door: ${reply.body}`);
      return value;
    });
    expect(house.backDoor()).toBe(before);
    return true;
  };
  const naming: Readonly<Record<string, string>> = {
    device_id: back,
    device_ids: back,
    access_code_id: house.codeOnBack,
  };
  for (const [name, parameters] of Object.entries(open)) expect([name, isDone(name, parameters)]).toEqual([name, true]);
  const anything = fc.oneof(...commands.map((one) => fc.tuple(fc.constant(one.name), anyParameters(one, likely))));
  /** What may be asked, and one or two members more, or other ones. */
  const nearly = fc
    .tuple(
      fc.constantFrom(...Object.entries(open)),
      fc.subarray(Object.entries(likely), { minLength: 1, maxLength: 2 }),
    )
    .chain(([[name, parameters], more]) => {
      const others = more.map(([member, values]) => [member, fc.constantFrom(...values)] as const);
      return fc
        .record(Object.fromEntries(others))
        .map((other): [string, object] => [name, { ...parameters, ...other }]);
    });
  fc.assert(
    fc.property(fc.oneof(anything, nearly), ([name, parameters]) => {
      expect(isDone(name, parameters) && !(name in open) ? name : undefined).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

test("a key for some devices sets nobody's code, as that goes to other devices, too", () => {
  using house = new House();
  const asked = { user_identity_id: "ann", device_ids: [front], requested_access_methods: [{ mode: "code" }] };
  const withCode = { ...asked, requested_access_methods: [{ mode: "code", code: "271828" }] };
  expect(house.ask("access_grants/create", withCode, ofFront)).toMatchObject(outOfScope);
  expect(house.ask("access_grants/create", asked, ofFront).ok).toBe(true);
  const set = { user_identity_id: "ann", kind: "pin", value: "271828" };
  expect(house.ask("credentials/set", set, ofFront)).toMatchObject(outOfScope);
  expect(house.ask("credentials/get", { user_identity_id: "ann" })).toMatchObject({
    credentials: [{ code: "493017" }],
  });
});

test("a key for some devices is told the codes that open these alone, also where it grants somebody more", () => {
  using house = new House();
  const codeOf = (person: string): unknown =>
    house.ask("credentials/get", { user_identity_id: person, device_id: front }, ofFront)["credentials"];
  expect(codeOf("eve")).toMatchObject([{ code: "618253", device_ids: [front] }]);
  expect(codeOf("ann")).toMatchObject([{ code: null, device_ids: [front] }]);
  expect(house.ask(grant, { user_identity_id: "bob", device_id: front }, ofFront)).toEqual({ ok: true });
  house.store.rounds.choose(front);
  expect(codeOf("bob")).toMatchObject([{ code: null, device_ids: [front] }]);
  const { access_codes: all } = house.ask("access_codes/list", { device_id: front }, ofFront);
  const codes = z.array(z.looseObject({ code: z.string().nullable() })).parse(all);
  expect(codes.flatMap(({ code }) => code ?? []).toSorted()).toEqual(["618253", "739164"]);
});
