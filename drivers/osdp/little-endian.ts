/** Two bytes of a number of 16 bits, the low one first. */
export const low16 = (value: number): readonly [number, number] => [value & 0xff, (value >> 8) & 0xff];
/** Four bytes of a number of 32 bits, the lowest first. */
export const low32 = (value: number): readonly number[] => [...low16(value), ...low16(value >>> 16)];

/** What is past the end reads as 0: the caller has looked at the length. */
export const read16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
export const read32 = (bytes: Uint8Array, at: number): number => read16(bytes, at) + read16(bytes, at + 2) * 0x10000;
