import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { parametersIn, shapeOf } from "../../agent/http/query.ts";

const shape = shapeOf(
  z.object({
    id: z.string(),
    pin: z.string().nullish(),
    limit: z.int().optional(),
    is_managed: z.boolean().optional(),
    ids: z.array(z.string()).optional(),
    numbers: z.array(z.number()).optional(),
    as_of: z.union([z.number(), z.string()]).optional(),
    nested: z.object({ a: z.object({ b: z.number() }) }).optional(),
  }),
);
const read = (query: string): unknown => parametersIn(query, shape);

test("parametersIn() goes by the schema: what looks like a number stays text where text is wanted", () => {
  expect(read("id=0042&pin=123456")).toEqual({ id: "0042", pin: "123456" });
  expect(read("limit=5&is_managed=false")).toEqual({ limit: 5, is_managed: false });
  expect(read("as_of=17")).toEqual({ as_of: 17 });
  expect(read("as_of=2026-01-31T09:30:00Z")).toEqual({ as_of: "2026-01-31T09:30:00Z" });
  // For the schema to refuse.
  expect(read("limit=0x10&is_managed=yes")).toEqual({ limit: "0x10", is_managed: "yes" });
});

test("parametersIn() reads arrays by repeated keys, also of one and of none, or by commas, and strips _strict", () => {
  expect(read("ids=a&ids=b+c&_strict=true")).toEqual({ ids: ["a", "b c"] });
  expect(read("ids=a")).toEqual({ ids: ["a"] });
  expect(read("ids[]=a&ids[]=b")).toEqual({ ids: ["a", "b"] });
  expect(read("ids=a,b+c")).toEqual({ ids: ["a", "b c"] });
  expect(read("ids=a,b&ids=c")).toEqual({ ids: ["a,b", "c"] });
  expect(read("ids=a%2Cb")).toEqual({ ids: ["a,b"] });
  expect(read("numbers=1,2&id=a,b")).toEqual({ numbers: [1, 2], id: "a,b" });
  expect(read("ids=")).toEqual({ ids: [] });
  expect(read("numbers=1&numbers=2")).toEqual({ numbers: [1, 2] });
  expect(read("id=a&id=b")).toEqual({ id: ["a", "b"] });
});

test("parametersIn() reads null, what is nested, and what nobody knows", () => {
  expect(read("pin=&nested.a.b=3&foo=1")).toEqual({ pin: null, nested: { a: { b: 3 } }, foo: "1" });
  expect(read("")).toEqual({});
});

test("parametersIn() refuses what is not encoded as a query", () => {
  expect(() => read("id=%zz")).toThrow(expect.objectContaining({ type: "invalid_query_params", status: 400 }));
});

test("parametersIn() gives JSON for any query of any command, and gets back what an SDK would send", () => {
  const shapes = [...table.values()].map(({ parameters }) => shapeOf(parameters));
  fc.assert(
    fc.property(fc.constantFrom(...shapes), fc.webQueryParameters(), (of, query) => {
      expect(typeof JSON.stringify(parametersIn(query, of))).toBe("string");
    }),
  );
  fc.assert(
    fc.property(
      fc.record({
        id: fc.string({ minLength: 1 }),
        ids: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
        limit: fc.integer(),
      }),
      (given) => {
        const query = new URLSearchParams([
          ["id", given.id],
          ["limit", String(given.limit)],
          ...given.ids.map((id): [string, string] => ["ids", id]),
        ]);
        expect(read(query.toString())).toEqual(given);
      },
    ),
  );
});
