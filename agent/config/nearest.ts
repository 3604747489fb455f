/** Longer than any name that people give: beyond it a suggestion would be a guess. */
const longest = 64;

/** The candidate that a word was most likely meant to be: at most a third of its letters away. */
function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > longest) return undefined;
  const typed = word.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(typed, name.toLowerCase());
    if (distance <= Math.max(1, name.length / 3) && (!best || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** The end of a sentence that complains of a word: what was meant, or what there is, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `; did you mean "${near}"?`;
  if (candidates.length === 0 || candidates.length > 12) return "";
  return `; there ${candidates.length === 1 ? "is" : "are"} ${quoted(candidates)}`;
}

export const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= a.length; row++) {
    const above = rows.at(-1) ?? [];
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = cell(above, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? cell(rows.at(-2), column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(cell(above, column) + 1, cell(current, column - 1) + 1, changed, swap));
    }
    rows.push(current);
  }
  return cell(rows.at(-1), b.length);
}

const cell = (row: readonly number[] | undefined, column: number): number => row?.[column] ?? Number.POSITIVE_INFINITY;
