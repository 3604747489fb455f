/** So few codes end together every day, on however small a lock. */
const atLeast = 10;

/**
 * Whether so many codes of one device may end in one step, or whether that looks like a wrong clock: then somebody else is
 * to say first that it is right.
 *
 * @param codes on the device before that step.
 * @param ending those of them that end in it.
 * @param most the share of them, from 0 to 1, that may.
 */
export const massExpiry = (codes: number, ending: number, most: number): "go" | "hold" =>
  ending >= atLeast && ending > codes * most ? "hold" : "go";
