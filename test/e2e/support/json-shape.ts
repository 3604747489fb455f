/** What is said of JSON by the names of its members and their types alone; of an array, by all of its entries at once. */
type Shape = ReadonlyMap<string, ReadonlySet<string>>;

/** The paths in a value with the types that are there. What is null may be anything. */
export function shapeOf(value: unknown, path = ""): Shape {
  const found = new Map<string, Set<string>>();
  const add = (at: string, types: Iterable<string>): void => {
    found.set(at, new Set([...(found.get(at) ?? []), ...types]));
  };
  add(path, value === null ? [] : [Array.isArray(value) ? "array" : typeof value]);
  const below: (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((each: unknown) => [`${path}[]`, each])
    : typeof value === "object" && value !== null
      ? Object.entries(value).map(([name, each]: [string, unknown]) => [path === "" ? name : `${path}.${name}`, each])
      : [];
  for (const [at, each] of below) for (const [name, types] of shapeOf(each, at)) add(name, types);
  return found;
}

/** Where two shapes differ, one line each. An array that is empty in one of them says nothing of its entries. */
export function differences(theirs: Shape, ours: Shape): readonly string[] {
  const paths = [...new Set([...theirs.keys(), ...ours.keys()])];
  return paths
    .filter((path) => !isBelowUnknown(path, theirs) && !isBelowUnknown(path, ours))
    .flatMap((path) => {
      const [there, here] = [theirs.get(path), ours.get(path)];
      if (!there) return [`${path}: only ours`];
      if (!here) return [`${path}: only theirs`];
      const isSame = there.size === 0 || here.size === 0 || [...there].every((type) => here.has(type));
      return isSame ? [] : [`${path}: ${[...there].join("|")}, ours ${[...here].join("|")}`];
    });
}

/** Something around it is missing, null or without entries: what is in there is not told. */
function isBelowUnknown(path: string, shape: Shape): boolean {
  const around = path.split(/(?=\.|\[\])/).slice(0, -1);
  return around.some((_, index) => {
    const outer = around.slice(0, index + 1).join("");
    const types = shape.get(outer);
    if (!types || types.size === 0) return true;
    return types.has("array") && !shape.has(`${outer}[]`);
  });
}
