/*
 * The two checks that end a frame. They find damage on the line, and nothing else: who wants to can make them right.
 */

const polynomial = 0x1021;
const start = 0x1d0f;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ polynomial : crc << 1;
  return crc;
});

/** CRC-16 with start value 0x1D0F, not reflected (catalogued as CRC-16/SPI-FUJITSU); of "123456789" it is 0xE5CC. */
export function crc16(bytes: Uint8Array): number {
  let crc = start;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0);
  return crc;
}

/** What makes the sum of all bytes of a frame 0 modulo 256. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}
