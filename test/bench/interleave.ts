/**
 * Each contender in turn, in every round: what the machine does beside it falls on all of them alike.
 *
 * @returns per round, what each of them gave, by name.
 */
export async function* interleaved(
  rounds: number,
  contenders: ReadonlyMap<string, (round: number) => Promise<number>>,
): AsyncGenerator<ReadonlyMap<string, number>> {
  for (let round = 0; round < rounds; round++) {
    const found = new Map<string, number>();
    for (const [name, run] of contenders) found.set(name, await run(round));
    yield found;
  }
}
