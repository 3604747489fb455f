/** The middle one; of an even number, halfway between the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  return (at(values, (values.length - 1) / 2, Math.floor) + at(values, (values.length - 1) / 2, Math.ceil)) / 2;
}

/** The value that so many of a hundred do not exceed. NaN of nothing. */
export const percentile = (values: readonly number[], percent: number): number =>
  at(values, (percent / 100) * values.length - 1, Math.ceil);

/** How far the values lie apart, as a share of their median: 0 where all are the same. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

function at(values: readonly number[], place: number, round: (place: number) => number): number {
  return values.toSorted((one, other) => one - other)[Math.max(0, round(place))] ?? Number.NaN;
}
