import { setImmediate as othersTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import { LinkError, type WriteOutcome } from "../../drivers/driver.ts";
import { eventually } from "../support/host.ts";
import { allowance } from "../support/pace.ts";
import { type Able, never, rejection, type Stand } from "./bench.ts";

const isOpen = (outcome: WriteOutcome | LinkError): boolean =>
  outcome instanceof LinkError || outcome.result === "unconfirmed";
const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;

/** A promise that is over without a wait: some turns of the event loop are enough, however long they take. */
async function atOnce<T>(promise: Promise<T>): Promise<T | "not yet"> {
  const later = (async () => {
    for (let turn = 0; turn < 100; turn++) await othersTurn();
    return "not yet" as const;
  })();
  return Promise.race([promise, later]);
}

/** What a driver does when the far end lies, is silent, or goes away: for numbered memories that can be asked. */
export function describeTrouble({ readBack }: Able, stand: () => Stand): void {
  const says = readBack === "full" ? "known" : "opaque";

  describe("with trouble at the far end", () => {
    test.each(["lie", "reject"] as const)("write() to a lock that does %s is not stored", async (mode) => {
      const digits = stand().pin();
      await stand().peer.mode(mode);
      const outcome = await stand().tried(stand().write(digits, 3));
      expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
      await stand().peer.mode("ok");
      expect(await stand().opens(digits)).toBe(false);
    });

    test.each(["lie", "reject"] as const)("clear() of a lock that does %s is unconfirmed", async (mode) => {
      const digits = stand().pin();
      const slot = await stand().stored(digits, 3);
      await stand().peer.mode(mode);
      const outcome = await stand().tried(stand().memory.clear(slot, never()));
      expect(outcome).toEqual({ result: "unconfirmed", slot });
      await stand().peer.mode("ok");
      expect(await stand().opens(digits)).toBe(true);
    });

    test.runIf(says === "known")("write() to a slot where the lock keeps another code is refused", async () => {
      await stand().stored(stand().pin(), 3);
      await stand().peer.mode("lie");
      const outcome = await stand().tried(stand().write(stand().pin(), 3));
      expect(outcome).toMatchObject({ result: "refused", reason: "forbidden" });
    });

    test("write() to a lock that masks its answers is read_back_masked, and a duplicate is not", async () => {
      const digits = stand().pin();
      await stand().peer.mode("mask");
      expect(await stand().write(digits, 3)).toMatchObject({ result: "stored", proof: "read_back_masked" });
      expect(await stand().memory.read?.(slotName("3"), never())).toMatchObject({ state: "opaque" });
      expect(await stand().tried(stand().write(digits, 4))).toMatchObject({ result: "refused" });
    });

    test("write() whose answer is lost is unconfirmed, and read() then tells the truth", async () => {
      const digits = stand().pin();
      const { link, bench, peer, memory } = stand();
      await link.lock(bench.address).abilities(never());
      // As a round does it: looks, then writes.
      expect(await memory.read?.(slotName("3"), never())).toEqual({ state: "empty" });
      await peer.mode("storenoreply");
      expect(await stand().tried(stand().write(digits, 3))).toEqual({ result: "unconfirmed", slot: "3" });
      await peer.mode("ok");
      expect(await stand().opens(digits)).toBe(true);
      expect(await memory.read?.(slotName("3"), never())).toMatchObject({ state: says });
    });

    test("clear() whose answer is lost is unconfirmed, and read() then tells the truth", async () => {
      const slot = await stand().stored(stand().pin(), 3);
      await stand().peer.mode("storenoreply");
      const outcome = await stand().tried(stand().memory.clear(slot, never()));
      expect(outcome).toEqual({ result: "unconfirmed", slot });
      await stand().peer.mode("ok");
      expect(await stand().memory.read?.(slot, never())).toEqual({ state: "empty" });
    });

    test("a lock that is deaf from the start is silence, and nothing was sent to it", async () => {
      const { link, bench, peer } = stand();
      await peer.mode("dead");
      expect(await stand().tried(stand().write(stand().pin(), 3))).toMatchObject({ name: "LinkError", sent: false });
      expect(await rejection(link.lock(bench.address).abilities(never()))).toBeInstanceOf(LinkError);
    });

    test("a lock that goes deaf is silence, and never failure", async () => {
      const { memory, peer } = stand();
      await stand().stored(stand().pin(), 3);
      await peer.mode("dead");
      expect(await stand().tried(stand().write(stand().pin(), 4))).toSatisfy(isOpen);
      expect(await rejection(memory.read?.(slotName("3"), never()))).toBeInstanceOf(LinkError);
      await peer.mode("ok");
      expect(await memory.read?.(slotName("3"), never())).toMatchObject({ state: says });
    });

    test("a wire that ends is said: offline, then online when it is back", async () => {
      const { host, peer } = stand();
      await stand().stored(stand().pin(), 3);
      await host.reported("online");
      const before = host.events.length;
      await peer.leave();
      await host.reported("offline", before);
      expect(await stand().tried(stand().write(stand().pin(), 4))).toMatchObject({ name: "LinkError", sent: false });
      const away = host.events.length;
      await peer.comeBack();
      await host.reported("online", away);
      expect(await stand().stored(stand().pin(), 5)).toBe("5");
    });

    test("an aborted call ends at once, with the signal's reason", async () => {
      const { link, bench, peer, memory } = stand();
      const lock = link.lock(bench.address);
      await lock.abilities(never());
      await peer.mode("dead");
      const calls = [
        (signal: AbortSignal) => stand().write(stand().pin(), 3, signal),
        (signal: AbortSignal) => memory.clear(slotName("3"), signal),
        async (signal: AbortSignal) => memory.read?.(slotName("3"), signal),
        (signal: AbortSignal) => lock.abilities(signal),
      ];
      const reason = new Error("enough");
      for (const call of calls) {
        const controller = new AbortController();
        const ended = rejection(call(controller.signal));
        controller.abort(reason);
        expect(await atOnce(ended)).toBe(reason);
        expect(await rejection(call(AbortSignal.abort(reason)))).toBe(reason);
      }
    });

    test("a call that waits for an answer ends when it is aborted", async () => {
      const { link, bench, peer, memory } = stand();
      await link.lock(bench.address).abilities(never());
      await peer.mode("dead");
      const reason = new Error("enough");
      const controller = new AbortController();
      const ended = rejection(memory.read?.(slotName("3"), controller.signal));
      setTimeout(() => controller.abort(reason), 50);
      expect(await ended).toBe(reason);
    });

    test("one that waits for its turn is let go when it is aborted, and the next one's turn comes", async () => {
      const reason = new Error("enough");
      const first = stand().write(stand().pin(), 3);
      const controller = new AbortController();
      const second = rejection(stand().write(stand().pin(), 4, controller.signal));
      const third = stand().write(stand().pin(), 5);
      controller.abort(reason);
      expect(await second).toBe(reason);
      expect(await Promise.all([first, third])).toMatchObject([{ result: "stored" }, { result: "stored" }]);
    });

    test("a link that is closed lets go of those who wait", async () => {
      const { link, bench, peer } = stand();
      await link.lock(bench.address).abilities(never());
      await peer.mode("dead");
      const left = stand().tried(stand().write(stand().pin(), 3));
      const before = Date.now();
      await link[Symbol.asyncDispose]();
      const took = Date.now() - before;
      expect(await atOnce(left)).toSatisfy(isOpen);
      const next = rejection(link.lock(bench.address).abilities(never()));
      expect(await atOnce(next)).toBeInstanceOf(LinkError);
      expect(took).toBeLessThan(await allowance(200));
    });

    test("a link that is closed leaves no wire open", async () => {
      const { bench, host, link } = stand();
      const wires = (): number => bench.wires?.() ?? sockets();
      await link[Symbol.asyncDispose]();
      const open = wires();
      const second = await bench.open(host);
      await second.lock(bench.address).abilities(never());
      expect(wires()).toBeGreaterThan(open);
      await second[Symbol.asyncDispose]();
      await eventually("the closing of the wire", () => (wires() <= open ? true : undefined));
    });
  });
}
