import { writeFileSync } from "node:fs";
import { documents, documentUrl, readmeUrl, readmeWithTable } from "./contracts.ts";

// In one line: the formatter breaks what is too long for one, and nothing else.
for (const [name, document] of Object.entries(await documents())) {
  writeFileSync(documentUrl(name), `${JSON.stringify(document)}\n`);
}
writeFileSync(readmeUrl, readmeWithTable());
