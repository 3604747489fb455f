import { Secret } from "../../agent/domain/secret.ts";
import { bitsToText, textToBits } from "./bit-string.ts";
import { low16, low32, read16, read32 } from "./little-endian.ts";

/*
 * What a reader answers (reference 2.2; SIA OSDP 2.2.2, 7). Both ways: the driver decodes, a persona encodes.
 */

export interface Capability {
  readonly function: number;
  readonly level: number;
  readonly number: number;
}

interface Fields {
  readonly ACK: object;
  /** What some readers say beside the code of the error is kept. */
  readonly NAK: { readonly error: number; readonly details: Uint8Array };
  readonly PDID: Identity;
  readonly PDCAP: { readonly capabilities: readonly Capability[] };
  /** `power`: it has failed. */
  readonly LSTATR: { readonly tamper: boolean; readonly power: boolean };
  /** Of each input: 0 inactive, 1 active, 2 short, 3 open, 4 fault, 5 unknown. */
  readonly ISTATR: { readonly inputs: readonly number[] };
  readonly OSTATR: { readonly outputs: readonly number[] };
  /** Of each reader behind it: 0 normal, 1 not connected, 2 tamper. */
  readonly RSTATR: { readonly readers: readonly number[] };
  /** `card`: the bits with their count, as `bitsToText` writes them. */
  readonly RAW: { readonly reader: number; readonly format: number; readonly card: Secret };
  /** Withdrawn from the standard. `characters`: of the card, one byte each. */
  readonly FMT: { readonly reader: number; readonly direction: number; readonly characters: Secret };
  /** `keys`: one byte each, as they come. */
  readonly KEYPAD: { readonly reader: number; readonly keys: Secret };
  readonly COM: { readonly address: number; readonly baud: number };
  readonly CCRYPT: { readonly cuid: Uint8Array; readonly random: Uint8Array; readonly cryptogram: Uint8Array };
  /** Empty where the reader has refused. */
  readonly RMAC_I: { readonly mac: Uint8Array };
  readonly BUSY: object;
}

/** Who a reader says it is (7.4). */
export interface Identity {
  /** The maker's OUI, hex in the order of the wire. */
  readonly vendor: string;
  readonly model: number;
  readonly version: number;
  readonly serial: number;
  /** Major, minor, build. */
  readonly firmware: readonly [number, number, number];
}

type Name = keyof Fields;
type Known<K extends Name = Name> = { readonly [P in K]: { readonly reply: P } & Fields[P] }[K];
/** What is not known by name is carried as it is. */
export type Reply = Known | { readonly reply: "other"; readonly code: number; readonly data: Uint8Array };

interface Codec<K extends Name> {
  readonly code: number;
  readonly encode: (reply: Known<K>) => Iterable<number>;
  /** Undefined: the data is not of that reply's shape. */
  readonly decode: (data: Uint8Array) => Known<K> | undefined;
}

const bare = <K extends "ACK" | "BUSY">(reply: Known<K>, code: number) => ({
  code,
  encode: () => [],
  decode: (data: Uint8Array) => (data.length === 0 ? reply : undefined),
});

/** No reader has more inputs, outputs or heads than that. */
const mostStates = 64;
/** What a reader says it has is not compared: some say less in their capabilities than they report. */
const statesOf = (data: Uint8Array): readonly number[] | undefined =>
  data.length > 0 && data.length <= mostStates ? [...data] : undefined;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const fromLatin1 = (text: Secret): Uint8Array => Buffer.from(text.reveal(), "latin1");

