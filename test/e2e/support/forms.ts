/** The ways in which a text may stand somewhere and still be read by whoever looks: name and form. */
export function formsOf(text: string): ReadonlyMap<string, string> {
  const backwards = Array.from(text).toReversed().join("");
  return new Map([
    ["in clear", text],
    ["backwards", backwards],
    ["in hex", Buffer.from(text).toString("hex")],
    ["in hex, in capitals and spaced", [...Buffer.from(text)].map((byte) => byte.toString(16)).join(" ")],
    ["as bytes in a list", [...Buffer.from(text)].join(",")],
    ["in UTF-16", Buffer.from(text, "utf16le").toString("latin1")],
    ...[0, 1, 2].flatMap((before): [string, string][] => [
      [`in base64, ${before} bytes on`, base64(text, before)],
      [`backwards in base64, ${before} bytes on`, base64(backwards, before)],
    ]),
  ]);
}

/** The characters of base64 that depend on nothing but the text, where `before` bytes stand before it. */
function base64(text: string, before: number): string {
  const bits = 8 * before;
  const encoded = Buffer.from("\0".repeat(before) + text)
    .toString("base64")
    .replace(/=+$/, "");
  return encoded.slice(Math.ceil(bits / 6), Math.floor((bits + 8 * text.length) / 6));
}
