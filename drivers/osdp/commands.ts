import { Key } from "./key.ts";
import { low16, low32, read16, read32 } from "./little-endian.ts";

/*
 * What a panel says to a reader (reference 2.1; SIA OSDP 2.2.2, 6). Both ways: the driver encodes, a monitor and a persona
 * decode.
 */

/** Times on and off are in units of 100 ms, as all times of outputs, lights and sounds. */
export interface OutputOrder {
  readonly output: number;
  /** 1 off, 2 on, for good; 3, 4 the same once a running timer is over; 5 on, 6 off for the time, then back. */
  readonly code: number;
  readonly timer: number;
}

export interface LedOrder {
  readonly reader: number;
  readonly led: number;
  readonly temporary: LedPart & { readonly timer: number };
  readonly lasting: LedPart;
}
/** Code: 0 leave, 1 of the temporary part cancel, of the lasting part set; 2 of the temporary part set. */
interface LedPart {
  readonly code: number;
  readonly on: number;
  readonly off: number;
  /** 0 black, 1 red, 2 green, 3 amber, 4 blue, 5 magenta, 6 cyan, 7 white. */
  readonly onColour: number;
  readonly offColour: number;
}

export interface SoundOrder {
  readonly reader: number;
  /** 0 none, 1 off, 2 the default one. */
  readonly tone: number;
  readonly on: number;
  readonly off: number;
  /** 0: for ever. */
  readonly count: number;
}

interface Fields {
  readonly POLL: object;
  /** Kind 0 standard, 1 extended. Undefined: without the byte, as some panels ask. */
  readonly ID: { readonly kind?: number };
  readonly CAP: { readonly kind?: number };
  readonly LSTAT: object;
  readonly ISTAT: object;
  readonly OSTAT: object;
  readonly RSTAT: object;
  readonly OUT: { readonly outputs: readonly OutputOrder[] };
  readonly LED: { readonly leds: readonly LedOrder[] };
  readonly BUZ: { readonly sounds: readonly SoundOrder[] };
  readonly TEXT: {
    readonly reader: number;
    /** 1 lasting, 2 lasting and wrapped, 3 temporary, 4 temporary and wrapped. */
    readonly kind: number;
    readonly seconds: number;
    readonly row: number;
    readonly column: number;
    /** One byte a character. */
    readonly text: string;
  };
  readonly COMSET: { readonly address: number; readonly baud: number };
  /** Key type 1: SCBK of 16 bytes. */
  readonly KEYSET: { readonly keyType: number; readonly key: Key };
  readonly CHLNG: { readonly random: Uint8Array };
  readonly SCRYPT: { readonly cryptogram: Uint8Array };
  readonly ACURXSIZE: { readonly size: number };
}

type Name = keyof Fields;
/** A command that is known by name. */
type Known<K extends Name = Name> = { readonly [P in K]: { readonly command: P } & Fields[P] }[K];
/** What is not known by name is carried as it is. */
export type Command = Known | { readonly command: "other"; readonly code: number; readonly data: Uint8Array };

interface Codec<K extends Name> {
  readonly code: number;
  readonly encode: (command: Known<K>) => Iterable<number>;
  /** Undefined: the data is not of that command's shape. */
  readonly decode: (data: Uint8Array) => Known<K> | undefined;
}

const bare = <K extends "POLL" | "LSTAT" | "ISTAT" | "OSTAT" | "RSTAT">(command: Known<K>, code: number) => ({
  code,
  encode: () => [],
  decode: (data: Uint8Array) => (data.length === 0 ? command : undefined),
});

const kindOf = (data: Uint8Array): { readonly kind?: number } | undefined =>
  data.length > 1 ? undefined : data[0] === undefined ? {} : { kind: data[0] };
const encodeKind = ({ kind }: { readonly kind?: number }): readonly number[] => (kind === undefined ? [] : [kind]);

const encodeOutput = ({ output, code, timer }: OutputOrder): readonly number[] => [output, code, ...low16(timer)];
const outputOf = ([output = 0, code = 0, ...timer]: Uint8Array): OutputOrder => ({
  output,
  code,
  timer: read16(Uint8Array.from(timer), 0),
});

const encodePart = ({ code, on, off, onColour, offColour }: LedPart): readonly number[] => [
  code,
  on,
  off,
  onColour,
  offColour,
];
const partOf = ([code = 0, on = 0, off = 0, onColour = 0, offColour = 0]: Uint8Array): LedPart => ({
  code,
  on,
  off,
  onColour,
  offColour,
});
const encodeLed = ({ reader, led, temporary, lasting }: LedOrder): readonly number[] => [
  reader,
  led,
  ...encodePart(temporary),
  ...low16(temporary.timer),
  ...encodePart(lasting),
];
const ledOf = (data: Uint8Array): LedOrder => ({
  reader: data[0] ?? 0,
  led: data[1] ?? 0,
  temporary: { ...partOf(data.subarray(2, 7)), timer: read16(data, 7) },
  lasting: partOf(data.subarray(9)),
});

