import { z } from "zod";
import { Refused } from "../commands/refusal.ts";

/** What a parameter may be, as its schema has it. */
type Kind = "string" | "number" | "boolean" | "array" | "object" | "null";
export interface Shape {
  readonly kinds: ReadonlySet<Kind>;
  readonly items: Shape | undefined;
  readonly fields: ReadonlyMap<string, Shape>;
}

const nothing: Shape = { kinds: new Set(), items: undefined, fields: new Map() };

const node = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
});

/** What the text of a query can mean for a command. */
export const shapeOf = (parameters: z.ZodType): Shape =>
  jsonShape(z.toJSONSchema(parameters, { io: "input", unrepresentable: "any" }));

/**
 * The parameters in a query, encoded as Seam's SDKs do (reference: seam-api, section 2): a key repeated for an array, a dot
 * between the names of what is nested, `a=` for null and for no entry at all, all values as text. `a[]=` and, in one value,
 * commas that are not encoded make an array too, as older programs write it. What a text means follows from the schema: the
 * digits of a PIN stay text, those of a limit become a number.
 *
 * @throws Refused where the query cannot be read.
 */
export function parametersIn(query: string, shape: Shape): Readonly<Record<string, unknown>> {
  if (!isReadable(query)) throw new Refused("invalid_query_params", "The query is not encoded as a query has to be");
  const texts = new Map<string, Value[]>();
  for (const pair of query.split("&").filter((each) => each !== "")) {
    const [key = "", value = ""] = pair.split(/=(.*)/s);
    const name = decoded(key).replace(/\[\]$/, "");
    // Says only how the SDK has encoded it.
    if (name !== "_strict") texts.set(name, [...(texts.get(name) ?? []), value.split(",").map(decoded)]);
  }
  return nested(
    [...texts].map(([name, values]) => [name.split("."), values]),
    shape,
  );
}

function isReadable(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

const decoded = (text: string): string => decodeURIComponent(text.replaceAll("+", " "));

/** A text, cut at the commas that were not encoded. */
type Value = readonly string[];
type Given = readonly [path: readonly string[], values: readonly Value[]];

function nested(given: readonly Given[], { fields }: Shape): Readonly<Record<string, unknown>> {
  const names = new Set(given.map(([[name = ""]]) => name));
  return Object.fromEntries(
    [...names].map((name) => {
      const shape = fields.get(name) ?? nothing;
      const own = given.filter(([[first]]) => first === name);
      const below = own.filter(([path]) => path.length > 1).map(([path, values]): Given => [path.slice(1), values]);
      if (below.length > 0 && shape.kinds.has("object")) return [name, nested(below, shape)];
      return [
        name,
        valueOf(
          own.flatMap(([path, values]) => (path.length === 1 ? values : [])),
          shape,
        ),
      ];
    }),
  );
}

function valueOf(values: readonly Value[], shape: Shape): unknown {
  const [first = [], ...others] = values;
  const isList = others.length === 0 && !shape.kinds.has("string");
  const texts = isList && shape.kinds.has("array") ? first : values.map((parts) => parts.join(","));
  const [text, ...more] = texts;
  if (shape.kinds.has("array") && (more.length > 0 || !shape.kinds.has("string"))) {
    if (text === "" && more.length === 0) return [];
    return texts.map((each) => single(each, shape.items ?? nothing));
  }
  // Given twice where one is wanted: for the schema to refuse.
  return more.length > 0 ? texts : single(text ?? "", shape);
}

/** JSON's own way to write a number (RFC 8259, section 6). */
const numeral = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function single(text: string, { kinds }: Shape): unknown {
  if (text === "" && kinds.has("null")) return null;
  if (kinds.has("number") && numeral.test(text)) return Number(text);
  if (kinds.has("boolean") && (text === "true" || text === "false")) return text === "true";
  return text;
}

function jsonShape(of: unknown): Shape {
  const parsed = node.safeParse(of);
  if (!parsed.success) return nothing;
  const { properties, items, anyOf = [], oneOf = [], allOf = [] } = parsed.data;
  const own: Shape = {
    kinds: new Set(kindsOf(parsed.data)),
    items: items === undefined ? undefined : jsonShape(items),
    fields: new Map(Object.entries(properties ?? {}).map(([name, field]) => [name, jsonShape(field)])),
  };
  return [...anyOf, ...oneOf, ...allOf].map(jsonShape).reduce(either, own);
}

function kindsOf({ type, const: only, enum: several }: z.output<typeof node>): Kind[] {
  const named = [type ?? []].flat().flatMap((each) => kind.safeParse(each === "integer" ? "number" : each).data ?? []);
  if (named.length > 0) return named;
  return [...(several ?? []), ...(only === undefined ? [] : [only])].flatMap(
    (value) => kind.safeParse(value === null ? "null" : typeof value).data ?? [],
  );
}

const kind = z.enum(["string", "number", "boolean", "array", "object", "null"]);

function either(a: Shape, b: Shape): Shape {
  const names = new Set([...a.fields.keys(), ...b.fields.keys()]);
  return {
    kinds: new Set([...a.kinds, ...b.kinds]),
    items: a.items && b.items ? either(a.items, b.items) : (a.items ?? b.items),
    fields: new Map(
      [...names].map((name) => [name, either(a.fields.get(name) ?? nothing, b.fields.get(name) ?? nothing)]),
    ),
  };
}
