import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand, upTo } from "./support/cloud.ts";
import { door } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";

const simulator = join(import.meta.dirname, "../../dist/simulator/main.js");
const deaf = upTo(isLong ? 200 : 100).map((number) => `deaf-${number}`);
const good = "good";
const commands = isLong ? 300 : 150;
const everyMs = 40;
/** One reply in a hundred is as late as the disk of a machine that has other work: the long run is for a quiet one. */
const judged = isLong ? 0.99 : 0.95;

/** zigbee2mqtt, in a process of its own, with locks that answer nothing and one that does. */
async function startLocks(url: string): Promise<void> {
  const names = [...deaf, good].flatMap((name) => ["--lock", name]);
  const child = spawn(process.execPath, [simulator, "--broker", url, ...names], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await once(child.stdout, "data");
  for (const lock of deaf) child.stdin.write(`${JSON.stringify({ lock, act: "mode", mode: "dead" })}\n`);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until("they are all deaf", () => said.split('"done"').length > deaf.length);
}

/** The locks that something was sent to. */
async function askedAt(url: string): Promise<ReadonlySet<string>> {
  const asked = new Set<string>();
  const listener = await client(url);
  listener.on("message", (topic) => void asked.add(topic.split("/")[1] ?? ""));
  await listener.subscribeAsync("zigbee2mqtt/+/set");
  return asked;
}

/** Every fourth is for the lock that answers: somebody new, or who came a while ago leaves. */
function commandOf(number: number): [command: string, parameters: object] {
  const isGood = number % 4 === 0;
  const isRevoke = isGood && number > 40 && number % 8 === 0;
  const person = `person-${isRevoke ? number - 36 : number}`;
  const device = isGood ? good : deaf[(number * 7) % deaf.length];
  return [isRevoke ? revokeCommand : grantCommand, { user_identity_id: person, device_id: device }];
}

/** How long a message takes to the broker and back, without the agent: what a busy machine makes everybody wait. */
async function echoAt(url: string): Promise<(number: number) => Promise<number>> {
  const heard = new Map<string, () => void>();
  const speaker = await client(url);
  speaker.on("message", (_, payload) => heard.get(payload.toString())?.());
  await speaker.subscribeAsync("echo", { qos: 1 });
  return async (number) => {
    const before = performance.now();
    const back = new Promise<void>((resolve) => heard.set(String(number), resolve));
    await speaker.publishAsync("echo", String(number), { qos: 1 });
    await back;
    return performance.now() - before;
  };
}

function percentile(of: readonly number[], share: number): number {
  const sorted = of.toSorted((one, other) => one - other);
  return Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
}

describe.skipIf(brokerSkipReason("mosquitto"))(`${deaf.length} deaf locks`, () => {
  test("do not keep commands waiting, nor the lock that answers on the same broker", async () => {
    const broker = await Mosquitto.start();
    await startLocks(broker.url);
    const asked = await askedAt(broker.url);
    await new AgentProcess({
      agent_id: "gateway-1",
      broker: broker.url,
      // For longer than the agent itself is willing to wait, so that all rounds wait together.
      links: { zigbee: { driver: "zigbee2mqtt", url: broker.url, timeout_ms: 90_000 } },
      devices: [...deaf, good].map((name) => door(name, name, "zigbee")),
    }).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    await Promise.all(deaf.map((name) => cloud.command(grantCommand, { user_identity_id: "ann", device_id: name })));
    await until("all are asked what they are", () => deaf.every((name) => asked.has(name)), 200_000);

    const latencies: number[] = [];
    const echo = await echoAt(broker.url);
    const echoes: number[] = [];
    const send = async (number: number): Promise<void> => {
      const before = performance.now();
      await cloud.command(...commandOf(number), `c-${number}`);
      latencies.push(performance.now() - before);
      echoes.push(await echo(number));
    };
    const began = performance.now();
    const sent: Promise<void>[] = [];
    for (const number of upTo(commands)) {
      await delay(Math.max(0, began + number * everyMs - performance.now()));
      sent.push(send(number));
    }
    await Promise.all(sent);
    const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(latencies, share));
    const crossing = percentile(echoes, 0.99);
    const live = cloud.events.filter(({ event_type: type, device_id: id }) => type === "access.live" && id === good);
    const gone = cloud.events.filter(({ event_type: type, device_id: id }) => type === "access.gone" && id === good);
    process.stdout.write(
      `${commands} commands while ${deaf.length} rounds wait: reply after ${p50} ms (p50), ${p99} ms (p99), ${most} ms at most (an echo of the broker: ${crossing} ms, p99); meanwhile ${live.length} live and ${gone.length} gone on the good lock\n`,
    );
    expect(percentile(latencies, judged)).toBeLessThan(100);
    expect(live.length).toBeGreaterThan(0);
    expect(gone.length).toBeGreaterThan(0);
  }, 600_000);
});
