import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Command } from "./command.ts";
import { requestIdForm } from "./perform.ts";
import { replyShape } from "./reply-shape.ts";

/**
 * A JSON Schema, or a part of one: in words that draft 2020-12, which OpenAPI 3.1 speaks, and draft 7, which AsyncAPI 3.0
 * speaks, have in common.
 */
export type Json = Readonly<Record<string, unknown>>;

export interface Schemas {
  readonly schema: Json;
  /** What it refers to, under `#/components/schemas/`. */
  readonly named: Readonly<Record<string, Json>>;
}

/** What a command takes. */
export const parametersSchema = ({ parameters }: Command): Json =>
  withRequestId(withoutNames(z.toJSONSchema(parameters, { io: "input", unrepresentable: "any" })).schema);

/** Every command takes it, and it is looked at before the command is known. */
const requestId = {
  type: "string",
  pattern: requestIdForm.source,
  description: "Over MQTT, the reply is on reply/{request_id}. A write is done once for an id, for seven days",
};

function withRequestId(schema: Json): Json {
  const { properties, oneOf } = schema;
  if (Array.isArray(oneOf)) return { ...schema, oneOf: oneOf.map((each) => withRequestId(objectOf(each))) };
  return { ...schema, properties: { ...objectOf(properties), request_id: requestId } };
}

/** What it answers when it is carried out. More members may come with later versions. */
export const replySchema = (command: Command): Schemas => schemasOf(replyShape(command));

/** What it answers when it is not. */
export const refusalSchema: Json = {
  type: "object",
  properties: {
    ok: { type: "boolean", const: false },
    error: {
      type: "object",
      properties: {
        type: { type: "string", description: "What programs go by" },
        message: { type: "string", description: "For people to read" },
        validation_errors: {
          type: "object",
          description: "Of invalid_input: by parameter, what is wrong with it, under _errors",
        },
      },
      required: ["type", "message"],
    },
  },
  required: ["ok", "error"],
};

/** What latchd says of something, as a schema. */
export const schemasOf = (shape: z.ZodType): Schemas => withoutNames(open(z.toJSONSchema(shape)));

function withoutNames(converted: unknown): Schemas {
  const { $schema: _, $defs, ...schema } = objectOf(tidy(converted));
  const named = Object.entries(objectOf($defs)).map(([id, of]) => [id, withoutId(objectOf(of))]);
  return { schema: withoutId(schema), named: Object.fromEntries(named) };
}

const withoutId = ({ $id: _, id: __, ...rest }: Json): Json => rest;

/** The same, said more briefly; and without what may be said only to be refused. */
function tidy(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(tidy);
  if (typeof node === "string") return node.replace(/^#\/\$defs\//, "#/components/schemas/");
  if (!isObject(node)) return node;
  const told = Object.entries(node)
    .filter(
      ([name, of]) => !isNever(of) && !isMachines(of) && !(name === "pattern" && typeof node["format"] === "string"),
    )
    .map(([name, of]) => [name, tidy(of)]);
  return merged(evenTuple(Object.fromEntries(told)));
}

/** Several of one kind, and so many of them. */
function evenTuple(node: Json): Json {
  const { prefixItems, ...rest } = node;
  if (!Array.isArray(prefixItems)) return node;
  const [first, ...others]: readonly unknown[] = prefixItems;
  return others.every((other) => isDeepStrictEqual(other, first)) ? { ...rest, items: first } : node;
}

/** Of several simple types `{"type": ["string", "null"]}`; of others, none of which is another, one. */
function merged(node: Json): Json {
  const { anyOf, ...rest } = node;
  if (!Array.isArray(anyOf)) return node;
  const branches: readonly Json[] = anyOf.map(objectOf);
  const types = branches.map(({ type }) => type);
  if (!types.every((type) => typeof type === "string") || new Set(types).size < types.length) {
    return { ...rest, oneOf: anyOf };
  }
  const isOrNull = types.includes("null");
  const values = branches.flatMap(({ enum: of }) => (Array.isArray(of) ? of : []));
  return {
    ...Object.assign({}, ...branches),
    ...rest,
    type: types,
    ...(isOrNull && values.length > 0 ? { enum: [...values, null] } : {}),
  };
}

/** What is answered is open to what later versions will say. */
function open(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(open);
  if (!isObject(node)) return node;
  const { additionalProperties, ...rest } = node;
  const kept = additionalProperties === false ? rest : node;
  return Object.fromEntries(Object.entries(kept).map(([name, of]) => [name, open(of)]));
}

/** The last whole number that this machine counts to exactly: nobody's limit. */
const isMachines = (node: unknown): boolean => node === Number.MAX_SAFE_INTEGER || node === Number.MIN_SAFE_INTEGER;

const isNever = (node: unknown): boolean =>
  isObject(node) && isObject(node["not"]) && Object.keys(node["not"]).length === 0;

const isObject = (node: unknown): node is Json => typeof node === "object" && node !== null && !Array.isArray(node);

/** A schema that is one; nothing is said by any other. */
export const objectOf = (node: unknown): Json => (isObject(node) ? node : {});
