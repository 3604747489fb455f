import { expect, test } from "vitest";
import type { Behaviour } from "../../../simulator/osdp-behaviour.ts";
import { calm } from "../../../simulator/osdp-weather.ts";
import { frameIn, Wired } from "../../support/osdp-wired.ts";

const out = 0x68;
const damaged = (said: Uint8Array): Uint8Array => said.with(said.length - 1, (said.at(-1) ?? 0) ^ 1);

/**
 * A card is shown, and the reader loses its session over the order to its strike: the first time that is said it gets through or
 * not, and its answer never does; when it is said again it is damaged, or the reader knows of no session any more.
 *
 * @returns what was told of it, how often the strike was released, and whether it was said in the next session.
 */
function doubt({ getsThrough, ...habits }: Partial<Behaviour> & { readonly getsThrough: boolean }) {
  const wired = new Wired({ count: 1, baud: 38_400, habits: { drops_session_on_damage: true, ...habits } });
  wired.run(1_000);
  let said = 0;
  wired.far.line.weather = (bytes) => {
    const frame = frameIn(bytes);
    if (frame?.code === out && !frame.isReply) said += 1;
    if (said === 1 && frame?.code === out) return calm(getsThrough ? bytes : damaged(bytes));
    if (said === 1) return [];
    return calm(said === 2 && frame?.code === out && getsThrough ? damaged(bytes) : bytes);
  };
  const since = wired.now;
  wired.show(0);
  wired.run(4_000);
  const [channels = 0] = wired.sessions.map(({ counts }) => counts.channels);
  return {
    results: wired.results(0, since).map(({ result }) => result.result),
    strikes: wired.strikes(0, since),
    said,
    channels,
  };
}

test("an order of which it is not known whether it was carried out is not said again where the output is on", () => {
  // The third time is what the reader answers that it knows of no session.
  expect(doubt({ getsThrough: true })).toEqual({ results: ["done"], strikes: 1, said: 3, channels: 2 });
});

test("one that did not get through is said again in the next session, once the output is seen to be off", () => {
  expect(doubt({ getsThrough: false })).toEqual({ results: ["done"], strikes: 1, said: 3, channels: 2 });
});

test("where the reader does not tell of its outputs, nobody knows, and it is not said again", () => {
  const refuses = { [0x66]: 3 };
  expect(doubt({ getsThrough: false, refuses })).toEqual({ results: ["unknown"], strikes: 0, said: 2, channels: 2 });
});
