import { z } from "zod";
import { didYouMean, quoted } from "./nearest.ts";

type Issue = z.core.$ZodIssue;
export type Path = readonly PropertyKey[];

/** One thing that is wrong with the configuration: where, what, and what would be right. */
export interface Problem {
  readonly path: Path;
  readonly text: string;
}

/** `devices[2].at.link`: as one would write it in JavaScript. */
export function pathText(path: Path): string {
  const text = path
    .map((key) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      return /^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    })
    .join("");
  return text.startsWith(".") ? text.slice(1) : text;
}

export const lineOf = ({ path, text }: Problem): string => (path.length === 0 ? text : `${pathText(path)}: ${text}`);

/**
 * All that a schema finds wrong with a value.
 *
 * @param at where the value is in the configuration.
 */
export function problemsOf(schema: z.ZodType, value: unknown, at: Path = []): Problem[] {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => explain(issue, at, [], schema));
}

/** @param inside where in the schema the issue's own path begins: issues in a union count from there. */
function explain(issue: Issue, at: Path, inside: Path, schema: z.ZodType): Problem[] {
  const here = [...inside, ...issue.path];
  const problem = (text: string): Problem[] => [{ path: [...at, ...here], text }];
  switch (issue.code) {
    case "invalid_type":
      return problem(wrongType(issue.expected, issue.input));
    case "invalid_value":
      return problem(`must be ${choice(issue.values)}${guess(issue.input, issue.values)}`);
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...at, ...here, key],
        text: `there is no such option${didYouMean(key, optionsAt(schema, here))}`,
      }));
    case "invalid_union": {
      const inner = closest(issue.errors);
      return inner.length === 0 ? problem(issue.message) : inner.flatMap((one) => explain(one, at, here, schema));
    }
    case "invalid_key":
    case "invalid_element":
      return issue.issues.flatMap((inner) => explain(inner, at, here, schema));
    case "too_small":
      return problem(`must ${bound(issue.origin, "at least", Number(issue.minimum))}`);
    case "too_big":
      return problem(`must ${bound(issue.origin, "at most", Number(issue.maximum))}`);
    case "invalid_format":
    case "not_multiple_of":
    case "custom":
      return problem(issue.message);
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function wrongType(expected: string, input: unknown): string {
  const wanted = typeNames[expected] ?? expected;
  if (input === undefined) return `is missing: it must be ${wanted}`;
  return `must be ${wanted}, not ${typeOf(input)}`;
}

function typeOf(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return "a list";
  return typeNames[typeof input] ?? typeof input;
}

const choice = (values: readonly unknown[]): string =>
  values.length === 1 ? quoted(values.map(String)) : `one of ${quoted(values.map(String))}`;

function guess(input: unknown, values: readonly unknown[]): string {
  const near = typeof input === "string" ? didYouMean(input, values.map(String)) : "";
  return near.startsWith("; did") ? near : "";
}

function bound(origin: string, side: string, limit: number): string {
  if (origin === "string") return `have ${side} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array") return `have ${side} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  return `be ${side} ${limit}`;
}

/** What is wrong with the alternative that was most likely meant: the one of the right type, with the fewest faults. */
function closest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const ofRightType = alternatives.filter(([first]) => first?.code !== "invalid_type" || first.path.length > 0);
  const [best] = (ofRightType.length > 0 ? ofRightType : alternatives).toSorted((a, b) => a.length - b.length);
  return best ?? [];
}

const node = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
});

/** The options that a schema knows at a path. */
function optionsAt(schema: z.ZodType, path: Path): string[] {
  const root: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return path
    .reduce((nodes: unknown[], key) => nodes.flatMap(alternativesOf).flatMap((at) => childOf(at, key)), [root])
    .flatMap(alternativesOf)
    .flatMap(({ properties }) => Object.keys(properties ?? {}));
}

function alternativesOf(of: unknown): z.output<typeof node>[] {
  const parsed = node.safeParse(of);
  if (!parsed.success) return [];
  return [parsed.data, ...(parsed.data.anyOf ?? []).flatMap(alternativesOf)];
}

function childOf({ properties, additionalProperties, items }: z.output<typeof node>, key: PropertyKey): unknown[] {
  if (typeof key === "number") return [items];
  return [properties?.[String(key)] ?? additionalProperties];
}
