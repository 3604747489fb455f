import { expect, test } from "vitest";
import { type Answer, gate, type Stage, type Verdict } from "../../../drivers/osdp/gate.ts";

const [ack, nak, pdid, pdcap, lstatr, rstatr] = [0x40, 0x41, 0x45, 0x46, 0x48, 0x4b];
const [raw, fmt, keypad, ccrypt, rmac, busy, unknown] = [0x50, 0x51, 0x53, 0x76, 0x78, 0x79, 0xb1];
const poll = { code: 0x60, sequence: 2 };
const keyset = { code: 0x75, sequence: 2 };

const empty = new Set([ack, busy]);
const answer = (code: number, type?: number, error?: number): Answer => ({
  code,
  sequence: 2,
  type,
  isEmpty: empty.has(code),
  error,
});

const stages: readonly Stage[] = ["clear", "greeting", "challenged", "proving", "channel"];
const types = [undefined, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x21, 0x28] as const;
const codes = [ack, pdid, pdcap, lstatr, rstatr, raw, fmt, keypad, ccrypt, rmac, busy, unknown] as const;

/** All that is believed, of each code under each type in each state. */
const believed: Record<Stage, Partial<Record<string, readonly number[]>>> = {
  clear: { none: codes },
  greeting: { none: [ack, pdid, pdcap] },
  challenged: { 18: [ccrypt] },
  proving: { 18: [rmac], 20: [rmac] },
  channel: { 21: [lstatr, rstatr], 22: [ack, lstatr, rstatr, busy], 24: codes },
};

test.each(stages)("gate() in the state %s believes what the table says, and nothing else", (stage) => {
  for (const type of types) {
    for (const code of codes) {
      const isBelieved = believed[stage][String(type ?? "none")]?.includes(code) === true;
      const verdict = gate(stage, answer(code, type), poll);
      expect([type, code, verdict === "believed"]).toEqual([type, code, isBelieved]);
    }
  }
});

test("gate() never believes a card, or keys, in clear or unencrypted where the channel is required", () => {
  for (const stage of stages.filter((one) => one !== "clear")) {
    for (const type of types.filter((one) => one !== 0x18)) {
      for (const code of [raw, fmt, keypad]) {
        expect(["breach", "dropped"]).toContain(gate(stage, answer(code, type), poll));
        expect(["breach", "dropped"]).toContain(gate(stage, answer(code, type), keyset));
      }
    }
  }
});

test.each<[Stage, number | undefined, number, Verdict]>([
  ["clear", undefined, 1, "repeat"],
  ["clear", undefined, 3, "believed"],
  ["clear", undefined, 4, "restart"],
  ["clear", undefined, 6, "believed"],
  ["clear", 0x18, 3, "breach"],
  ["greeting", undefined, 1, "repeat"],
  ["greeting", undefined, 3, "believed"],
  ["greeting", undefined, 4, "restart"],
  ["greeting", 0x18, 3, "dropped"],
  ["challenged", undefined, 1, "repeat"],
  ["challenged", undefined, 4, "restart"],
  ["challenged", undefined, 5, "refused"],
  ["challenged", undefined, 6, "refused"],
  ["challenged", 0x12, 6, "breach"],
  ["proving", undefined, 5, "refused"],
  ["proving", undefined, 1, "repeat"],
  ["channel", undefined, 1, "repeat"],
  ["channel", undefined, 6, "gone"],
  ["channel", undefined, 2, "breach"],
  ["channel", undefined, 3, "breach"],
  ["channel", undefined, 4, "breach"],
  ["channel", undefined, 5, "breach"],
  ["channel", undefined, 9, "breach"],
  ["channel", 0x16, 6, "breach"],
  ["channel", 0x18, 6, "believed"],
])("gate() in the state %s, of a NAK under %s with %i, says %s", (stage, type, error, verdict) => {
  expect(gate(stage, answer(nak, type, error), poll)).toBe(verdict);
});

test.each(stages)("gate() in the state %s takes busy for busy only in clear, with the number 0", (stage) => {
  expect(gate(stage, { ...answer(busy), sequence: 0 }, poll)).toBe("busy");
  expect(gate(stage, { ...answer(busy), sequence: 0 }, { code: 0x61, sequence: 0 })).toBe("busy");
  expect(gate(stage, { ...answer(busy, 0x16), sequence: 0 }, poll)).toBe("restart");
  expect(gate(stage, answer(busy), poll)).not.toBe("busy");
});

test.each(stages)(
  "gate() in the state %s takes the number 0 for a restart, and another wrong one for late",
  (stage) => {
    for (const type of types) {
      for (const code of [ack, nak, raw]) {
        expect(gate(stage, { ...answer(code, type, 4), sequence: 0 }, poll)).toBe("restart");
        expect(gate(stage, { ...answer(code, type, 4), sequence: 1 }, poll)).toBe("late");
        expect(gate(stage, { ...answer(code, type, 4), sequence: 3 }, poll)).toBe("late");
      }
    }
  },
);

test("gate() lets an ACK in clear pass in the channel to a KEYSET only, and an empty one only", () => {
  expect(gate("channel", answer(ack), keyset)).toBe("believed");
  expect(gate("channel", { ...answer(ack), isEmpty: false }, keyset)).toBe("breach");
  expect(gate("channel", answer(ack), poll)).toBe("breach");
  expect(gate("channel", answer(pdid), keyset)).toBe("breach");
});

test("gate() takes data under 0x16 for a breach, but for status", () => {
  expect(gate("channel", { ...answer(ack, 0x16), isEmpty: false }, poll)).toBe("breach");
  expect(gate("channel", { ...answer(ack, 0x15), isEmpty: true }, poll)).toBe("breach");
});