const encodeSound = ({ reader, tone, on, off, count }: SoundOrder): readonly number[] => [reader, tone, on, off, count];
const soundOf = ([reader = 0, tone = 0, on = 0, off = 0, count = 0]: Uint8Array): SoundOrder => ({
  reader,
  tone,
  on,
  off,
  count,
});

/** The records of `size` bytes that the data is made of; undefined where it is not made of such, or empty. */
const records = <T>(data: Uint8Array, size: number, of: (record: Uint8Array) => T): readonly T[] | undefined =>
  data.length === 0 || data.length % size > 0
    ? undefined
    : Array.from({ length: data.length / size }, (_, nth) => of(data.subarray(nth * size, (nth + 1) * size)));

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const textHeader = 6;

const codecs: { readonly [K in Name]: Codec<K> } = {
  POLL: bare({ command: "POLL" }, 0x60),
  ID: {
    code: 0x61,
    encode: encodeKind,
    decode: (data) => {
      const kind = kindOf(data);
      return kind && { command: "ID", ...kind };
    },
  },
  CAP: {
    code: 0x62,
    encode: encodeKind,
    decode: (data) => {
      const kind = kindOf(data);
      return kind && { command: "CAP", ...kind };
    },
  },
  LSTAT: bare({ command: "LSTAT" }, 0x64),
  ISTAT: bare({ command: "ISTAT" }, 0x65),
  OSTAT: bare({ command: "OSTAT" }, 0x66),
  RSTAT: bare({ command: "RSTAT" }, 0x67),
  OUT: {
    code: 0x68,
    encode: ({ outputs }) => outputs.flatMap(encodeOutput),
    decode: (data) => {
      const outputs = records(data, 4, outputOf);
      return outputs && { command: "OUT", outputs };
    },
  },
  LED: {
    code: 0x69,
    encode: ({ leds }) => leds.flatMap(encodeLed),
    decode: (data) => {
      const leds = records(data, 14, ledOf);
      return leds && { command: "LED", leds };
    },
  },
  BUZ: {
    code: 0x6a,
    encode: ({ sounds }) => sounds.flatMap(encodeSound),
    decode: (data) => {
      const sounds = records(data, 5, soundOf);
      return sounds && { command: "BUZ", sounds };
    },
  },
  TEXT: {
    code: 0x6b,
    encode: ({ reader, kind, seconds, row, column, text }) => {
      const characters = Buffer.from(text, "latin1");
      return [reader, kind, seconds, row, column, characters.length, ...characters];
    },
    decode: (data) => {
      const [reader = 0, kind = 0, seconds = 0, row = 0, column = 0, length] = data;
      const characters = data.subarray(textHeader);
      if (length !== characters.length) return undefined;
      return { command: "TEXT", reader, kind, seconds, row, column, text: latin1(characters) };
    },
  },
  COMSET: {
    code: 0x6e,
    encode: ({ address, baud }) => [address, ...low32(baud)],
    decode: (data) =>
      data.length === 5 ? { command: "COMSET", address: data[0] ?? 0, baud: read32(data, 1) } : undefined,
  },
  KEYSET: {
    code: 0x75,
    encode: ({ keyType, key }) => [keyType, key.reveal().length, ...key.reveal()],
    decode: ([keyType, length, ...key]) =>
      keyType === undefined || length !== key.length
        ? undefined
        : { command: "KEYSET", keyType, key: new Key(Uint8Array.from(key)) },
  },
  CHLNG: {
    code: 0x76,
    encode: ({ random }) => random,
    decode: (data) => (data.length === 8 ? { command: "CHLNG", random: data.slice() } : undefined),
  },
  SCRYPT: {
    code: 0x77,
    encode: ({ cryptogram }) => cryptogram,
    decode: (data) => (data.length === 16 ? { command: "SCRYPT", cryptogram: data.slice() } : undefined),
  },
  ACURXSIZE: {
    code: 0x7b,
    encode: ({ size }) => low16(size),
    decode: (data) => (data.length === 2 ? { command: "ACURXSIZE", size: read16(data, 0) } : undefined),
  },
};

const byCode = new Map(Object.values(codecs).map((codec) => [codec.code, codec]));

/** Code and data of a command, as they go into a frame, where it is not encrypted. */
export function encodeCommand(command: Command): { readonly code: number; readonly data: Uint8Array } {
  return command.command === "other" ? command : encodeKnown(command);
}

function encodeKnown<K extends Name>(command: Known<K>): { readonly code: number; readonly data: Uint8Array } {
  const codec = codecs[command.command];
  return { code: codec.code, data: Uint8Array.from(codec.encode(command)) };
}

/** Undefined: the code is known, and its data is not of the shape that it must have. */
export function decodeCommand(code: number, data: Uint8Array): Command | undefined {
  const codec = byCode.get(code);
  return codec ? codec.decode(data) : { command: "other", code, data };
}
