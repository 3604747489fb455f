import { setImmediate as othersTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { sameWhen, type When, type WindowAbility } from "../../agent/domain/lock-window.ts";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import { LinkError, type WriteOutcome } from "../../drivers/driver.ts";
import { type Able, entry, never, type Stand } from "./bench.ts";
import { openEnded, type Sample, type Samples, samplesFor, unkeepable } from "./window-samples.ts";

/** What there is to see of a code and its window. */
interface Seen {
  readonly inside: readonly boolean[];
  readonly outside: readonly boolean[];
  readonly isTold: boolean;
}

const asKept = ({ inside, outside }: Sample): Seen => ({
  inside: inside.map(() => true),
  outside: outside.map(() => false),
  isTold: true,
});

/** Code and window together: for locks that keep windows, and can be asked. */
export function describeWindows(able: Able, ability: WindowAbility, stand: () => Stand): void {
  // The clock of a real lock is set over a wire, to the minute or the second.
  const slack = able.wire ? 120_000 : 0;
  const samples = samplesFor(ability, slack);
  // Where the lock names its slots, it takes no code twice.
  const overwrites = able.memory !== "assigned";
  /** A code of another person, but where the code is the slot. */
  const another = (digits: string): string => (able.memory === "keyed" ? digits : stand().pin());

  describe("with windows", () => {
    test.each([...samples, ...openEnded(ability, slack)])(
      "write() with %s opens in it only, and is told, also when the link was closed and opened again",
      async (_, sample) => {
        const digits = stand().pin();
        const slot = await stand().stored(digits, 3, sample.window);
        expect(await seen(stand(), digits, slot, sample)).toEqual(asKept(sample));
        await stand().reopen();
        expect(await seen(stand(), digits, slot, sample)).toEqual(asKept(sample));
      },
    );

    test.runIf(overwrites).each(samples)(
      "write() over %s, with each window, leaves nothing of it",
      async (_, sample) => {
        for (const [, other] of samples) {
          const digits = stand().pin();
          await stand().stored(digits, 3, sample.window);
          const after = another(digits);
          const slot = await stand().stored(after, 3, other.window);
          expect(await seen(stand(), after, slot, other)).toEqual(asKept(other));
          await stand().memory.clear(slot, never());
        }
      },
    );

    test.runIf(overwrites).each(samples)("write() without a window over %s opens always", async (_, sample) => {
      const digits = stand().pin();
      await stand().stored(digits, 3, sample.window);
      const after = another(digits);
      const slot = await stand().stored(after, 3);
      for (const at of sample.outside) expect(await stand().opens(after, at)).toBe(true);
      expect(await whenOf(stand(), slot)).toBe("always");
    });

    test.each(samples)(
      "clear() of %s leaves no code, and nothing that the next one would be kept to",
      async (_, sample) => {
        const digits = stand().pin();
        const slot = await stand().stored(digits, 3, sample.window);
        expect(await stand().memory.clear(slot, never())).toMatchObject({ result: "stored" });
        for (const at of [...sample.inside, ...sample.outside]) expect(await stand().opens(digits, at)).toBe(false);
        expect(await stand().memory.read?.(slot, never())).toEqual({ state: "empty" });
        await stand().stored(digits, 3);
        for (const at of sample.outside) expect(await stand().opens(digits, at)).toBe(true);
      },
    );

    test.runIf(able.memory === "numbered").each(samples)(
      "at no moment of a write() with %s over a code without does the new one open elsewhere",
      async (_, sample) => {
        const [at] = sample.outside;
        await stand().stored(stand().pin(), 3);
        const digits = stand().pin();
        const over = new AbortController();
        const writing = stand()
          .stored(digits, 3, sample.window)
          .finally(() => over.abort());
        while (!over.signal.aborted) {
          expect(await stand().opens(digits, at)).toBe(false);
          await othersTurn();
        }
        expect(await seen(stand(), digits, await writing, sample)).toEqual(asKept(sample));
      },
    );

    test.runIf(able.suspends).each(samples)(
      "enable() of a code with %s lets it open in that only",
      async (_, sample) => {
        const digits = stand().pin();
        const slot = await stand().stored(digits, 3, sample.window);
        const { link, bench } = stand();
        await link.lock(bench.address).abilities(never());
        const enable = (on: boolean) => stand().memory.enable?.(slot, entry(digits, sample.window), on, never());
        expect(await enable(false)).toMatchObject({ result: "stored", slot });
        for (const at of sample.inside) expect(await stand().opens(digits, at)).toBe(false);
        expect(await enable(true)).toMatchObject({ result: "stored", slot });
        expect(await seen(stand(), digits, slot, sample)).toEqual(asKept(sample));
      },
    );

    test("read() and list() say of a code without a window that it opens always", async () => {
      const slot = await stand().stored(stand().pin(), 3);
      expect(await whenOf(stand(), slot)).toBe("always");
      const listed = [];
      for await (const { contents } of stand().memory.list?.(never()) ?? []) listed.push(contents);
      expect(listed).toMatchObject(able.lists ? [{ when: "always" }] : []);
    });

    test.each(unkeepable(ability))("write() with %s is refused, and nothing opens", async (_, window) => {
      const digits = stand().pin();
      const outcome = await stand().write(digits, 3, never(), window);
      expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
      expect(await stand().opens(digits)).toBe(false);
    });

    if (able.wire) describeTroubleWithWindows(samples, stand);
  });
}

async function whenOf(stand: Stand, slot: SlotName): Promise<When | undefined> {
  const contents = await stand.memory.read?.(slot, never());
  return contents && "when" in contents ? contents.when : undefined;
}

/** When a code opens, by the door itself, and whether the lock says that it is so. */
async function seen(stand: Stand, digits: string, slot: SlotName, { window, inside, outside }: Sample): Promise<Seen> {
  const opens = async (moments: Sample["inside"]): Promise<boolean[]> => {
    const found: boolean[] = [];
    for (const at of moments) found.push(await stand.opens(digits, at));
    return found;
  };
  const when = await whenOf(stand, slot);
  const isTold = when !== undefined && sameWhen(when, window, instant(Date.now()));
  return { inside: await opens(inside), outside: await opens(outside), isTold };
}

const third = slotName("3");
const isInDoubt = (outcome: WriteOutcome | LinkError): boolean =>
  outcome instanceof LinkError ? outcome.sent : outcome.result === "unconfirmed";

function describeTroubleWithWindows(samples: Samples, stand: () => Stand): void {
  test.each(samples)(
    "write() with %s whose answer is lost is unconfirmed, and read() then tells the truth",
    async (_, sample) => {
      const { memory, peer } = stand();
      const [old, digits] = [stand().pin(), stand().pin()];
      // The clock is right from the write before.
      await stand().stored(stand().pin(), 4, sample.window);
      await stand().stored(old, 3);
      // As a round does it: looks, then writes.
      expect(await memory.read?.(third, never())).toMatchObject({ when: "always" });
      await peer.mode("storenoreply");
      expect(await stand().tried(stand().write(digits, 3, never(), sample.window))).toSatisfy(isInDoubt);
      await peer.mode("ok");
      const contents = await memory.read?.(third, never());
      const isOn = contents !== undefined && "when" in contents && !contents.disabled;
      const [inside] = sample.inside;
      expect([await stand().opens(old, inside), await stand().opens(digits, inside)].includes(true)).toBe(isOn);
      for (const at of sample.outside) expect(await stand().opens(digits, at)).toBe(false);
      // And once it answers again, it is written anew.
      const slot = await stand().stored(digits, 3, sample.window);
      expect(await seen(stand(), digits, slot, sample)).toEqual(asKept(sample));
    },
  );

  test.each(samples)("write() with %s to a lock that lies is not stored, and nothing opens", async (_, sample) => {
    const digits = stand().pin();
    await stand().peer.mode("lie");
    const outcome = await stand().tried(stand().write(digits, 3, never(), sample.window));
    expect(outcome).not.toMatchObject({ result: "stored" });
    await stand().peer.mode("ok");
    for (const at of [...sample.inside, ...sample.outside]) expect(await stand().opens(digits, at)).toBe(false);
  });
}
