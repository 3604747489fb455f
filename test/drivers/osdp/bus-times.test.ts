import { expect, test } from "vitest";
import { seeded } from "../../../simulator/faults.ts";
import { isLong } from "../../support/long.ts";
import { Wired } from "../../support/osdp-wired.ts";

/*
 * Eight readers in the Secure Channel at 9600 baud, which is as slow as a line can be: how long each of them waits for its
 * turn, and somebody who shows a card for the strike. What the decision itself takes, comes on top of it.
 */

const baud = 9_600;
const count = 8;
const dead = 5;
const busy = 6;
const moments = isLong ? 200 : 15;
const patience = { timeout: isLong ? 300_000 : 30_000 };
const out = 0x68;

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(Math.floor(values.length * share), values.length - 1)] ?? Number.NaN;
const words = (times: readonly number[]): string =>
  `${percentile(times, 0.5).toFixed(0)} ms, at most ${Math.max(...times).toFixed(0)} ms`;

/** The line for a while, and who on it is well. */
function staged(isDead: boolean, isBusy: boolean): { readonly wired: Wired; readonly well: readonly number[] } {
  const wired = new Wired({ count, baud, strike: 1 });
  wired.run(5_000);
  expect(wired.addresses("online")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const gone = wired.readers[dead];
  if (isDead && gone) wired.far.leave(gone);
  if (isBusy) wired.readers[busy]?.behave({ busy: 1_000_000 });
  const well = wired.readers
    .map(({ address }) => address)
    .filter((address) => !(isDead && address === dead) && !(isBusy && address === busy));
  const began = wired.now;
  wired.run(isDead ? 10_000 : 2_000);
  // Until it is found out that he does not answer any more, he is waited for in full once.
  for (const address of well) expect(wired.longestPause(address, began)).toBeLessThan(500);
  return { wired, well };
}

/** How long it takes from a card to the last byte of the order to the strike, and to its ACK, each time in ms. */
function shown(
  wired: Wired,
  well: readonly number[],
): { readonly sent: readonly number[]; readonly answered: readonly number[] } {
  const random = seeded(20_261_128);
  const [sent, answered]: [number[], number[]] = [[], []];
  for (let moment = 0; moment < moments; moment += 1) {
    wired.run(900 + random() * 300);
    const address = well[Math.floor(random() * well.length)] ?? 0;
    const from = wired.now;
    wired.show(address, moment);
    wired.runUntil(() => wired.results(address, from).length > 0, 2_000);
    const order = wired.spoken.find(({ at, frame }) => at >= from && frame.code === out);
    const [result] = wired.results(address, from);
    expect(result?.result).toEqual({ result: "done" });
    expect(wired.strikes(address, from)).toBe(1);
    sent.push((order?.until ?? Number.NaN) - from);
    answered.push((result?.at ?? Number.NaN) - from);
  }
  return { sent, answered };
}

test.each([
  { name: "all are well", isDead: false, isBusy: false },
  { name: "one is dead", isDead: true, isBusy: false },
  { name: "one is busy", isDead: false, isBusy: true },
  { name: "one is dead and one is busy", isDead: true, isBusy: true },
])(
  "eight readers in the Secure Channel at 9600 baud, where $name: each is asked at least every 400 ms, and a card moves the strike in half a second",
  patience,
  ({ name, isDead, isBusy }) => {
    const { wired, well } = staged(isDead, isBusy);
    const since = wired.now;
    const { sent, answered } = shown(wired, well);
    // One wait in eight for him who is dead is never cut short, in case that he is there, and slow.
    const probes = isDead ? wired.asked(dead, since).slice(0, -1) : [];
    const full = probes.filter((at) => wired.spoken.every((other) => other.at <= at || other.at - at > 200));
    expect(full.length).toBeLessThanOrEqual(Math.ceil(probes.length / 8));
    const longest = Math.max(...well.map((address) => wired.longestPause(address, since, full)));
    // Poll and answer are 30 bytes, and the line is quiet for two before each of them.
    const wire = well.length * ((34 * 10_000) / baud);
    process.stdout.write(
      `8 secure readers at 9600 baud, ${name}: asked every ${longest.toFixed(0)} ms (the wire for those that are well: ${wire.toFixed(0)} ms); card to last byte of OUT ${words(sent)}; to its ACK ${words(answered)} (${moments} cards)\n`,
    );
    expect(longest).toBeLessThan(400);
    // A card that is shown as he who is dead is asked waits for the end of that, too.
    expect(Math.max(...sent)).toBeLessThan(isDead ? 600 : 450);
    expect(wired.addresses("offline").filter((address) => well.includes(address))).toEqual([]);
  },
);
