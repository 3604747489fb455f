/** Rows as aligned columns, two spaces apart; a column without a single entry is left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = head.map((_, index) => index).filter((index) => rows.some((row) => row[index]));
  const widths = columns.map((index) => Math.max(...[head, ...rows].map((row) => (row[index] ?? "").length)));
  const line = (row: readonly string[]): string =>
    columns
      .map((index, place) => (row[index] ?? "").padEnd(widths[place] ?? 0))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map((row) => `${line(row)}\n`).join("");
}
