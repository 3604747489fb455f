import { expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import { isAsked, LinkError, type LinkEvent, type ReaderAnswer } from "../../drivers/driver.ts";
import simulated from "../../drivers/simulated/index.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { never } from "./bench.ts";

const options = simulated.options.parse({ memory: "none", timeout_ms: 100 });

test("a simulated reader has no memory, and says that it is a reader", async () => {
  using host = new RecordingHost(hurriedClock(20));
  await using link = await simulated.open(options, host);
  const lock = link.lock("lobby");
  expect(lock.memory).toBeUndefined();
  expect(lock.bolt).toBeDefined();
  expect(await lock.abilities(never())).toMatchObject({ reader: true, bolt: { locks: true } });
  expect(await lock.abilities(never())).not.toHaveProperty("memory");
});

test("a simulated reader reports what it is shown, and who stands before it sees the answer", async () => {
  using host = new RecordingHost(hurriedClock(20));
  const asked: LinkEvent[] = [];
  let answer: ReaderAnswer | undefined;
  await using link = await simulated.open(options, {
    clock: host.clock,
    log: host.log,
    state: host.state,
    async report(event) {
      asked.push(event);
      if (answer && isAsked(event)) await link.lock("lobby").reader?.answer(event, answer, never());
    },
  });
  const act = async (digits: string): Promise<unknown> =>
    (await link.act?.("lobby", { act: "type", digits: new Secret(digits) }))?.effect;
  expect(await act("47")).toBe("done");
  answer = "admit";
  expect(await act("11#")).toBe("opened");
  answer = "deny";
  expect(await link.act?.("lobby", { act: "card", format: "wiegand26", bits: new Secret("bd88eb80") })).toEqual({
    effect: "denied",
  });
  answer = "ignored";
  expect(await act("*")).toBe("done");
  expect(asked.map(shown)).toEqual(["47", "11#", "wiegand26 bd88eb80", "*"]);
  expect(await link.act?.("lobby", { act: "program", digits: new Secret("4711") })).toEqual({ effect: "refused" });
});

test("a simulated reader that is deaf does not take an answer, and tells nothing", async () => {
  using host = new RecordingHost(hurriedClock(20));
  await using link = await simulated.open(options, host);
  await link.fault?.("lobby", { on: true, setting: { fault: "deaf" } });
  const shownCard = { at: host.clock.now(), address: "lobby", event: "keys", digits: new Secret("1") } as const;
  await expect(link.lock("lobby").reader?.answer(shownCard, "deny", never())).rejects.toThrow(LinkError);
  expect(await link.act?.("lobby", { act: "type", digits: new Secret("1#") })).toEqual({ effect: "done" });
  expect(host.events).toEqual([]);
});

function shown(event: LinkEvent): string {
  if (event.event === "keys") return event.digits.reveal();
  if (event.event !== "presented" || event.credential.kind !== "card") return event.event;
  return `${event.credential.format} ${event.credential.bits.reveal()}`;
}
