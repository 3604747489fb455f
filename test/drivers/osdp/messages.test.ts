import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../agent/domain/secret.ts";
import { bitsToText, textToBits, withoutFiller } from "../../../drivers/osdp/bit-string.ts";
import { abilitiesOf } from "../../../drivers/osdp/capabilities.ts";
import { type Command, decodeCommand, encodeCommand } from "../../../drivers/osdp/commands.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { nak, nakWords } from "../../../drivers/osdp/nak.ts";
import { decodeReply, encodeReply, type Reply } from "../../../drivers/osdp/replies.ts";
import { fromHex, scenarios, toHex } from "./trace.ts";

describe.each(scenarios)("the trace $name", ({ frames }) => {
  test("every payload is decoded by its name and encoded byte for byte", () => {
    for (const { dir, name, code, plain, n } of frames) {
      if (plain === undefined || plain === null) continue;
      const message = dir === ">" ? decodeCommand(code, fromHex(plain)) : decodeReply(code, fromHex(plain));
      expect(message, `frame ${n}`).toMatchObject(dir === ">" ? { command: name } : { reply: name });
      const again = message && ("command" in message ? encodeCommand(message) : encodeReply(message));
      expect([again!.code, toHex(again!.data)]).toEqual([code, plain]);
    }
  });
});

const text = (hex: string): Secret => new Secret(Buffer.from(hex, "hex").toString("latin1"));

test.each<[string, Command]>([
  ["60", { command: "POLL" }],
  ["6100", { command: "ID", kind: 0 }],
  ["61", { command: "ID" }],
  ["6200", { command: "CAP", kind: 0 }],
  ["6800051e00", { command: "OUT", outputs: [{ output: 0, code: 5, timer: 30 }] }],
  [
    "680005100e01020000",
    {
      command: "OUT",
      outputs: [
        { output: 0, code: 5, timer: 3600 },
        { output: 1, code: 2, timer: 0 },
      ],
    },
  ],
  [
    "69000102050602031e000101000704",
    {
      command: "LED",
      leds: [
        {
          reader: 0,
          led: 1,
          temporary: { code: 2, on: 5, off: 6, onColour: 2, offColour: 3, timer: 30 },
          lasting: { code: 1, on: 1, off: 0, onColour: 7, offColour: 4 },
        },
      ],
    },
  ],
  ["6a0002020203", { command: "BUZ", sounds: [{ reader: 0, tone: 2, on: 2, off: 2, count: 3 }] }],
  ["6b0001050102024f4b", { command: "TEXT", reader: 0, kind: 1, seconds: 5, row: 1, column: 2, text: "OK" }],
  ["6e0200960000", { command: "COMSET", address: 2, baud: 38400 }],
  ["6e7e00840300", { command: "COMSET", address: 126, baud: 230400 }],
  ["7ba005", { command: "ACURXSIZE", size: 1440 }],
  ["80010203", { command: "other", code: 0x80, data: fromHex("010203") }],
])("decodeCommand() and encodeCommand() of %s", (hex, command) => {
  const [code = 0, ...data] = fromHex(hex);
  expect(decodeCommand(code, Uint8Array.from(data))).toEqual(command);
  const encoded = encodeCommand(command);
  expect(toHex(Uint8Array.of(encoded.code, ...encoded.data))).toBe(hex);
});

test("a key that is to be set is encoded, decoded, and never printed", () => {
  const bytes = fromHex("a1b2c3d4e5f60718293a4b5c6d7e8f90");
  const { code, data } = encodeCommand({ command: "KEYSET", keyType: 1, key: new Key(bytes) });
  expect([code, toHex(data)]).toEqual([0x75, `0110${toHex(bytes)}`]);
  const again = decodeCommand(code, data);
  expect(again?.command === "KEYSET" && toHex(again.key.reveal())).toBe(toHex(bytes));
  expect(JSON.stringify(again)).toBe('{"command":"KEYSET","keyType":1,"key":"[secret]"}');
});

test.each<[string, Reply]>([
  ["40", { reply: "ACK" }],
  ["4103", { reply: "NAK", error: 3, details: new Uint8Array() }],
  ["41030b68", { reply: "NAK", error: 3, details: fromHex("0b68") }],
  [
    "451c5fca020101020384040203",
    { reply: "PDID", vendor: "1c5fca", model: 2, version: 1, serial: 0x84030201, firmware: [4, 2, 3] },
  ],
  ["480100", { reply: "LSTATR", tamper: true, power: false }],
  ["49000502", { reply: "ISTATR", inputs: [0, 5, 2] }],
  ["4a0001", { reply: "OSTATR", outputs: [0, 1] }],
  ["4b02", { reply: "RSTATR", readers: [2] }],
  ["5000011a00bd88eb80", { reply: "RAW", reader: 0, format: 1, card: new Secret("26:bd88eb80") }],
  ["510001023132", { reply: "FMT", reader: 0, direction: 1, characters: new Secret("12") }],
  ["530103317f0d", { reply: "KEYPAD", reader: 1, keys: text("317f0d") }],
  ["540200960000", { reply: "COM", address: 2, baud: 38400 }],
  ["78", { reply: "RMAC_I", mac: new Uint8Array() }],
  ["79", { reply: "BUSY" }],
  ["b1ff", { reply: "other", code: 0xb1, data: fromHex("ff") }],
])("decodeReply() and encodeReply() of %s", (hex, reply) => {
  const [code = 0, ...data] = fromHex(hex);
  const decoded = decodeReply(code, Uint8Array.from(data));
  expect(decoded).toEqual(reply);
  expect(revealed(decoded)).toEqual(revealed(reply));
  const encoded = encodeReply(reply);
  expect(toHex(Uint8Array.of(encoded.code, ...encoded.data))).toBe(hex);
});

