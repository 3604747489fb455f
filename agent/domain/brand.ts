declare const brand: unique symbol;
/** A plain value with a name in its type, so that one kind of id cannot pass for another. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** The one place where a plain value gets its name. */
export function branded<B extends Branded<string | number, string>>(value: B extends number ? number : string): B {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as B;
}
