import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import { type Link, LinkError } from "../../drivers/driver.ts";
import { entry, never, rejection } from "../drivers/bench.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

const { userCode2: front, userCredential: deaf } = zwaveLocks;

describe.skipIf(socatSkipReason())("over a serial device", () => {
  let house: ZwaveHouse;
  let host: RecordingHost;
  let link: Link;
  beforeAll(async () => {
    house = await ZwaveHouse.open([front, deaf]);
  }, 60_000);
  afterAll(() => house[Symbol.asyncDispose]());
  beforeEach(async () => {
    for (const lock of [front, deaf]) await house.far.act(lock, { act: "forget" });
    host = new RecordingHost(hurriedClock(10));
    link = await house.connect(host, { timeout_ms: 2_000 });
    await link.lock(front).abilities(never());
  });
  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    host[Symbol.dispose]();
  });
  const bolts = () => house.far.asked.filter(({ asked }) => asked === "bolt");

  test("a door opens between two commands to a lock that does not answer, and not after a round of them", async () => {
    await house.far.act(deaf, { act: "mode", mode: "ackonly" });
    const over = new AbortController();
    const { memory } = link.lock(deaf);
    const begun = house.far.asked.length;
    // Each waits for an answer for two seconds.
    const round = Array.from({ length: 5 }, (_, index) =>
      rejection(memory?.write(entry(`4711478${index}`), slotName(String(index + 1)), over.signal)),
    );
    await eventually("its first question", () => (house.far.asked.length > begun ? true : undefined));
    const before = bolts().length;
    const asked = Date.now();
    const unlocking = link.lock(front).bolt?.unlock(never());
    await eventually("the command", () => (bolts().length > before ? true : undefined), 10_000);
    const waited = Date.now() - asked;
    expect(await unlocking).toEqual({ result: "done", confirmed: true });
    // One exchange, and the time that a busy machine takes.
    expect(waited).toBeLessThan(4_000);
    over.abort(new LinkError("enough"));
    await Promise.all(round);
  }, 30_000);

  test("a command that was given up while it waited for the radio is not sent when that is free", async () => {
    await house.far.act(deaf, { act: "mode", mode: "ackonly" });
    const begun = house.far.asked.length;
    const reading = rejection(link.lock(deaf).memory?.read?.(slotName("1"), never()));
    await eventually("the question", () => (house.far.asked.length > begun ? true : undefined));
    const before = bolts().length;
    const controller = new AbortController();
    const unlocking = rejection(link.lock(front).bolt?.unlock(controller.signal));
    setTimeout(() => controller.abort(new LinkError("its time is over")), 200);
    expect(await unlocking).toMatchObject({ name: "LinkError", sent: false });
    await reading;
    // What is sent after it has been there: so would it have been.
    expect(await link.lock(front).bolt?.lock?.(never())).toEqual({ result: "done", confirmed: true });
    expect(bolts().slice(before)).toMatchObject([{ slot: "locked" }]);
  }, 30_000);
});
