/**
 * The bits of a card as text, with their count: `26:bd88eb80`. The first bit is the top one of the first byte. What fills the
 * last byte up is as it came: {@link withoutFiller} of it is who the card is.
 */
export const bitsToText = (count: number, bytes: Uint8Array): string =>
  `${count}:${Buffer.from(bytes).toString("hex")}`;

export function textToBits(text: string): { readonly count: number; readonly bytes: Uint8Array } {
  const [count = "", hex = ""] = text.split(":");
  return { count: Number(count), bytes: Uint8Array.from(Buffer.from(hex, "hex")) };
}

/** The same with zeros behind its bits: the same card reads the same at readers that fill up with other things. */
export function withoutFiller(text: string): string {
  const { count, bytes } = textToBits(text);
  const last = bytes.length - 1;
  return last < 0
    ? text
    : bitsToText(count, bytes.with(last, (bytes[last] ?? 0) & (0xff << (bytes.length * 8 - count))));
}
