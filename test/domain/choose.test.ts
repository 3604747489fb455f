import { expect, test } from "vitest";
import { branded } from "../../agent/domain/brand.ts";
import { type Candidate, choose } from "../../agent/domain/choose.ts";
import type { CredentialId, CredentialKind } from "../../agent/domain/credential.ts";

const id = (name: string): CredentialId => branded<CredentialId>(name);
const issued = (name: string, of: Partial<Candidate> = {}): Candidate => ({
  credential: id(name),
  kind: "pin",
  origin: "issued",
  known: false,
  reissues: 0,
  misfit: undefined,
  taken: false,
  placed: false,
  refusal: undefined,
  ...of,
});
const own = (name: string, of: Partial<Candidate> = {}): Candidate =>
  issued(name, { origin: "own", known: true, ...of });
const pins: ReadonlySet<CredentialKind> = new Set(["pin"]);
const cards: ReadonlySet<CredentialKind> = new Set(["card"]);

test("choose() issues a PIN to a person who has none", () => {
  expect(choose([], pins, true)).toEqual({
    wanted: [],
    unfit: new Map(),
    issue: { instead: undefined, reissues: 0 },
  });
});

test("choose() issues nothing where it may not, or where the lock takes no PIN", () => {
  expect(choose([], pins, false).issue).toBeUndefined();
  expect(choose([], cards, true).issue).toBeUndefined();
});

test("choose() keeps to one PIN as long as it fits, and to the one that is there already", () => {
  expect(choose([issued("a"), issued("b")], pins, true)).toMatchObject({ wanted: ["a"], issue: undefined });
  expect(choose([issued("a"), issued("b", { placed: true })], pins, true).wanted).toEqual(["b"]);
});

test("choose() gives a second PIN for a device that a known one does not fit", () => {
  const { wanted, unfit, issue } = choose([issued("a", { known: true, misfit: "length" })], pins, true);
  expect({ wanted, unfit: unfit.size, issue }).toEqual({
    wanted: [],
    unfit: 0,
    issue: { instead: undefined, reissues: 0 },
  });
  expect(choose([issued("a", { known: true, misfit: "length" }), issued("b")], pins, true).wanted).toEqual(["b"]);
});

test("choose() replaces a PIN that nobody can know yet where it does not fit or is taken", () => {
  for (const why of [{ misfit: "length" }, { taken: true }] as const) {
    expect(choose([issued("a", why)], pins, true).issue).toEqual({ instead: "a", reissues: 0 });
  }
});

test.each(["duplicate", "invalid"] as const)("choose() reissues a PIN that the lock refused as %s", (refusal) => {
  const refused = issued("a", { placed: true, refusal });
  expect(choose([refused], pins, true).issue).toEqual({ instead: "a", reissues: 1 });
  expect(choose([{ ...refused, reissues: 4 }], pins, true).issue).toEqual({ instead: "a", reissues: 5 });
  expect(choose([{ ...refused, reissues: 5 }], pins, true)).toMatchObject({ wanted: ["a"], issue: undefined });
});

test("choose() never changes a known PIN, though a lock refuses it", () => {
  const refused = issued("a", { placed: true, refusal: "duplicate", known: true });
  expect(choose([refused], pins, true).issue).toEqual({ instead: undefined, reissues: 1 });
});

test.each(["full", "forbidden", "not_kept"] as const)(
  "choose() does not reissue for %s: it is not about the code",
  (refusal) => {
    expect(choose([issued("a", { placed: true, refusal })], pins, true)).toMatchObject({
      wanted: ["a"],
      issue: undefined,
    });
  },
);

test("choose() wants own credentials before any that it would issue", () => {
  expect(choose([issued("a", { placed: true }), own("mine")], pins, true)).toMatchObject({
    wanted: ["mine"],
    issue: undefined,
  });
});

test("choose() says why an own credential cannot be there, and issues none beside it", () => {
  const { wanted, unfit, issue } = choose([own("mine", { misfit: "length" })], pins, true);
  expect({ wanted, issue }).toEqual({ wanted: [], issue: undefined });
  expect(unfit).toEqual(new Map([["mine", { reason: "invalid", detail: "length" }]]));
});

test("choose() leaves the code to whoever was there first", () => {
  expect(choose([own("mine", { taken: true })], pins, true).unfit.get(id("mine"))?.reason).toBe("duplicate");
  expect(choose([own("mine", { taken: true, placed: true })], pins, true).wanted).toEqual(["mine"]);
});

test("choose() still issues a PIN where the person has only a card, and the lock no reader", () => {
  const card = own("card", { kind: "card", misfit: "kind_not_supported" });
  const { wanted, unfit, issue } = choose([card], pins, true);
  expect({ wanted, issue }).toEqual({ wanted: [], issue: { instead: undefined, reissues: 0 } });
  expect(unfit.get(id("card"))).toEqual({ reason: "kind_not_supported", detail: "kind_not_supported" });
});
