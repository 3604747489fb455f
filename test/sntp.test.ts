import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { timeServerOf } from "../agent/clock-watch.ts";
import { instant } from "../agent/domain/instant.ts";
import { sntpReply } from "../agent/domain/sntp.ts";
import { askServer } from "../agent/sntp.ts";

/** Seconds from 1900 to 1970. */
const epoch = 2_208_988_800;
const now = { now: () => instant(Date.now()), monotonic: () => performance.now() };
const never = new AbortController().signal;

function stamp(packet: Buffer, at: number, ms: number): void {
  packet.writeUInt32BE((Math.floor(ms / 1000) + epoch) % 2 ** 32, at);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
}

/** A server whose clock is so far ahead; `spoil` changes its answers. */
async function serve(ahead: number, spoil: (answer: Buffer) => void = () => undefined): Promise<number> {
  const socket: Socket = createSocket("udp4");
  socket.on("message", (request, from) => {
    const answer = Buffer.alloc(48);
    answer[0] = (4 << 3) | 4;
    answer[1] = 2;
    request.copy(answer, 24, 40, 48);
    stamp(answer, 32, Date.now() + ahead);
    stamp(answer, 40, Date.now() + ahead);
    spoil(answer);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

test.each([0, 7_200_000, -86_400_000, 400 * 86_400_000])(
  "a server that is %i ms ahead is found to be",
  async (ahead) => {
    const found = await askServer({ host: "127.0.0.1", port: await serve(ahead) }, now, never);
    expect(Math.abs(found - ahead)).toBeLessThan(1_000);
  },
);

/** How asking a server fails that answers so. */
const ask = async (spoil: (answer: Buffer) => void): Promise<unknown> =>
  askServer({ host: "127.0.0.1", port: await serve(0, spoil) }, now, never).catch((error: unknown) => error);
const kiss = (answer: Buffer): void => {
  answer.writeUInt8(0, 1);
  answer.write("RATE", 12, "latin1");
};

test("a server that does not know the time, or wants to be left alone, is not believed", async () => {
  expect(await ask((answer) => answer.writeUInt8(0xe4, 0))).toMatchObject({ message: /does not know the time itself/ });
  expect(await ask(kiss)).toMatchObject({ message: /RATE/ });
});

test("an answer to another question is none", () => {
  const packet = Buffer.alloc(48);
  packet[0] = (4 << 3) | 4;
  packet[1] = 1;
  stamp(packet, 40, Date.now());
  expect(sntpReply(packet, new Uint8Array(8).fill(7))).toBeUndefined();
  expect(sntpReply(packet.subarray(0, 47), new Uint8Array(8))).toBeUndefined();
  expect(sntpReply(packet, new Uint8Array(8))).toMatchObject({ result: "time" });
});

test.each([
  ["pool.ntp.org", { host: "pool.ntp.org", port: 123 }],
  ["127.0.0.1:1123", { host: "127.0.0.1", port: 1123 }],
  ["[::1]:1123", { host: "::1", port: 1123 }],
])("%s is a server", (text, server) => {
  expect(timeServerOf(text)).toEqual(server);
});
