import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { compatibility } from "../../agent/http/contract/compatibility.ts";
import { openApi } from "../../agent/http/contract/openapi.ts";
import { methodsOf } from "../../agent/http/route.ts";
import { seamPaths } from "../../agent/http/seam-paths.ts";
import { documents, documentUrl, readmeUrl, readmeWithTable } from "./contracts.ts";

const kept = (name: string): unknown => JSON.parse(readFileSync(documentUrl(name), "utf8"));

test.each(["config.schema.json", "openapi.json", "asyncapi.json"])(
  "%s is what the code says (if this fails: npm run contract)",
  async (name) => {
    expect(kept(name)).toEqual(JSON.parse(JSON.stringify((await documents())[name])));
  },
);

test("the README's table of Seam's API is what the code says (if this fails: npm run contract)", () => {
  expect(readFileSync(readmeUrl, "utf8")).toBe(readmeWithTable());
  expect(readmeWithTable()).toContain(compatibility(table, seamPaths));
});

test("openapi.json is OpenAPI 3.1, and has every command of the HTTP door with each of its methods", async () => {
  const document = z.record(z.string(), z.unknown()).parse(kept("openapi.json"));
  expect(await new Validator().validate(document)).toEqual({ valid: true });
  const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(document);
  const offered = Object.entries(paths).map(([path, item]) => [path, Object.keys(item)]);
  const commands = [...table.values()].filter(({ doors }) => doors.includes("http"));
  const methods = commands.map((command) => [`/${command.name}`, methodsOf(command).map((each) => each.toLowerCase())]);
  expect(offered).toEqual(methods);
});

test("asyncapi.json is AsyncAPI 3.0", () => {
  const file = new URL(import.meta.resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json"));
  const ajv = new Ajv({ strict: false });
  formats.default(ajv);
  const isValid = ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, "utf8"))));
  isValid(kept("asyncapi.json"));
  expect(isValid.errors).toBe(null);
});

/** What Seam's command line (0.42.0) reads of a document, and stops at where it is otherwise. */
describe("Seam's command line finds in openapi.json", () => {
  const schema = z.looseObject({ $ref: z.string().optional() });
  const operation = z.object({
    operationId: z.string(),
    "x-response-key": z.string().nullable(),
    requestBody: z.object({
      content: z.object({
        "application/json": z.object({
          schema: z.object({ properties: z.record(z.string(), schema).optional(), oneOf: z.array(schema).optional() }),
        }),
      }),
    }),
    responses: z.looseObject({
      200: z.object({
        content: z.object({
          "application/json": z.object({ schema: z.object({ properties: z.record(z.string(), schema) }) }),
        }),
      }),
    }),
  });
  const document = z.object({
    paths: z.record(z.string(), z.object({ post: operation })),
    components: z.object({ schemas: z.record(z.string(), z.looseObject({ "x-route-path": z.string() })) }),
  });
  const { paths, components } = document.parse(JSON.parse(JSON.stringify(openApi(table, "0.0.0"))));

  test("one type for each parameter, or a choice", () => {
    for (const [path, { post }] of Object.entries(paths)) {
      const { properties = {}, oneOf } = post.requestBody.content["application/json"].schema;
      for (const [name, { type, oneOf: choice }] of Object.entries(properties)) {
        expect([path, name, typeof type === "string" || Array.isArray(choice)]).toEqual([path, name, true]);
      }
      expect([path, Object.keys(properties).length > 0 || oneOf !== undefined]).toEqual([path, true]);
    }
  });

  test("a name for what each command answers, where it lies, and no name twice", () => {
    const routes = Object.keys(paths).map((path) => path.slice(0, path.lastIndexOf("/")));
    for (const { post } of Object.values(paths)) {
      const { "x-response-key": key } = post;
      if (key === null) continue;
      const told = schema.parse(post.responses[200].content["application/json"].schema.properties[key]);
      const ref = told.$ref ?? schema.parse(told["items"]).$ref;
      const found = components.schemas[ref?.replace("#/components/schemas/", "") ?? ""];
      expect([post.operationId, routes]).toEqual([post.operationId, expect.arrayContaining([found?.["x-route-path"]])]);
    }
    const ids = Object.values(paths).map(({ post }) => post.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test("compatibility() names each of Seam's paths once, answered or not", () => {
  const text = compatibility(table, seamPaths);
  const groups = new Map(
    text.split("\n").flatMap((line) => {
      const [, group = "", here = "", not = ""] = line.split("|").map((cell) => cell.trim());
      const verbs = [...`${here} ${not}`.matchAll(/`([a-z_]+)`/g)].map(([, verb]) => verb);
      return /^`[a-z_/]+`$/.test(group) ? [[group.slice(1, -1), verbs] as const] : [];
    }),
  );
  const whole = [...(/as a whole: (.*)\./.exec(text)?.[1] ?? "").matchAll(/`([a-z_/]+)`/g)].map(
    ([, group = ""]) => group,
  );
  for (const path of seamPaths) {
    const [group, verb] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
    const named = groups.get(group)?.filter((each) => each === verb).length ?? 0;
    const asWhole = whole.filter((each) => `${group}/`.startsWith(`${each}/`)).length;
    expect([path, groups.has(group) ? named : asWhole]).toEqual([path, 1]);
  }
});
