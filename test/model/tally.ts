/** Where an agent is killed: with nothing under way, and on either side of what the lock has done. */
export const killPoints = [
  "killed_between_steps",
  "killed_in_write",
  "killed_in_clear",
  "killed_in_switch",
  "killed_before_sending",
  "killed_after_sending",
  "killed_after_storing",
] as const;

/** Those that thousands of worlds are sure to have; there are rarer ones. */
const nexts: Readonly<Record<string, readonly string[]>> = {
  new: ["waiting"],
  waiting: ["writing", "refused", "gone"],
  writing: ["live", "unconfirmed", "refused", "removing"],
  unconfirmed: ["live", "waiting", "removing"],
  live: ["unconfirmed", "waiting", "removing"],
  refused: ["waiting", "writing", "gone"],
  removing: ["unconfirmed", "gone"],
};

/** How what is said of a code may change. */
export const transitions: readonly string[] = Object.entries(nexts).flatMap(([before, after]) =>
  after.map((state) => `${before} > ${state}`),
);

/** What a run has played, a line for each part. @param groups names of what was counted, by what they are. */
export function played(
  counts: ReadonlyMap<string, number>,
  groups: Readonly<Record<string, readonly string[]>>,
): string[] {
  const found = (mark: string): string[] => [...counts.keys()].filter((name) => name.includes(mark)).toSorted();
  const list = (names: readonly string[]): string =>
    names.map((name) => `${name.replace("deed:", "")} ${counts.get(name) ?? 0}`).join(", ");
  const deeds = found("deed:");
  const all = deeds.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  return [
    `${list(["worlds"])}, deeds ${all}: ${list(deeds)}`,
    ...Object.entries(groups).map(([group, names]) => `${group}: ${list(names)}`),
    `receipts: ${list(found(" > "))}`,
  ];
}

export function median(numbers: readonly number[]): number {
  const inOrder = numbers.toSorted((one, other) => one - other);
  return inOrder[Math.floor(inOrder.length / 2)] ?? 0;
}

/** `2 in 17, 3 in 1`: each number, and how often it came. */
export function spread(numbers: ReadonlyMap<number, number>): string {
  const inOrder = [...numbers].toSorted(([one], [other]) => one - other);
  return inOrder.map(([number, times]) => `${number} in ${times}`).join(", ");
}
