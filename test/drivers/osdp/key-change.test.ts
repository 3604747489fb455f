import { describe, expect, test } from "vitest";
import { later } from "../../../agent/domain/instant.ts";
import type { ChangeOutcome } from "../../../agent/domain/wire-tools.ts";
import { KeyChange } from "../../../drivers/osdp/key-change.ts";
import { newKey } from "../../../drivers/osdp/key-strength.ts";
import { isLong } from "../../support/long.ts";
import { OsdpSite, type OsdpSiteOptions } from "../../support/osdp-site.ts";
import { rest } from "../../support/virtual-clock.ts";
import { toHex } from "./trace.ts";

const keyOf = ({ reader }: OsdpSite): string | undefined => reader.keyring.own && toHex(reader.keyring.own);

/** What can end at a moment. */
const misfortunes = {
  "the panel is killed": (site: OsdpSite) => site.restart(),
  "the reader's power is cut": ({ reader, now }: OsdpSite) => {
    reader.power(false, now);
    reader.power(true, now);
  },
  "both lose their power": (site: OsdpSite) => {
    misfortunes["the reader's power is cut"](site);
    site.restart();
  },
} as const satisfies Readonly<Record<string, (site: OsdpSite) => void>>;
const cases = Object.entries(misfortunes);

/** LATCHD_LONG=1 looks at many more moments. */
const moments = isLong ? 500 : 16;
const patience = { timeout: isLong ? 600_000 : 30_000 };

/** Moments of what lasts so long, evenly spread. */
const momentsOf = (ms: number): readonly number[] =>
  Array.from({ length: moments }, (_, nth) => (nth * ms) / (moments - 1));

/** How long it takes until it is so. */
const lasts = (site: OsdpSite, isSo: () => boolean): number => {
  const began = site.now;
  site.runUntil(isSo);
  return site.now - began;
};
const isProven = ({ happenings }: OsdpSite): boolean => happenings.some(({ happening }) => happening === "key_proven");

const rotating = (): OsdpSite => {
  const site = new OsdpSite({ baud: 9_600 });
  site.runUntil(() => site.session.isOnline).run(60);
  site.session.rotate(newKey());
  return site;
};

const pairing = (): OsdpSite => {
  const site = new OsdpSite({ own: "none", baud: 9_600 }).run(100);
  site.session.pair(newKey(), later(site.now, 20_000), site.now);
  return site;
};

describe("a new key for a reader", () => {
  test.each(cases)("leaves both with the same one key, at whatever moment of it %s", patience, (_, misfortune) => {
    const whole = rotating();
    const had = { old: 0, fresh: 0 };
    for (const moment of momentsOf(lasts(whole, () => isProven(whole)))) {
      const site = rotating();
      const before = keyOf(site);
      site.run(moment);
      misfortune(site);
      site.run(50).runUntil(() => site.session.isOnline && site.kept.length === 1, 30_000);
      site.run(500);
      expect([moment, site.session.isOnline, site.kept]).toEqual([moment, true, [keyOf(site)]]);
      had[keyOf(site) === before ? "old" : "fresh"] += 1;
    }
    // Of both there was some; else nothing was cut off in the middle.
    expect(had.fresh).toBeGreaterThan(moments / 10);
    // Without its power a reader is given the key again.
    const isGivenUp = misfortune !== misfortunes["the reader's power is cut"];
    expect(had.old).toBeGreaterThanOrEqual(isGivenUp ? moments / 10 : 0);
  });

  test("is on the disk before its first byte is on the line, and is forgotten if the panel was killed between", () => {
    const site = rotating();
    const before = keyOf(site);
    let kept: readonly string[] = [];
    site.isCut = () => {
      const isNow = site.happenings.some(({ happening }) => happening === "key_sent") && kept.length === 0;
      if (isNow) {
        kept = site.kept;
        site.restart();
      }
      return isNow;
    };
    site.run(5_000);
    expect(kept).toEqual([expect.any(String), before]);
    expect([site.session.isOnline, site.kept]).toEqual([true, [before]]);
  });
});

