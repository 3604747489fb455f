import type { Command } from "../../commands/command.ts";
import { type Json, objectOf, parametersSchema, refusalSchema, replySchema } from "../../commands/json-schema.ts";
import { asksByQuery, methodsOf } from "../route.ts";

/**
 * The HTTP door as an OpenAPI document (3.1.0), made from the command table. Members that begin with `x-` are Seam's, and its
 * command line goes by them.
 */
export function openApi(table: ReadonlyMap<string, Command>, version: string): Json {
  const commands = [...table.values()].filter(({ doors }) => doors.includes("http"));
  return {
    openapi: "3.1.0",
    info: {
      title: "latchd",
      version,
      description: "An access agent for door locks, with the paths, methods and shapes of Seam's API.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "Where this document was found; http://127.0.0.1:8420 if nothing is set" }],
    tags: [...new Set(commands.map(groupOf))].map((name) => ({ name })),
    paths: Object.fromEntries(commands.map((command) => [`/${command.name}`, pathItem(command)])),
    components: {
      schemas: named(commands),
      responses: Object.fromEntries(Object.entries(refusals).map(([status, why]) => [status, refused(why)])),
      headers: { "seam-request-id": { description: "Names this request", schema: { type: "string" } } },
      securitySchemes,
    },
  };
}

const groupOf = ({ name }: Command): string => name.slice(0, name.lastIndexOf("/"));

const securitySchemes = {
  api_key: { type: "http", scheme: "bearer", description: "A key as npx latchd keys create makes it: seam_…" },
  pat_with_workspace: { type: "http", scheme: "bearer", description: "A personal access token: seam_at…" },
  seam_workspace: {
    type: "apiKey",
    in: "header",
    name: "seam-workspace",
    description: "The workspace_id of the token",
  },
} as const;
const security = [{ api_key: [] }, { pat_with_workspace: [], seam_workspace: [] }];

/** What may be in the way, by status. */
const refusals: Readonly<Record<string, string>> = {
  400: "It is not as it has to be: invalid_input, with validation_errors; or what the command says is in the way",
  401: "unauthorized: there is no valid key",
  403: "insufficient_scope: the key is not for this command, or not for this device",
  404: "Something that is named is not there, such as device_not_found",
  409: "Something stands against it, such as superseded, request_id_conflict, duplicate_access_code",
  413: "invalid_input: the body is over 64 KiB",
  429: "too_many_requests: too many without a valid key",
  500: "internal_error: nothing was changed",
  503: "agent_closing: send it again when it is back",
};
const headers = { "seam-request-id": { $ref: "#/components/headers/seam-request-id" } };
const refused = (description: string): Json => ({
  description,
  headers,
  content: { "application/json": { schema: refusalSchema } },
});

function pathItem(command: Command): Json {
  return Object.fromEntries(
    methodsOf(command).map((method) => [
      method.toLowerCase(),
      { ...operation(command, method), ...input(command, method) },
    ]),
  );
}

function operation(command: Command, method: string): Json {
  const id = command.name.replaceAll("/", "_");
  const { schema } = replySchema(command);
  const { key, of } = responseKey(schema);
  return {
    operationId: method === "POST" ? id : `${id}_by_${method.toLowerCase()}`,
    tags: [groupOf(command)],
    ...(command.kind !== "acts" && command.reveals
      ? { description: "Codes are null unless the key is for codes:read." }
      : {}),
    "x-response-key": key,
    ...(of === "action_attempt" && groupOf(command) !== "action_attempts"
      ? { "x-action-attempt-type": command.name.slice(command.name.lastIndexOf("/") + 1).toUpperCase() }
      : {}),
    security,
    responses: {
      200: { description: "It is carried out, and on disk", headers, content: { "application/json": { schema } } },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, description]) => [
          status,
          // Seam's command line reads that of POST, and follows no reference there.
          { $ref: `#/components/responses/${status}`, ...(method === "POST" ? { description } : {}) },
        ]),
      ),
    },
  };
}

/** The first member that is, or lists, something with a name; and that name. */
function responseKey({ properties }: Json): { readonly key: string | null; readonly of: string | undefined } {
  for (const [key, member] of Object.entries(objectOf(properties))) {
    const { $ref = objectOf(objectOf(member)["items"])["$ref"] } = objectOf(member);
    if (typeof $ref === "string") return { key, of: $ref.split("/").at(-1) };
  }
  return { key: null, of: undefined };
}

function input(command: Command, method: string): Json {
  const schema = parametersSchema(command);
  if (!asksByQuery(method)) {
    const body = method === "POST" ? forSeamsCommandLine(schema, narrow) : schema;
    return { requestBody: { content: { "application/json": { schema: body } } } };
  }
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const parameters = Object.entries(objectOf(schema["properties"])).map(([name, of]) => {
    const { description, ...rest } = objectOf(of);
    return {
      name,
      in: "query",
      required: required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
  return { parameters };
}

/**
 * Seam's command line knows one type for a member, or `oneOf` of others, and `nullable` of OpenAPI 3.0, which 3.1 does not
 * heed. So what may be null is told to it in other words.
 *
 * @param say what is to stand for several types.
 */
function forSeamsCommandLine(schema: Json, say: (types: readonly unknown[], rest: Json) => Json): Json {
  const within = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(within);
    return typeof node === "object" && node !== null ? forSeamsCommandLine(objectOf(node), say) : node;
  };
  const { description, ...rest } = Object.fromEntries(Object.entries(schema).map(([name, of]) => [name, within(of)]));
  const { type, ...more } = rest;
  const said = Array.isArray(type) ? say(type, more) : type === "null" ? say([type], more) : rest;
  return description === undefined ? said : { description, ...said };
}

/** Of parameters, POST says the type that is not null: what it lets in is right, and PATCH and PUT say it whole. */
function narrow(types: readonly unknown[], { enum: values, ...rest }: Json): Json {
  const others = types.filter((type) => type !== "null");
  const nullable = others.length < types.length ? { nullable: true } : {};
  if (others.length !== 1) return { ...nullable, ...rest, oneOf: types.map((type) => ({ type })) };
  const some = Array.isArray(values) ? { enum: values.filter((value) => value !== null) } : {};
  return { ...nullable, type: others[0], ...some, ...rest };
}

/** Of what is answered, nothing is left out: it reads this as a choice. */
const wrap = (types: readonly unknown[], rest: Json): Json => ({ oneOf: [{ type: types, ...rest }] });

/** What replies refer to, each under the group of the first command that answers it. */
function named(commands: readonly Command[]): Json {
  const found = new Map<string, Json>();
  for (const command of commands) {
    for (const [id, schema] of Object.entries(replySchema(command).named)) {
      if (!found.has(id))
        found.set(id, { ...forSeamsCommandLine(schema, wrap), "x-route-path": `/${groupOf(command)}` });
    }
  }
  return Object.fromEntries(found);
}
