import { array, assert, constantFrom, integer, property, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import { encodeFrame } from "../../drivers/osdp/frame.ts";
import { seeded } from "../../simulator/faults.ts";
import { PacedLine, type Station } from "../../simulator/osdp-line.ts";
import { badWeather, silent, weatherOf } from "../../simulator/osdp-weather.ts";

const start = instant(1_790_000_000_000);

class Ear implements Station {
  baud: number;
  readonly bytes: number[] = [];
  readonly times: Instant[] = [];

  constructor(baud = 9_600) {
    this.baud = baud;
  }

  readonly hear = (bytes: Uint8Array, at: Instant): void => {
    this.bytes.push(...bytes);
    for (const _ of bytes) this.times.push(at);
  };
}

const lineOf = (...stations: readonly Station[]): PacedLine => {
  const line = new PacedLine({ random: seeded(1) });
  for (const station of stations) line.join(station);
  return line;
};

test.each([9_600, 19_200, 38_400, 57_600, 115_200])("PacedLine: a byte takes ten bits at %i baud", (baud) => {
  const [panel, reader, other] = [new Ear(baud), new Ear(baud), new Ear(baud)];
  const line = lineOf(panel, reader, other);
  line.say(panel, Uint8Array.of(1, 2, 3), start);
  const perByte = 10_000 / baud;
  expect(line.next).toBeCloseTo(start + perByte, 3);
  line.advance(instant(start + 2.5 * perByte));
  expect(reader.bytes).toEqual([1, 2]);
  line.advance(later(start, 1_000));
  expect(reader.bytes).toEqual([1, 2, 3]);
  expect(other.bytes).toEqual([1, 2, 3]);
  expect(panel.bytes).toEqual([]);
  for (const [index, at] of reader.times.entries()) expect(at).toBeCloseTo(start + (index + 1) * perByte, 3);
  expect(line.next).toBeUndefined();
});

test("PacedLine: what one says while it speaks comes after that; where two speak, nobody can read either", () => {
  const [one, two, ear] = [new Ear(), new Ear(), new Ear()];
  const line = lineOf(one, two, ear);
  line.say(one, Uint8Array.of(1, 2), start);
  line.say(one, Uint8Array.of(3), start);
  line.advance(later(start, 100));
  expect(ear.bytes).toEqual([1, 2, 3]);

  const said = new Uint8Array(50).fill(0x55);
  line.say(one, said, later(start, 200));
  line.say(two, said, later(start, 210));
  line.advance(later(start, 1_000));
  const heard = ear.bytes.slice(3);
  expect(heard).toHaveLength(100);
  // Ten milliseconds alone, at either end.
  expect(heard.slice(0, 9)).toEqual([...said.subarray(0, 9)]);
  expect(heard.slice(-9)).toEqual([...said.subarray(0, 9)]);
  expect(heard.slice(10, -10).filter((byte) => byte === 0x55).length).toBeLessThan(10);
});

test("PacedLine: at another rate one hears nothing that makes sense; one that has left hears nothing", () => {
  const [one, wrong, gone] = [new Ear(), new Ear(19_200), new Ear()];
  const line = lineOf(one, wrong, gone);
  line.leave(gone);
  const frame = encodeFrame({
    address: 1,
    isReply: false,
    sequence: 0,
    check: "crc",
    code: 0x60,
    data: new Uint8Array(),
  });
  for (let time = 0; time < 20; time += 1) line.say(one, frame, later(start, time * 50));
  line.advance(later(start, 10_000));
  expect(new Deframer().push(Uint8Array.from(wrong.bytes))).toEqual([]);
  expect(wrong.bytes).toHaveLength(20 * frame.length);
  expect(gone.bytes).toEqual([]);
});

test("PacedLine: however time is cut up, the same is heard at the same times", () => {
  const life = array(uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 8 });
  const odds = badWeather.parse({ bits: 0.01, lost: 0.2, twice: 0.2, cut: 0.2, torn: 0.2, late: 0.2, noise: 0.2 });
  assert(
    property(life, integer(), constantFrom(0.1, 1, 7, 50), (saids, seed, step) => {
      const lived = (by: number): Ear => {
        const [panel, ear] = [new Ear(), new Ear()];
        const line = new PacedLine({ random: seeded(seed), weather: weatherOf(odds, seeded(seed)) });
        for (const station of [panel, ear]) line.join(station);
        for (const said of saids) line.say(panel, said, start);
        for (let at = 0; line.next !== undefined; at += by) line.advance(later(start, at));
        return ear;
      };
      const [once, steps] = [lived(100_000), lived(step)];
      expect(steps.bytes).toEqual(once.bytes);
      expect(steps.times).toEqual(once.times);
    }),
    { numRuns: 50 },
  );
});

test("weatherOf() brings each misfortune as often as it is asked to, the same for the same seed", () => {
  const said = Uint8Array.from({ length: 40 }, (_, index) => index);
  const shares = (odds: object) => {
    const weather = weatherOf(badWeather.parse(odds), seeded(4));
    const all = Array.from({ length: 2_000 }, () => weather(said));
    const share = (is: (heard: (typeof all)[number]) => boolean): number => all.filter(is).length / all.length;
    return {
      lost: share((heard) => heard.length === 0),
      twice: share((heard) => heard.length === 2 && heard.every(({ bytes }) => bytes.length === 40)),
      cut: share((heard) => heard.length === 1 && (heard[0]?.bytes.length ?? 40) < 40),
      torn: share((heard) => heard.length === 2 && (heard[1]?.after ?? 0) > 0),
      late: share((heard) => (heard[0]?.after ?? 0) > 0),
      noise: share((heard) => heard.length === 2 && (heard[0]?.bytes.length ?? 40) < 13),
      damaged: share((heard) => heard.length === 1 && Buffer.compare(heard[0]?.bytes ?? said, said) !== 0),
    };
  };
  for (const name of ["lost", "twice", "cut", "torn", "late", "noise"] as const) {
    expect(shares({ [name]: 0.25 })[name]).toBeCloseTo(0.25, 1);
  }
  // Of 320 bits a thousandth: one frame in four or so.
  expect(shares({ bits: 0.001 }).damaged).toBeCloseTo(1 - 0.999 ** 320, 1);
  expect(silent(said)).toEqual([]);
  const odds = badWeather.parse({ bits: 0.01, noise: 0.5, late: 0.5 });
  expect(weatherOf(odds, seeded(9))(said)).toEqual(weatherOf(odds, seeded(9))(said));
});
