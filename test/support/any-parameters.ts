import * as fc from "fast-check";
import { z } from "zod";
import type { Command } from "../../agent/commands/command.ts";

const object = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() });
const several = z.looseObject({ oneOf: z.array(object).optional(), anyOf: z.array(object).optional() });

/** The names of a command's parameters, as its schema has them. */
function namesOf({ parameters }: Command): readonly string[] {
  const schema: unknown = z.toJSONSchema(parameters, { io: "input", unrepresentable: "any" });
  const { oneOf = [], anyOf = [] } = several.parse(schema);
  return [...new Set([object.parse(schema), ...oneOf, ...anyOf].flatMap((one) => Object.keys(one.properties ?? {})))];
}

/** What is often right, by the parameter's name. */
export type Likely = Readonly<Record<string, readonly unknown[]>>;

/** Parameters of a command: often such as it takes, often nearly so, now and then anything that is JSON. */
export function anyParameters(of: Command, likely: Likely): fc.Arbitrary<unknown> {
  const word = fc.constantFrom(...Object.values(likely).flat());
  const wild = fc.oneof(word, fc.jsonValue({ maxDepth: 2 }));
  const fields = namesOf(of).map((name) => {
    const fit = likely[name];
    const value = fit
      ? fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...fit) }, { weight: 1, arbitrary: wild })
      : wild;
    return [name, value] as const;
  });
  const known = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  const more = fc.dictionary(fc.constantFrom("__proto__", "x", "request_id", ...Object.keys(likely)), wild, {
    maxKeys: 2,
  });
  const mixed = fc.tuple(known, more).map(([a, b]) => ({ ...b, ...a }));
  return fc.oneof(
    { weight: 3, arbitrary: known },
    { weight: 2, arbitrary: mixed },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}
