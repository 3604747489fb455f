import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { SerialPort } from "serialport";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openSerialLine } from "../../drivers/shared/serial-line.ts";
import { endsOf } from "../../drivers/zwave/ends.ts";
import { SimulatedSerialPort } from "../../simulator/serial-port.ts";
import { rejection } from "../drivers/bench.ts";
import { eventually } from "../support/host.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";

const more = Buffer.alloc(500_000);

/**
 * The two ends of a line as zwave-js holds them, with how often it was said to be lost. An error of it that is nobody's
 * would end the agent, and fails the run.
 */
async function held(port: string) {
  const line = await openSerialLine(port, { Port: SerialPort, baudRate: 115_200 });
  onTestFinished(() => line.close());
  let losses = 0;
  const ends = endsOf(line, () => {
    losses += 1;
    return new Error("lost");
  });
  const reader = new ReadableStream(ends.source).getReader();
  const writer = new WritableStream(ends.sink).getWriter();
  writer.closed.catch(() => undefined);
  return { reader, writer, close: () => ends.close(), forget: () => ends.forget(), losses: () => losses };
}

describe.skipIf(socatSkipReason())("a serial device", () => {
  let device: SimulatedSerialPort;
  let far: Duplex | undefined;
  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchd-line-"));
    device = new SimulatedSerialPort(join(folder, "tty"), (end) => {
      far = end.on("error", () => undefined);
    });
    await device.plugIn();
    onTestFinished(async () => {
      await device.pullOut();
      rmSync(folder, { recursive: true });
    });
  });

  test("brings what is said at either end to the other", async () => {
    const { reader, writer } = await held(device.path);
    await writer.write(Buffer.from("to the stick"));
    expect(await eventually("it", () => far?.read()?.toString())).toBe("to the stick");
    far?.write("from the stick");
    expect((await reader.read()).value?.toString()).toBe("from the stick");
  });

  test("that is pulled out is lost, once, for who reads from it, at whatever moment that is", async () => {
    for (let round = 0; round < 8; round++) {
      await device.plugIn();
      const { reader, losses } = await held(device.path);
      const reading = rejection(reader.read());
      await device.pullOut();
      expect(await reading).toMatchObject({ message: "lost" });
      expect(losses()).toBe(1);
    }
  });

  test("that is pulled out under a write, and closed meanwhile, is an error of that write alone", async () => {
    const { writer, close, losses } = await held(device.path);
    await device.pullOut();
    const writing = rejection(writer.write(Buffer.from("anybody?")));
    await close();
    expect(await writing).toBeInstanceOf(Error);
    expect(losses()).toBeLessThanOrEqual(1);
  });

  test("that is pulled out under a write, and given up meanwhile, is an error of that write alone", async () => {
    const { writer } = await held(device.path);
    await device.pullOut();
    const writing = rejection(writer.write(Buffer.from("anybody?")));
    await writer.abort(new Error("given up")).catch(() => undefined);
    expect(await writing).toBeInstanceOf(Error);
  });

  test("that takes no more is closed all the same, and what was not written is an error of that write", async () => {
    const { writer, close, losses } = await held(device.path);
    far?.pause();
    const writing = rejection(writer.write(more));
    await turn();
    await close();
    expect(await writing).toBeInstanceOf(Error);
    expect(losses()).toBe(0);
  });
});

/** A serial bridge, which does so with a host. */
async function bridge(host: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    host(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `tcp://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

/** It hangs up on the first word. */
const rude = (how: "destroy" | "resetAndDestroy" | "end"): Promise<string> =>
  bridge((socket) => void socket.once("data", () => socket[how]()));

describe("a serial bridge", () => {
  test.each(["destroy", "resetAndDestroy", "end"] as const)("that hangs up (%s) is lost, once", async (how) => {
    const { reader, writer, losses } = await held(await rude(how));
    const reading = rejection(reader.read());
    await writer.write(Buffer.from("hello"));
    expect(await reading).toMatchObject({ message: "lost" });
    expect(await rejection(writer.write(Buffer.from("anybody?")))).toBeInstanceOf(Error);
    expect(losses()).toBe(1);
  });

  test("that hangs up on one who reads no more is an error of what is written alone", async () => {
    const { reader, writer, close } = await held(await rude("resetAndDestroy"));
    await reader.cancel();
    const isOver = (): Promise<true | undefined> =>
      writer.write(more).then(
        () => undefined,
        () => true,
      );
    expect(await eventually("the end", isOver)).toBe(true);
    await close();
  });

  test.for([
    ["is cut where it has not answered what was written", "", "ECONNRESET"],
    ["is left alone where it has", "\u0006", "nothing"],
    ["is cut where it has only said something else", "\u0001\u0003\u0006\u0006\u0006", "ECONNRESET"],
  ] as const)("that is to forget what it may not have got %s", async ([, answer, end]) => {
    let heard = "";
    let ended = "nothing";
    const url = await bridge((socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => (ended = error.code ?? ""));
      socket.on("data", (some) => {
        heard += some.toString();
        socket.write(answer);
      });
    });
    const { reader, writer, forget, losses } = await held(url);
    const reading = reader.read().catch(() => undefined);
    await writer.write(Buffer.from("\u0001open"));
    await eventually("it", () => (heard === "\u0001open" ? true : undefined));
    if (answer !== "") await reading;
    // What is said of a frame of the stick's has no answer.
    await writer.write(Buffer.from("\u0006"));
    forget();
    if (end === "nothing") {
      await writer.write(Buffer.from("more"));
      await eventually("the rest", () => (heard.endsWith("more") ? true : undefined));
    } else await eventually("the end", () => (ended === "nothing" ? undefined : true));
    expect(ended).toBe(end);
    expect(losses()).toBe(end === "nothing" ? 0 : 1);
  });

  test("that nobody listens at is an error", async () => {
    const url = await bridge(() => undefined);
    expect(await rejection(openSerialLine("tcp://127.0.0.1:1", { Port: SerialPort, baudRate: 9600 }))).toMatchObject({
      code: "ECONNREFUSED",
    });
    const { close } = await held(url);
    await close();
    await close();
  });
});
