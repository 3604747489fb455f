import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import type { ActOutcome } from "../../drivers/driver.ts";
import { never, rejection } from "../drivers/bench.ts";
import { givenUp } from "../drivers/bolt-ended.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { zwaveLocks } from "../support/zwave-far-end.ts";

let house: ZwaveHouse;
let host: RecordingHost;
beforeAll(async () => {
  house = await ZwaveHouse.open(Object.values(zwaveLocks));
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(() => {
  host = new RecordingHost(hurriedClock(20));
});
afterEach(() => host[Symbol.dispose]());

const entry = { credential: { kind: "pin", digits: new Secret("5471") }, when: "always", label: "" } as const;
const third = slotName("3");
const fourth = slotName("4");

describe.each(Object.entries(zwaveLocks))("a lock whose late answers are about another slot, %s", (_, address) => {
  test("is not believed about the slot that was asked for", async () => {
    const { far } = house;
    await far.act(address, { act: "forget" });
    await using link = await house.connect(host);
    const { memory } = link.lock(address);
    expect(await memory?.write(entry, third, never())).toMatchObject({ result: "stored" });
    await far.act(address, { act: "mode", mode: "stray" });
    expect(await memory?.read?.(third, never())).not.toMatchObject({ state: "empty" });
    expect(await memory?.read?.(slotName("2"), never())).toEqual({ state: "empty" });
    expect(await memory?.clear(third, never())).toMatchObject({ result: "stored", proof: "read_back" });
    expect(await memory?.write(entry, fourth, never())).toMatchObject({ result: "stored" });
    expect((await far.look(address)).codes).toEqual({ 4: "5471" });
  });
});

test("an address that is another way to write a node's number is no lock", async () => {
  await using link = await house.connect(host);
  for (const address of ["04", "4.0", "0x4", " 4", "4/1", "", "-4", "99"]) {
    expect(await rejection(link.lock(address).abilities(never()))).toMatchObject({ name: "LinkError", sent: false });
  }
});

/** "Send this to a node", in the Serial API, of either kind of controller. */
const sendData = /^(?:..)*01..00(?:13|a9)/;
/** "Reset yourself", in the Serial API. */
const softReset = Buffer.from("01030008f4", "hex");

test("a stick that leaves the bus when zwave-js resets it at its start is opened all the same", async () => {
  const far = Number(new URL(house.far.url).port);
  let resets = 0;
  const bus = createServer((near) => {
    const stick = connect(far, "127.0.0.1");
    for (const end of [near, stick])
      end.on("error", () => undefined).on("close", () => [near, stick].map((each) => each.destroy()));
    stick.pipe(near);
    near.on("data", (bytes: Buffer) => {
      if (bytes.includes(softReset) && ++resets === 1) near.destroy();
      else stick.write(bytes);
    });
  });
  await new Promise<void>((resolve) => void bus.listen(0, "127.0.0.1", resolve));
  try {
    const address = bus.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using link = await house.connect(host, { port: `tcp://127.0.0.1:${port}` });
    expect(await link.lock(zwaveLocks.userCode2).abilities(never())).toMatchObject({ memory: { readBack: "full" } });
    expect(resets).toBeGreaterThan(0);
  } finally {
    bus.close();
  }
});

test("a door command that a bridge has not answered is not left to the connection, which would bring it when it can", async () => {
  const { far } = house;
  const address = zwaveLocks.userCode2;
  let isMute = false;
  let kept = 0;
  const ends: string[] = [];
  const bridge = createServer((near) => {
    const stick = connect(Number(new URL(far.url).port), "127.0.0.1");
    near.on("error", (error: NodeJS.ErrnoException) => void ends.push(error.code ?? ""));
    stick.on("error", () => undefined);
    for (const end of [near, stick]) end.on("close", () => [near, stick].map((each) => each.destroy()));
    stick.on("data", (bytes) => isMute || near.write(bytes));
    near.on("data", (bytes: Buffer) => {
      if (!isMute) stick.write(bytes);
      else if (sendData.test(bytes.toString("hex"))) kept += 1;
    });
  });
  await new Promise<void>((resolve) => void bridge.listen(0, "127.0.0.1", resolve));
  try {
    const at = bridge.address();
    const port = `tcp://127.0.0.1:${typeof at === "object" ? at?.port : ""}`;
    await using link = await house.connect(host, { port });
    const lock = link.lock(address);
    await lock.abilities(never());
    const bolts = (): number => far.asked.filter(({ asked }) => asked === "bolt").length;
    const before = bolts();
    isMute = true;
    const unlock = (signal: AbortSignal): Promise<ActOutcome> =>
      lock.bolt?.unlock(signal) ?? Promise.reject(new Error());
    expect(await givenUp(unlock, () => kept > 0)).toMatchObject({ result: "unknown" });
    await eventually("the end of the connection", () => ends[0]);
    expect(ends).toEqual(["ECONNRESET"]);
    isMute = false;
    const isBack = (): Promise<true | undefined> =>
      lock.abilities(never()).then(
        () => true,
        () => undefined,
      );
    await eventually("the stick", isBack, 60_000);
    expect(bolts()).toBe(before);
  } finally {
    bridge.close();
  }
});

test("a stick that is pulled out again while zwave-js starts is found again, each time", async () => {
  const { far } = house;
  await using link = await house.connect(host);
  const lock = link.lock(zwaveLocks.userCode2);
  for (const pause of [0, 60, 120, 180]) {
    await far.unplug();
    await far.plug();
    await delay(pause);
    await far.unplug();
    await far.plug();
    const isBack = async (): Promise<true | undefined> =>
      lock.abilities(never()).then(
        () => true,
        () => undefined,
      );
    expect(await eventually("the stick", isBack, 60_000)).toBe(true);
  }
});

test("a stick that comes back under another number is found by its name", async () => {
  const { far } = house;
  const names = join(host.state.directory, "by-id");
  const numbered = join(host.state.directory, "ttyACM0");
  mkdirSync(names);
  symlinkSync(far.device, join(names, "usb-stick"));
  symlinkSync(far.device, numbered);
  await using link = await house.connect(host, { port: numbered }, names);
  const lock = link.lock(zwaveLocks.userCode2);
  await host.reported("online");
  await far.unplug();
  await host.reported("offline");
  // Another device has its number by now.
  rmSync(numbered);
  symlinkSync("/dev/null", numbered);
  await far.plug();
  const isBack = async (): Promise<true | undefined> =>
    lock.abilities(never()).then(
      () => true,
      () => undefined,
    );
  expect(await eventually("the stick", isBack, 60_000)).toBe(true);
});

test("a port that is no serial device, or nobody's, is a LinkError", async () => {
  const folder = join(host.state.directory, "folder");
  const file = join(host.state.directory, "file");
  mkdirSync(folder);
  writeFileSync(file, "");
  for (const port of [folder, file, join(folder, "none"), "/dev/null", "tcp://127.0.0.1:1"]) {
    const error = await rejection(house.connect(host, { port }));
    expect({ port, error }).toMatchObject({ port, error: { name: "LinkError", sent: false } });
  }
});
