import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { z } from "zod";
import { Links } from "../../agent/sync/links.ts";
import { defineDriver, type Link, LinkError, type LockDevice, type Log } from "../../drivers/driver.ts";
import { rest, VirtualClock } from "../support/virtual-clock.ts";

const minute = 60_000;
const quiet = (): void => undefined;
const nobody: LockDevice = { abilities: () => Promise.reject(new LinkError("no answer")) };

/** A wire that opens from a time on, and what was said of it. */
function bench(opensAfter: number) {
  const clock = new VirtualClock();
  const began = clock.now();
  const tries: number[] = [];
  const opened: string[] = [];
  const warned: object[] = [];
  const log: Log = {
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (fields) => void warned.push(fields),
    error: quiet,
  };
  let disposed = 0;
  const link: Link = {
    lock: () => nobody,
    atOnce: 1,
    async [Symbol.asyncDispose]() {
      disposed += 1;
    },
  };
  const driver = defineDriver({
    name: "late",
    options: z.object({}),
    async open() {
      tries.push(clock.now() - began);
      if (clock.now() - began < opensAfter) throw new LinkError("there is no such port", { hint: "plug it in" });
      return link;
    },
  });
  const links = new Links({ opened: (name) => void opened.push(name), reported: async () => undefined }, () => 0);
  const state = { get: () => undefined, set: quiet, delete: quiet, directory: tmpdir() };
  const start = (): void => links.start([{ name: "wire", driver, options: {}, host: { clock, log, state } }]);
  return { clock, links, start, tries, opened, warned, link, disposed: () => disposed };
}

test("a wire that does not open is tried for ever, at most a minute apart, and is told once", async () => {
  const { clock, links, start, tries, opened, warned, link, disposed } = bench(48 * 60 * minute);
  start();
  await clock.run(49 * 60 * minute);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
  expect(Math.max(...pauses)).toBe(minute);
  expect(tries.length).toBeGreaterThan(48 * 60);
  expect(warned).toEqual([{ problem: "there is no such port", hint: "plug it in" }]);
  expect(opened).toEqual(["wire"]);
  expect(links.get("wire")).toBe(link);
  await links.close();
  expect(disposed()).toBe(1);
});

test("close() ends the trying at once, and leaves no alarm behind", async () => {
  const { clock, links, start, tries } = bench(Number.POSITIVE_INFINITY);
  start();
  await clock.run(10_000);
  const before = tries.length;
  await links.close();
  await rest();
  expect(clock.asleep).toBe(0);
  await clock.run(10 * minute);
  expect(tries.length).toBe(before);
});