const codecs: { readonly [K in Name]: Codec<K> } = {
  ACK: bare({ reply: "ACK" }, 0x40),
  NAK: {
    code: 0x41,
    encode: ({ error, details }) => [error, ...details],
    decode: ([error, ...details]) =>
      error === undefined ? undefined : { reply: "NAK", error, details: Uint8Array.from(details) },
  },
  PDID: {
    code: 0x45,
    encode: ({ vendor, model, version, serial, firmware }) => [
      ...Buffer.from(vendor, "hex"),
      model,
      version,
      ...low32(serial),
      ...firmware,
    ],
    decode: (data) => {
      if (data.length !== 12) return undefined;
      const vendor = Buffer.from(data.subarray(0, 3)).toString("hex");
      const [, , , model = 0, version = 0, , , , , major = 0, minor = 0, build = 0] = data;
      return { reply: "PDID", vendor, model, version, serial: read32(data, 5), firmware: [major, minor, build] };
    },
  },
  PDCAP: {
    code: 0x46,
    encode: ({ capabilities }) => capabilities.flatMap((one) => [one.function, one.level, one.number]),
    decode: (data) => {
      if (data.length % 3 > 0) return undefined;
      const capabilities = Array.from({ length: data.length / 3 }, (_, nth) => ({
        function: data[nth * 3] ?? 0,
        level: data[nth * 3 + 1] ?? 0,
        number: data[nth * 3 + 2] ?? 0,
      }));
      return { reply: "PDCAP", capabilities };
    },
  },
  LSTATR: {
    code: 0x48,
    encode: ({ tamper, power }) => [Number(tamper), Number(power)],
    decode: (data) =>
      data.length === 2 ? { reply: "LSTATR", tamper: data[0] !== 0, power: data[1] !== 0 } : undefined,
  },
  ISTATR: {
    code: 0x49,
    encode: ({ inputs }) => inputs,
    decode: (data) => {
      const inputs = statesOf(data);
      return inputs && { reply: "ISTATR", inputs };
    },
  },
  OSTATR: {
    code: 0x4a,
    encode: ({ outputs }) => outputs,
    decode: (data) => {
      const outputs = statesOf(data);
      return outputs && { reply: "OSTATR", outputs };
    },
  },
  RSTATR: {
    code: 0x4b,
    encode: ({ readers }) => readers,
    decode: (data) => {
      const readers = statesOf(data);
      return readers && { reply: "RSTATR", readers };
    },
  },
  RAW: {
    code: 0x50,
    encode: ({ reader, format, card }) => {
      const { count, bytes } = textToBits(card.reveal());
      return [reader, format, ...low16(count), ...bytes];
    },
    decode: (data) => {
      const [reader = 0, format = 0] = data;
      const count = read16(data, 2);
      const bytes = data.subarray(4);
      if (data.length < 4 || count === 0 || bytes.length !== Math.ceil(count / 8)) return undefined;
      return { reply: "RAW", reader, format, card: new Secret(bitsToText(count, bytes)) };
    },
  },
  FMT: {
    code: 0x51,
    encode: ({ reader, direction, characters }) => {
      const bytes = fromLatin1(characters);
      return [reader, direction, bytes.length, ...bytes];
    },
    decode: (data) => {
      const [reader = 0, direction = 0, count] = data;
      const characters = data.subarray(3);
      if (count !== characters.length) return undefined;
      return { reply: "FMT", reader, direction, characters: new Secret(latin1(characters)) };
    },
  },
  KEYPAD: {
    code: 0x53,
    encode: ({ reader, keys }) => {
      const bytes = fromLatin1(keys);
      return [reader, bytes.length, ...bytes];
    },
    decode: (data) => {
      const [reader = 0, count] = data;
      const keys = data.subarray(2);
      return count === keys.length ? { reply: "KEYPAD", reader, keys: new Secret(latin1(keys)) } : undefined;
    },
  },
  COM: {
    code: 0x54,
    encode: ({ address, baud }) => [address, ...low32(baud)],
    decode: (data) => (data.length === 5 ? { reply: "COM", address: data[0] ?? 0, baud: read32(data, 1) } : undefined),
  },
  CCRYPT: {
    code: 0x76,
    encode: ({ cuid, random, cryptogram }) => [...cuid, ...random, ...cryptogram],
    decode: (data) =>
      data.length === 32
        ? { reply: "CCRYPT", cuid: data.slice(0, 8), random: data.slice(8, 16), cryptogram: data.slice(16) }
        : undefined,
  },
  RMAC_I: {
    code: 0x78,
    encode: ({ mac }) => mac,
    decode: (data) => (data.length === 16 || data.length === 0 ? { reply: "RMAC_I", mac: data.slice() } : undefined),
  },
  BUSY: bare({ reply: "BUSY" }, 0x79),
};

const byCode = new Map(Object.values(codecs).map((codec) => [codec.code, codec]));

/** Code and data of a reply, as they go into a frame, where it is not encrypted. */
export function encodeReply(reply: Reply): { readonly code: number; readonly data: Uint8Array } {
  return reply.reply === "other" ? reply : encodeKnown(reply);
}

function encodeKnown<K extends Name>(reply: Known<K>): { readonly code: number; readonly data: Uint8Array } {
  const codec = codecs[reply.reply];
  return { code: codec.code, data: Uint8Array.from(codec.encode(reply)) };
}

/** Undefined: the code is known, and its data is not of the shape that it must have. */
export function decodeReply(code: number, data: Uint8Array): Reply | undefined {
  const codec = byCode.get(code);
  return codec ? codec.decode(data) : { reply: "other", code, data };
}
