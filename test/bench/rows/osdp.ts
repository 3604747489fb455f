import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { OsdpFarEnd } from "../../support/osdp-far-end.ts";
import type { Bench } from "../bench.ts";
import { upTo } from "../house.ts";
import { OsdpTap, type Passed } from "../osdp-tap.ts";
import { Site } from "../site.ts";
import { median } from "../statistics.ts";
import { until } from "../until.ts";

const cycle = "OSDP poll cycle";
const strike = "OSDP strike";
const readers = 8;
const baud = 9_600;
/** Nobody speaks before the line was silent for so long: two bytes (reference 1.5). */
const silence = (2 * 10_000) / baud;
/** The codes of a command and of replies (reference 2.1, 2.2). */
const out = 0x68;
const isCard = (code: number): boolean => code === 0x50;
/** 123/4567 of 26 bits. */
const card = { format: "h10301", bits: "bd88eb80" };
const shown = { act: "card", bits: "26:bd88eb80" } as const;

export const osdp: Bench = {
  name: "osdp",
  rows: [cycle, strike],
  beside: "others that wait, quickly",
  unit: { [cycle]: "ms", [strike]: "ms" },

  async *rounds(context) {
    const { quick, folder, progress } = context;
    const [watched, cards, rounds] = quick ? [1_500, 5, 1] : [4_000, 8, 5];
    progress(`osdp: ${readers} readers at ${baud} baud, and their sessions`);
    const addresses = upTo(readers);
    const keys = Object.fromEntries(addresses.map((address) => [address, randomBytes(16).toString("hex")]));
    const flags = Object.entries(keys).flatMap(([address, key]) => ["--reader", `${address}=${key}`]);
    await using far = await new OsdpFarEnd([...flags, "--baud", String(baud)]).start();
    await using tap = await OsdpTap.open(far.url);
    const at = join(folder, "osdp-keys");
    mkdirSync(at);
    const keysFile = join(at, "keys.json");
    writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 });
    const each = { cards: ["h10301"], strike: { seconds: 0.3 } };
    const link = {
      driver: "osdp",
      port: tap.url,
      baud,
      keys_file: keysFile,
      readers: Object.fromEntries(addresses.map((address) => [address, each])),
    };
    const devices = addresses.map((address) => ({
      device_id: `door-${address}`,
      name: `Door ${address}`,
      time_zone: "UTC",
      at: { link: "line", address: String(address) },
      doorman: {},
    }));
    await using site = await Site.open(context, "osdp", { links: { line: link }, devices });
    await site.agent.ask("credentials/set", { user_identity_id: "ann", kind: "card", value: card });
    for (const { device_id: device } of devices) await site.cloud.grant([{ identity: "ann", device }]);

    await pause(watched / 2);
    await site.agent.loopDelay();
    for (const round of upTo(rounds)) {
      progress(`osdp: round ${round} of ${rounds}`);
      const { length: before } = tap.passed;
      await pause(watched);
      const seen = tap.passed.slice(before);
      const took = cycleOf(seen);
      const strikes: number[] = [];
      for (const number of upTo(cards)) strikes.push(await opened(far, tap, 1 + (number % readers)));
      context.delayed("OSDP", await site.agent.loopDelay());
      yield {
        [cycle]: { latchd: took, reference: took - idleOf(seen) },
        [strike]: { latchd: median(strikes), reference: turnOf(seen) },
      };
    }
  },
};

/** From one command to a reader to the next one to it. */
function cycleOf(seen: readonly Passed[]): number {
  const times = seen.flatMap(({ by, address, from }) => (by === "panel" && address === 1 ? [from] : []));
  return median(times.slice(1).map((time, at) => time - (times[at] ?? Number.NaN)));
}

/** How long of a cycle the line waits for the panel, beyond the silence that there has to be. */
function idleOf(seen: readonly Passed[]): number {
  return (
    readers *
    median(
      seen.flatMap((frame, at) => {
        const last = seen[at - 1];
        return frame.by === "panel" && last?.by === "reader" ? [Math.max(0, frame.from - last.to - silence)] : [];
      }),
    )
  );
}

/** What one reader's turn takes: its poll, its answer, and the silence after it. */
function turnOf(seen: readonly Passed[]): number {
  return median(
    seen.flatMap((frame, at) => {
      const last = seen[at - 1];
      return frame.by === "reader" && last?.by === "panel" ? [frame.to - last.from + silence] : [];
    }),
  );
}

/** Milliseconds from when the panel has a card to when it tells the strike to open. */
async function opened(far: OsdpFarEnd, tap: OsdpTap, reader: number): Promise<number> {
  const { length: before } = tap.passed;
  const since = (): readonly Passed[] => tap.passed.slice(before);
  const told = (): Passed | undefined => since().find(({ by, code }) => by === "panel" && code === out);
  await far.act(String(reader), shown);
  await until("the strike is told to open", () => told() !== undefined);
  const read = since().find(({ by, address, code }) => by === "reader" && address === reader && isCard(code));
  // It closes again, and the next card is another event.
  await pause(500);
  return (told()?.from ?? Number.NaN) - (read?.to ?? Number.NaN);
}
