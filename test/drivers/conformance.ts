import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import { type Entry, type Link, LinkError, type Memory, type WriteOutcome } from "../../drivers/driver.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";

/** What a wire's far end can be made to do. `mode` is of the lock; `leave` and `comeBack` of what stands before it. */
export interface Peer {
  mode(mode: "ok" | "reject" | "lie" | "mask" | "dead" | "storenoreply"): Promise<void>;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

/** One driver with one empty lock at the far end. */
export interface Bench {
  readonly address: string;
  open(host: RecordingHost): Promise<Link>;
  /** Whether the door opens for a PIN: the truth, past the driver. */
  opens(pin: string, link: Link): Promise<boolean>;
  readonly peer?: Peer;
  close(): Promise<void>;
}

/** What the lock at the bench is able to do: its answers are held against this. */
export interface Able {
  readonly memory: "numbered" | "assigned" | "keyed";
  readonly readBack: "full" | "masked" | "occupancy" | "none";
  /** Its wire has a {@link Peer}, who can be silent. */
  readonly wire: boolean;
  /** The lock says no to a PIN that another slot has. Keyed memories have no other slot. */
  readonly refusesDuplicates: boolean;
  /** By how much the driver's time goes faster than ours. */
  readonly pace?: number;
}

/** Distinct 8-digit PINs, so that one is found wherever it leaks. Never the same twice in a run. */
let drawn = 0;
const usedPins: string[] = [];
function pin(length = 8): string {
  drawn += 1;
  const digits = String(91_000_001 + drawn * 13_577).slice(-length);
  usedPins.push(digits);
  return digits;
}
const entry = (digits: string): Entry => ({ credential: { kind: "pin", digits: new Secret(digits) }, label: "test" });
const never = (): AbortSignal => new AbortController().signal;

/** The first part of what every driver must do, whatever the wire: DESIGN, "The driver contract". */
export function describeDriver(name: string, able: Able, setup: () => Promise<Bench>): void {
  describe(`driver ${name}`, () => {
    let bench: Bench;
    let host: RecordingHost;
    let link: Link;
    let memory: Memory;
    const errors: unknown[] = [];

    beforeEach(async () => {
      usedPins.length = 0;
      errors.length = 0;
      bench = await setup();
      host = new RecordingHost(hurriedClock(able.pace ?? 1));
      link = await bench.open(host);
      memory = memoryOf(link, bench);
    });
    afterEach(async () => {
      await link[Symbol.asyncDispose]();
      await bench.close();
      host[Symbol.dispose]();
      const said = [...host.said, ...errors.map((error) => inspect(error, { depth: 10, showHidden: true }))].join("\n");
      for (const digits of usedPins.filter(({ length }) => length > 4)) expect(said).not.toContain(digits);
    });

    const place = (index: number): SlotName | undefined =>
      able.memory === "numbered" ? slotName(String(index)) : undefined;
    const write = (digits: string, index: number, signal = never()): Promise<WriteOutcome> =>
      memory.write(entry(digits), place(index), signal);
    const stored = async (digits: string, index: number): Promise<SlotName> => {
      const outcome = await write(digits, index);
      expect(outcome.result).toBe("stored");
      return outcome.result === "stored" ? outcome.slot : slotName("none");
    };
    /** What a write ended with, a thrown LinkError among it. */
    const tried = async (work: Promise<WriteOutcome>): Promise<WriteOutcome | LinkError> => {
      try {
        return await work;
      } catch (error) {
        errors.push(error);
        expect(error).toBeInstanceOf(LinkError);
        return error as LinkError;
      }
    };
    const opens = (digits: string): Promise<boolean> => bench.opens(digits, link);

    test("abilities() says who the lock is and what it takes, the same each time", async () => {
      const first = await link.lock(bench.address).abilities(never());
      const second = await link.lock(bench.address).abilities(never());
      expect(first).toEqual(second);
      expect(first.identity).not.toBe("");
      expect(first.memory?.readBack).toBe(able.readBack);
      const limits = first.memory?.kinds.get("pin");
      expect(limits?.lengths).toContain(8);
      const { slots } = limits ?? {};
      if (able.memory === "numbered") expect(slots).toContain(slotName("1"));
      else expect(slots).toHaveProperty(able.memory);
    });

    test("lock() gives the same lock each time", () => {
      expect(link.lock(bench.address)).toBe(link.lock(bench.address));
    });

    test("write() stores a PIN, with the proof that the lock can give", async () => {
      const digits = pin();
      const outcome = await write(digits, 3);
      const proof = {
        full: "read_back",
        masked: "read_back_masked",
        occupancy: "read_back_masked",
        none: "acknowledged",
      };
      expect(outcome).toMatchObject({ result: "stored", proof: proof[able.readBack] });
      expect(await opens(digits)).toBe(true);
    });

    test("read() says what is in a slot", async () => {
      if (!memory.read) return expect(able.readBack).toBe("none");
      const digits = pin();
      if (able.memory === "numbered") expect(await memory.read(slotName("3"), never())).toEqual({ state: "empty" });
      const slot = await stored(digits, 3);
      const contents = await memory.read(slot, never());
      expect(contents.state).toBe(able.readBack === "full" ? "known" : "opaque");
      if (contents.state !== "known") return;
      expect(contents.credential).toMatchObject({ kind: "pin" });
      expect(contents.credential.kind === "pin" && contents.credential.digits.equals(new Secret(digits))).toBe(true);
    });

    test("write() keeps leading zeros", async () => {
      const digits = `00${pin().slice(2)}`;
      await stored(digits, 3);
      expect(await opens(digits)).toBe(true);
      expect(await opens(digits.slice(2))).toBe(false);
    });

    test("write() to a slot that is taken puts the new PIN in the place of the old", async () => {
      const [old, fresh] = [pin(), pin()];
      const first = await stored(old, 3);
      const second = await stored(fresh, 3);
      expect(await opens(fresh)).toBe(true);
      expect(await opens(old)).toBe(able.memory !== "numbered");
      expect(first === second).toBe(able.memory === "numbered");
    });

    test("write() of what is there already is stored in the same slot", async () => {
      if (able.memory === "assigned") return;
      const digits = pin();
      expect(await stored(digits, 3)).toBe(await stored(digits, 3));
    });

    test("clear() empties a slot, and an empty slot too", async () => {
      const digits = pin();
      const slot = await stored(digits, 3);
      for (let time = 0; time < 2; time++) {
        expect(await memory.clear(slot, never())).toMatchObject({ result: "stored", slot });
        expect(await opens(digits)).toBe(false);
      }
      if (memory.read) expect(await memory.read(slot, never())).toEqual({ state: "empty" });
    });

    test("write() of a PIN that is too short is refused", async () => {
      const digits = pin(3);
      expect(await write(digits, 3)).toMatchObject({ result: "refused", reason: "invalid" });
      expect(await opens(digits)).toBe(false);
    });

    test.runIf(able.memory === "numbered")("write() to a slot that is not there is refused", async () => {
      for (const slot of ["9999", "-1", "x"].map(slotName)) {
        expect(await memory.write(entry(pin()), slot, never())).toMatchObject({ result: "refused", reason: "invalid" });
      }
      expect(await memory.write(entry(pin()), undefined, never())).toMatchObject({ result: "refused" });
    });

    test.runIf(able.refusesDuplicates)("write() of a PIN that another slot has is refused", async () => {
      const digits = pin();
      await stored(digits, 3);
      expect(await write(digits, 4)).toMatchObject({ result: "refused" });
      if (memory.read && able.memory === "numbered") {
        expect(await memory.read(slotName("4"), never())).toEqual({ state: "empty" });
      }
    });

    test("list() finds every slot that is taken", async () => {
      if (!memory.list) return expect(able.wire || able.readBack === "none").toBe(true);
      const slots = [await stored(pin(), 3), await stored(pin(), 5)];
      const listed: SlotName[] = [];
      for await (const { slot } of memory.list(never())) listed.push(slot);
      expect(listed.toSorted()).toEqual(slots.toSorted());
    });

    test("what was stored is there after the link was closed and opened again", async () => {
      const digits = pin();
      const slot = await stored(digits, 3);
      await link[Symbol.asyncDispose]();
      link = await bench.open(host);
      memory = memoryOf(link, bench);
      expect(await opens(digits)).toBe(true);
      expect(await memory.clear(slot, never())).toMatchObject({ result: "stored" });
    });

    test("works that are asked for together each end with their own outcome", async () => {
      const digits = Array.from({ length: 4 }, () => pin());
      const outcomes = await Promise.all(digits.map((each, index) => write(each, index + 1)));
      expect(outcomes.map(({ result }) => result)).toEqual(digits.map(() => "stored"));
      expect(await Promise.all(digits.map(opens))).toEqual(digits.map(() => true));
    });

    const withTrouble = (): void => {
      const peer = (): Peer => {
        if (!bench.peer) throw new Error("a bench with a wire has a peer");
        return bench.peer;
      };

      test.each(["lie", "reject"] as const)("write() to a lock that does %s is not stored", async (mode) => {
        const digits = pin();
        await peer().mode(mode);
        const outcome = await tried(write(digits, 3));
        expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
        await peer().mode("ok");
        expect(await opens(digits)).toBe(false);
      });

      test.each(["lie", "reject"] as const)("clear() of a lock that does %s is unconfirmed", async (mode) => {
        const digits = pin();
        const slot = await stored(digits, 3);
        await peer().mode(mode);
        expect(await tried(memory.clear(slot, never()))).toMatchObject({ result: "unconfirmed", slot });
        await peer().mode("ok");
        expect(await opens(digits)).toBe(true);
      });

      test("write() to a slot where the lock keeps another code is refused", async () => {
        await stored(pin(), 3);
        await peer().mode("lie");
        expect(await tried(write(pin(), 3))).toMatchObject(
          able.readBack === "full" ? { result: "refused", reason: "forbidden" } : { result: "stored" },
        );
      });

      test.runIf(able.readBack === "full")("write() to a lock that masks its answers is read_back_masked", async () => {
        const digits = pin();
        await peer().mode("mask");
        const outcome = await write(digits, 3);
        expect(outcome).toMatchObject({ result: "stored", proof: "read_back_masked" });
        expect(await memory.read?.(slotName("3"), never())).toEqual({ state: "opaque" });
        expect(await tried(write(digits, 4))).toMatchObject({ result: "refused" });
      });

      test("write() whose answer is lost is unconfirmed, and read() then tells the truth", async () => {
        const digits = pin();
        await link.lock(bench.address).abilities(never());
        await peer().mode("storenoreply");
        expect(await tried(write(digits, 3))).toEqual({ result: "unconfirmed", slot: "3" });
        await peer().mode("ok");
        expect(await opens(digits)).toBe(true);
        const contents = await memory.read?.(slotName("3"), never());
        expect(contents?.state).toBe(able.readBack === "full" ? "known" : "opaque");
      });

      test("clear() whose answer is lost is unconfirmed, and read() then tells the truth", async () => {
        const slot = await stored(pin(), 3);
        await peer().mode("storenoreply");
        expect(await tried(memory.clear(slot, never()))).toEqual({ result: "unconfirmed", slot });
        await peer().mode("ok");
        expect(await memory.read?.(slot, never())).toEqual({ state: "empty" });
      });

      test("a lock that is deaf from the start is silence, and nothing was sent to it", async () => {
        await peer().mode("dead");
        const outcome = await tried(write(pin(), 3));
        expect(outcome).toMatchObject({ name: "LinkError", sent: false });
        await expect(link.lock(bench.address).abilities(never())).rejects.toBeInstanceOf(LinkError);
      });

      test("a lock that goes deaf is silence, and never failure", async () => {
        await stored(pin(), 3);
        await peer().mode("dead");
        const outcome = await tried(write(pin(), 4));
        expect(outcome instanceof LinkError || outcome.result === "unconfirmed").toBe(true);
        await expect(memory.read?.(slotName("3"), never())).rejects.toBeInstanceOf(LinkError);
        await peer().mode("ok");
        expect((await memory.read?.(slotName("3"), never()))?.state).not.toBe("empty");
      });

      test("a wire that ends is said: offline, then online when it is back", async () => {
        await stored(pin(), 3);
        await host.reported("online");
        const before = host.events.length;
        await peer().leave();
        await host.reported("offline", before);
        expect(await tried(write(pin(), 4))).toMatchObject({ name: "LinkError", sent: false });
        const away = host.events.length;
        await peer().comeBack();
        await host.reported("online", away);
        await stored(pin(), 5);
      });

      test("an aborted call ends at once, with the signal's reason", async () => {
        await link.lock(bench.address).abilities(never());
        await peer().mode("dead");
        const calls = [
          (signal: AbortSignal) => write(pin(), 3, signal),
          (signal: AbortSignal) => memory.clear(slotName("3"), signal),
          async (signal: AbortSignal) => memory.read?.(slotName("3"), signal),
          (signal: AbortSignal) => link.lock(bench.address).abilities(signal),
        ];
        const reason = new Error("enough");
        for (const call of calls) {
          const controller = new AbortController();
          const ended = expect(call(controller.signal)).rejects.toBe(reason);
          const [started] = [Date.now(), setTimeout(() => controller.abort(reason), 10)];
          await ended;
          expect(Date.now() - started).toBeLessThan(100);
          await expect(call(AbortSignal.abort(reason))).rejects.toBe(reason);
        }
      });

      test("one that waits for its turn is let go when it is aborted, and the next one's turn comes", async () => {
        const reason = new Error("enough");
        const first = write(pin(), 3);
        const controller = new AbortController();
        const second = expect(write(pin(), 4, controller.signal)).rejects.toBe(reason);
        const third = write(pin(), 5);
        controller.abort(reason);
        await second;
        expect(await Promise.all([first, third])).toMatchObject([{ result: "stored" }, { result: "stored" }]);
      });

      test("a closed link leaves nothing open, and no one waiting", async () => {
        await link.lock(bench.address).abilities(never());
        await peer().mode("dead");
        const left = tried(write(pin(), 3));
        await link[Symbol.asyncDispose]();
        const outcome = await left;
        expect(outcome instanceof LinkError || outcome.result === "unconfirmed").toBe(true);
        await expect(link.lock(bench.address).abilities(never())).rejects.toBeInstanceOf(LinkError);

        const sockets = (): number =>
          process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
        await peer().mode("ok");
        const open = await eventually("closing of the first link", () => sockets());
        link = await bench.open(host);
        await link.lock(bench.address).abilities(never());
        expect(sockets()).toBeGreaterThan(open);
        await link[Symbol.asyncDispose]();
        await eventually("closing of the second link", () => (sockets() <= open ? true : undefined));
      });
    };
    if (able.wire) describe("with trouble at the far end", withTrouble);
  });
}

function memoryOf(link: Link, { address }: Bench): Memory {
  const { memory } = link.lock(address);
  if (!memory) throw new Error("this part of the suite is for locks with a memory");
  return memory;
}
