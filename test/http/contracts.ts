import { readFileSync } from "node:fs";
import { table } from "../../agent/commands/table.ts";
import { configJsonSchema } from "../../agent/config/json-schema.ts";
import { compatibility } from "../../agent/http/contract/compatibility.ts";
import { openApi } from "../../agent/http/contract/openapi.ts";
import { seamPaths } from "../../agent/http/seam-paths.ts";
import { asyncApi } from "../../agent/mqtt/asyncapi.ts";
import { packageVersion } from "../../agent/package.ts";
import { drivers } from "../../drivers/index.ts";

/** What the code says of itself, by the file under `agent/http/contract/` that repeats it. */
export const documents = async (): Promise<Readonly<Record<string, object>>> => ({
  "config.schema.json": configJsonSchema(await Promise.all(Object.values(drivers).map(async (load) => load()))),
  "openapi.json": openApi(table, packageVersion()),
  "asyncapi.json": asyncApi(table, packageVersion()),
});

export const documentUrl = (name: string): URL => new URL(`../../agent/http/contract/${name}`, import.meta.url);
export const readmeUrl = new URL("../../README.md", import.meta.url);

const [begin, end] = ["<!-- npm run contract writes this -->\n", "\n<!-- until here -->"];

/** The README, with the table of what of Seam's API is answered as the code has it. */
export function readmeWithTable(): string {
  const [before = "", rest = ""] = readFileSync(readmeUrl, "utf8").split(begin);
  const [, after = ""] = rest.split(end);
  return `${before}${begin}\n${compatibility(table, seamPaths)}\n${end}${after}`;
}
