import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Call, foretell, perform } from "../../agent/commands/perform.ts";
import { table } from "../../agent/commands/table.ts";
import { StoreError } from "../../agent/errors.ts";
import { anyParameters, type Likely } from "../support/any-parameters.ts";
import { doors, MemoryStore } from "../support/memory-store.ts";
import { agentFacts } from "../support/world.ts";

const grant = "user_identities/grant_access_to_device";
const pair = { user_identity_id: "ann", device_id: doors[0] };
const likely: Likely = {
  user_identity_id: ["ann", "ben", "x".repeat(128)],
  device_id: [...doors, "door-9"],
  as_of: [1, 2, "2025-06-01T10:00:00Z"],
  request_id: ["r-1", "r-2", "used"],
};
const commands = [...table.values()];
const command = fc.constantFrom(...commands);
const right = fc.record(
  {
    user_identity_id: fc.constantFrom("ann", "ben"),
    device_id: fc.constantFrom(...doors),
    request_id: fc.constantFrom("r-1", "r-2", "r-3"),
  },
  { requiredKeys: ["user_identity_id", "device_id"] },
);
const anything = fc
  .oneof({ weight: 4, arbitrary: fc.constantFrom(...commands.filter(({ name }) => name === grant)) }, command)
  .chain((of) => fc.tuple(fc.constant(of.name), anyParameters(of, likely), fc.option(fc.constantFrom("r-1", "used"))))
  .map(([name, parameters, requestId]) => ({
    name,
    text: JSON.stringify(
      requestId !== null && typeof parameters === "object" ? { ...parameters, request_id: requestId } : parameters,
    ),
  }));
const inputs = fc.oneof(
  right.map((parameters) => ({ name: grant, text: JSON.stringify(parameters) })),
  anything,
);
const circumstances = fc.record({
  retained: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  replyAddress: fc.constantFrom("none", "usable", "usable", "unfit"),
  isOpen: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
} satisfies Record<"retained" | "replyAddress" | "isOpen", unknown>);

const plain = { door: "mqtt", retained: false, replyAddress: "none", isOpen: true } as const;
const callOf = (name: string, text: string, of: Partial<Call> = {}): Call => ({
  name,
  payload: Buffer.from(text),
  ...plain,
  ...of,
});
const known = new Set(["user_identity_id", "device_id", "request_id"]);

test("what is foretold is what is answered, now and after other commands; and it holds nothing but what it has to", () => {
  let foretold = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(inputs, circumstances), { minLength: 4, maxLength: 20 }), (all) => {
      using desk = new MemoryStore();
      desk.ask(grant, { ...pair, request_id: "used" });
      const { store, now } = desk;
      const context = { door: "mqtt", by: "mqtt", codes: false, now, saidAt: now, agent: agentFacts } as const;
      const answer = (call: Call): string =>
        store.transaction(() =>
          perform(call, store, { ...context, devices: undefined, touch() {}, operate() {} }, (bug) =>
            expect.fail(String(bug)),
          ),
        ).reply.body;
      const ids = new Set<string>();
      const promised = all.flatMap(([{ name, text }, of]) => {
        const call = callOf(name, text, of);
        const told = foretell(call, store);
        if (!told || (told.requestId !== undefined && ids.has(told.requestId))) return [];
        if (told.requestId !== undefined) ids.add(told.requestId);
        return [{ call, told }];
      });
      // Others come in between; those with an id of their own take none of these.
      for (const [{ name, text }] of all) {
        if (table.get(name)?.kind !== "acts" && !text.includes("request_id")) answer(callOf(name, text));
      }
      for (const { call, told } of promised) {
        foretold += 1;
        expect(call.name).toBe(grant);
        const written = JSON.stringify(told.input);
        expect(Object.keys(told.input).filter((name) => !known.has(name))).toEqual([]);
        expect(JSON.parse(written)).toEqual(JSON.parse(Buffer.from(call.payload).toString()));
        expect(answer({ ...call, payload: Buffer.from(written) })).toBe(told.reply.body);
        // It used its id, as it would have when it came.
        expect(answer(call)).toBe(told.reply.body);
        expect(foretell(call, store) === undefined).toBe(told.requestId !== undefined);
      }
    }),
    { numRuns: 40 },
  );
  expect(foretold).toBeGreaterThan(50);
});

test.each([
  ["a member that it does not know", { ...pair, pin: "4711" }],
  ["a member that every object has", { ...pair, constructor: "4711" }],
  [
    "a member by which objects are made",
    JSON.parse(`{"__proto__":"4711","user_identity_id":"ann","device_id":"door-1"}`),
  ],
  ["an age", { ...pair, as_of: 1 }],
  ["a device that is not there", { ...pair, device_id: "door-9" }],
  ["a request_id that was used", { ...pair, request_id: "used" }],
  ["a request_id that is none", { ...pair, request_id: "a b" }],
  ["no parameters", {}],
])("of a grant with %s nothing is foretold", (_, parameters) => {
  using desk = new MemoryStore();
  desk.ask(grant, { ...pair, request_id: "used" });
  expect(foretell(callOf(grant, JSON.stringify(parameters)), desk.store)).toBeUndefined();
  expect(foretell(callOf(grant, JSON.stringify({ ...pair, request_id: "new" })), desk.store)).toMatchObject({
    requestId: "new",
    reply: { status: 200, body: '{"ok":true}' },
  });
});

test("what is said twice is kept once, as it is understood", () => {
  using desk = new MemoryStore();
  const text = `{"user_identity_id":"4711", "user_identity_id":"ann",\n"device_id":"door-1"}`;
  expect(foretell(callOf(grant, text), desk.store)?.input).toEqual(pair);
});

test("of everything else nothing is foretold", () => {
  using desk = new MemoryStore();
  const others = commands.map(({ name }) => name).filter((name) => name !== grant);
  const foretold = others.filter((name) => foretell(callOf(name, JSON.stringify(pair)), desk.store));
  expect(foretold).toEqual([]);
});

test("a fault of our own leaves it to the command to tell; a store that does not work ends all", () => {
  using desk = new MemoryStore();
  const at = (error: Error): unknown =>
    foretell(callOf(grant, JSON.stringify({ ...pair, request_id: "r-1" })), {
      records: desk.store.records,
      replies: {
        ...desk.store.replies,
        has: () => {
          throw error;
        },
      },
    });
  expect(at(new TypeError("bug"))).toBeUndefined();
  expect(() => at(new StoreError("disk full"))).toThrow("disk full");
});
