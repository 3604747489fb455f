import { existsSync, readFileSync, writeFileSync } from "node:fs";

export const page = new URL("mutants.md", import.meta.url);
const heading = "## Mistakes by name";

/** The page has two parts, each the result of a run of its own: the other one stays as it is. */
export function writePart(part: "small changes" | "by name", paragraphs: readonly string[]): void {
  const [changes = "", names = ""] = existsSync(page) ? readFileSync(page, "utf8").split(heading) : [];
  const text = paragraphs.join("\n\n");
  const [first, last] = part === "by name" ? [changes, text] : [text, names];
  writeFileSync(page, `${[first, heading, last].map((each) => each.trim()).join("\n\n")}\n`);
}

export const today = (): string => new Date().toISOString().slice(0, 10);
