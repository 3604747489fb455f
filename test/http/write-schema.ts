import { writeFileSync } from "node:fs";
import { configJsonSchema } from "../../agent/config/json-schema.ts";
import { drivers } from "../../drivers/index.ts";

const all = await Promise.all(Object.values(drivers).map(async (load) => load()));
const file = new URL("../../agent/http/contract/config.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(configJsonSchema(all), null, 2)}\n`);