const revealed = (reply: Reply | undefined): unknown =>
  reply && Object.values(reply).flatMap((value: unknown) => (value instanceof Secret ? [value.reveal()] : []));

test("a card and keys are never printed", () => {
  const card = decodeReply(0x50, fromHex("00011a00bd88eb80"));
  const keys = decodeReply(0x53, fromHex("000231323"));
  expect(JSON.stringify([card, keys])).not.toMatch(/bd88eb80|12/);
});

test.each([
  ["a POLL with data", ">", "6000"],
  ["an ID of two bytes", ">", "610000"],
  ["an OUT of nothing", ">", "68"],
  ["an OUT with half an order", ">", "6800051e000005"],
  ["an LED with a byte too few", ">", "69000102050602031e0001010007"],
  ["a BUZ with a byte too many", ">", "6a000202020300"],
  ["a TEXT whose length is wrong", ">", "6b0001050102034f4b"],
  ["a TEXT without a length", ">", "6b0001050102"],
  ["a COMSET of four bytes", ">", "6e02009600"],
  ["a KEYSET whose length is wrong", ">", "750110a1b2"],
  ["a CHLNG of seven bytes", ">", "7601020304050607"],
  ["a SCRYPT of seven bytes", ">", "7701020304050607"],
  ["an ACURXSIZE of one byte", ">", "7b00"],
  ["an ACK with data", "<", "4000"],
  ["a NAK without a code", "<", "41"],
  ["a PDID of eleven bytes", "<", "451c5fca0201010203040102"],
  ["a PDCAP of four bytes", "<", "4601010101"],
  ["an LSTATR of three bytes", "<", "48000000"],
  ["an ISTATR of nothing", "<", "49"],
  ["an OSTATR of 65 outputs", "<", `4a${"00".repeat(65)}`],
  ["a RAW with a byte too many", "<", "5000011a00bd88eb8000"],
  ["a RAW with a byte too few", "<", "5000011a00bd88eb"],
  ["a RAW of no bits", "<", "5000010000"],
  ["a RAW without a count", "<", "50000101"],
  ["an FMT whose count is wrong", "<", "510001033132"],
  ["a KEYPAD whose count is wrong", "<", "5300033132"],
  ["a KEYPAD without a count", "<", "5300"],
  ["a COM of four bytes", "<", "5402009600"],
  ["a CCRYPT of 31 bytes", "<", `76${"00".repeat(31)}`],
  ["an RMAC_I of four bytes", "<", "7800000000"],
  ["a BUSY with data", "<", "7900"],
])("%s is not of the shape that it must have", (_, dir, hex) => {
  const [code = 0, ...data] = fromHex(hex);
  expect((dir === ">" ? decodeCommand : decodeReply)(code, Uint8Array.from(data))).toBe(undefined);
});

test("withoutFiller() takes what fills the last byte up for nothing", () => {
  expect(withoutFiller(bitsToText(26, fromHex("bd88ebbf")))).toBe("26:bd88eb80");
  expect(withoutFiller("8:ff")).toBe("8:ff");
  expect(withoutFiller("1:ff")).toBe("1:80");
});

test("textToBits() reads what bitsToText() wrote", () => {
  fc.assert(
    fc.property(fc.nat(1024), fc.uint8Array(), (count, bytes) => {
      expect(textToBits(bitsToText(count, bytes))).toEqual({ count, bytes });
    }),
  );
});

test("abilitiesOf() reads the sample of a monitor on a real bus", () => {
  const sample = decodeReply(0x46, fromHex("0102080202100301000401010501000601010801000901010a00030b0003"));
  expect(sample?.reply === "PDCAP" && abilitiesOf(sample.capabilities)).toEqual({
    inputs: 8,
    outputs: 16,
    timedOutputs: false,
    leds: 1,
    sound: true,
    text: 1,
    crc: true,
    secureChannel: true,
    receives: 768,
    readers: 0,
    version: 0,
  });
});

test("abilitiesOf() assumes little of a reader that tells nothing", () => {
  expect(abilitiesOf([])).toEqual({
    inputs: 0,
    outputs: 0,
    timedOutputs: false,
    leds: 0,
    sound: false,
    text: 0,
    crc: false,
    secureChannel: false,
    receives: 128,
    readers: 0,
    version: 0,
  });
  expect(abilitiesOf([{ function: 2, level: 4, number: 2 }])).toMatchObject({ outputs: 2, timedOutputs: true });
});

test("nakWords() has words for each code, and the number of what it does not know", () => {
  for (const code of [0, ...Object.values(nak)]) expect(nakWords(code)).not.toMatch(/\d/);
  expect(nakWords(255)).toBe("error 255");
});