describe("the first key of a reader", () => {
  test.each(cases)("is lost at no moment of its pairing, if %s then", patience, (_, misfortune) => {
    const whole = pairing();
    let paired = 0;
    for (const moment of momentsOf(lasts(whole, () => isProven(whole)))) {
      const site = pairing();
      site.run(moment);
      misfortune(site);
      site.run(10_000);
      const key = keyOf(site);
      paired += Number(key !== undefined);
      expect([moment, site.session.isOnline]).toEqual([moment, key !== undefined]);
      expect(site.kept).toEqual(key === undefined ? site.kept : [key]);
    }
    expect(paired).toBeGreaterThan(moments / 10);
  });
});

/** What a change of keys tells. */
async function outcomeOf(
  options: OsdpSiteOptions,
  change: (change: KeyChange, site: OsdpSite) => Promise<ChangeOutcome>,
  before = 2_000,
): Promise<ChangeOutcome & { readonly site: OsdpSite }> {
  const site = new OsdpSite(options);
  const start = site.now;
  site.run(before);
  const told = new KeyChange({
    security: options.security ?? "required",
    session: site.session,
    clock: site.clock,
    wake: () => undefined,
  });
  const outcome = change(told, site);
  const over = { is: false };
  outcome.then(
    () => (over.is = true),
    () => (over.is = true),
  );
  let heard = site.happenings.length;
  while (!over.is) {
    if (site.now > later(start, 200_000)) throw new Error("it does not end");
    site.run(50);
    for (; heard < site.happenings.length; heard += 1) told.hear(site.happenings[heard]!);
    await rest();
  }
  return { ...(await outcome), site };
}
const never = new AbortController().signal;

describe("KeyChange", () => {
  test("tells that a reader has proven its new key, or that it has refused it", async () => {
    const done = await outcomeOf({}, (change) => change.rotate(never));
    expect(done.result).toBe("done");
    expect(done.site.kept).toEqual([keyOf(done.site)]);
    const refused = await outcomeOf({ behaviour: { refuses: { 0x75: 9 } } }, (change) => change.rotate(never));
    expect(refused).toMatchObject({ result: "refused", detail: expect.stringContaining("does not take another key") });
    expect(refused.site.session.isOnline).toBe(true);
  });

  test("pairs a reader that waits to be installed, and none that does not", async () => {
    const done = await outcomeOf({ own: "none" }, (change) => change.pair(20_000, never));
    expect(done.result).toBe("done");
    const refused = await outcomeOf({ own: "none" }, (change, site) => {
      site.reader.keyring.install(false);
      return change.pair(20_000, never);
    });
    expect(refused).toMatchObject({ result: "refused", detail: expect.stringContaining("not in its install mode") });
    expect(refused.site.kept).toEqual([]);
    const silent = await outcomeOf({ own: "none" }, (change, site) => {
      site.far.leave(site.reader);
      return change.pair(20_000, never);
    });
    expect(silent).toMatchObject({ result: "refused", detail: expect.stringContaining("does not answer") });
  });

  test("pairs a reader that was set back, or is another one than the one that we have a key for", async () => {
    const done = await outcomeOf({}, (change, site) => {
      const { reader, far } = site;
      far.leave(reader);
      site.run(10_000);
      reader.keyring.install(true);
      far.join(reader);
      return change.pair(20_000, never);
    });
    expect(done.result).toBe("done");
    expect(done.site.run(1_000).session.isOnline).toBe(true);
    expect(done.site.kept).toEqual([keyOf(done.site)]);
  });

  test("touches no reader that is online, is spoken to in clear, or is offline when its key is to be changed", async () => {
    const online = await outcomeOf({}, (change) => change.pair(20_000, never));
    expect(online).toMatchObject({ result: "refused", detail: expect.stringContaining("osdp rotate") });
    const clear = await outcomeOf({ own: "none", security: "clear" }, (change) => change.pair(20_000, never));
    expect(clear).toMatchObject({ result: "refused", detail: expect.stringContaining("in clear") });
    const offline = await outcomeOf({}, (change) => change.rotate(never), 0);
    expect(offline).toMatchObject({ result: "refused", detail: expect.stringContaining("offline") });
    for (const { site } of [online, clear, offline]) {
      expect(site.happenings.filter(({ happening }) => happening === "key_sent")).toEqual([]);
    }
  });

  test("makes one change at a time", async () => {
    const second = await outcomeOf({}, async (change) => {
      const first = change.rotate(never);
      const refused = await change.rotate(never);
      first.catch(() => undefined);
      return refused;
    });
    expect(second).toMatchObject({ result: "refused", detail: "a change of its key is under way" });
  });
});
