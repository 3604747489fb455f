import type { Command } from "../../commands/command.ts";
import { methodsOf } from "../route.ts";

/** What of Seam's API is answered, and what more there is: for the README. */
export function compatibility(table: ReadonlyMap<string, Command>, seamPaths: ReadonlySet<string>): string {
  const commands = [...table.values()].filter(({ doors }) => doors.includes("http"));
  const ofSeam = commands.filter(({ name }) => seamPaths.has(name));
  const more = commands.filter(({ name }) => !seamPaths.has(name));
  const missing = [...seamPaths].filter((path) => !commands.some(({ name }) => name === path));
  const groups = [...new Set(ofSeam.map(({ name }) => groupOf(name)))].toSorted();
  const rows = groups.map((group) => [
    `\`${group}\``,
    answered(ofSeam.filter(({ name }) => groupOf(name) === group)),
    missing
      .filter((path) => groupOf(path) === group)
      .map(verb)
      .join(", "),
  ]);
  // Of a group like acs/users it is enough to say acs.
  const others = new Set(missing.filter((path) => !groups.includes(groupOf(path))).map((path) => topOf(path, groups)));
  const own = [...new Set(more.map(({ name }) => groupOf(name)))].toSorted();
  return [
    ...markdown(["Seam's", "answered, by POST and by", "`not_supported_by_agent`"], rows),
    "",
    `Also \`not_supported_by_agent\`, as a whole: ${[...others].toSorted().map(quoted).join(", ")}.`,
    "",
    ...markdown(
      ["beyond Seam's", "by POST and by"],
      own.map((group) => [`\`${group}\``, answered(more.filter(({ name }) => groupOf(name) === group))]),
    ),
  ].join("\n");
}

const groupOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));
const verb = (path: string): string => quoted(path.slice(path.lastIndexOf("/") + 1));
const quoted = (name: string): string => `\`${name}\``;

/** The first part, unless something else of it is answered. */
function topOf(path: string, groups: readonly string[]): string {
  const [top = ""] = path.split("/");
  return groups.includes(top) ? groupOf(path) : top;
}

const answered = (commands: readonly Command[]): string =>
  commands
    .map((command) => [verb(command.name), ...methodsOf(command).filter((method) => method !== "POST")].join(" "))
    .join(", ");

/** Columns as wide as their widest cell. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
