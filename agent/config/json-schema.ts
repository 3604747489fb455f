import { z } from "zod";
import type { Driver } from "../../drivers/driver.ts";
import { fileShape } from "./shape.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The configuration file as a JSON Schema (draft 2020-12), for editors: the file's own shape, and a link per driver. */
export function configJsonSchema(drivers: readonly Driver[]): JsonSchema {
  const root: JsonSchema = z.toJSONSchema(fileShape, { io: "input" });
  const { links, ...properties } = root.properties ?? {};
  return {
    ...root,
    title: "latchd configuration",
    properties: {
      ...properties,
      links: { ...objectOf(links), additionalProperties: { anyOf: drivers.map(linkSchema) } },
    },
  };
}

function linkSchema({ name, options }: Driver): JsonSchema {
  const { $schema: _, ...schema }: JsonSchema = z.toJSONSchema(options, { io: "input", unrepresentable: "any" });
  return {
    ...schema,
    properties: { driver: { type: "string", const: name }, ...schema.properties },
    required: ["driver", ...(schema.required ?? [])],
  };
}

const objectOf = (schema: JsonSchema | boolean | undefined): JsonSchema => (typeof schema === "object" ? schema : {});
