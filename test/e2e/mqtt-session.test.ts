import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Aedes } from "aedes";
import { describe, expect, onTestFinished, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { Clock } from "../../drivers/driver.ts";
import { freePort } from "../support/broker.ts";
import type { Passed } from "../support/mqtt-proxy.ts";
import { allowance } from "../support/pace.ts";
import {
  brokers,
  client,
  command,
  grant,
  listen,
  online,
  proxied,
  retained,
  startedBroker,
  TestAgent,
  until,
} from "./mqtt-support.ts";

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** It says that it is online only when it believes that it hears commands. */
const isOnline = ({ from, packet }: Passed): boolean => from === "agent" && packet.cmd === "publish";

async function startPicky(aedes: Aedes): Promise<string> {
  await aedes.listen();
  onTestFinished(() => aedes.close());
  return listening(createServer(aedes.handle));
}

describe.each(brokers)("on $name", ({ start, protocol }) => {
  test("connects with the newest version that the broker speaks, in one session", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    const first = agent.open(proxy.url);
    await online(broker.url);
    expect(agent.log).toEqual([
      {
        level: "info",
        message: "connected to the broker",
        fields: { broker: `127.0.0.1:${proxy.port}`, protocol, session: false },
      },
    ]);
    await first.close();
    agent.open(proxy.url);
    await until("connected again", () => agent.log.length === 2);
    expect(agent.log[1]).toMatchObject({ fields: { session: true } });
    const connects = proxy.passed.flatMap(({ packet }) => (packet.cmd === "connect" ? [packet] : []));
    for (const packet of connects) {
      expect(packet).toMatchObject({ clientId: "latchd-gateway-1", clean: false });
      expect(packet.properties?.maximumPacketSize).toBeUndefined();
      if (packet.protocolVersion !== 5) continue;
      expect(packet.properties).toMatchObject({ sessionExpiryInterval: 604_800, receiveMaximum: 1000 });
    }
  });

  test("comes back when the broker does, and hears commands again", async () => {
    const broker = await start();
    const agent = new TestAgent();
    const mqtt = agent.open(broker.url);
    await online(broker.url);
    await command(broker.url, 3);
    await until("heard", () => agent.payloads.length === 3);
    await broker.stop();
    await until("noticed", () => !mqtt.connected);
    await broker.start();
    await online(broker.url);
    await command(broker.url, 3, 3);
    await until("heard again", () => agent.payloads.length === 6);
    expect(agent.payloads).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  test("subscribes again where the line broke before the broker could grant it", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    agent.open(proxy.url, { protocol: "3.1.1" });
    await online(broker.url);
    proxy.cutAt(
      ({ cmd }) => cmd === "subscribe",
      () => proxy.disconnect(),
    );
    // The broker forgets our session, and has made another, without the subscription, when the line breaks.
    await (await client(broker.url, { clientId: "latchd-gateway-1", clean: true })).endAsync();
    await until("online again", () => proxy.passed.some((passed) => passed.connection >= 3 && isOnline(passed)));
    const sent = await command(broker.url, 1);
    await until("heard", () => agent.payloads.length === 1);
    expect(agent.payloads).toEqual(sent);
  });

  test("is told of a retained command once, not at each connection", async () => {
    const broker = await start();
    await (await client(broker.url)).publishAsync(grant, "old", { qos: 1, retain: true });
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    const mqtt = agent.open(proxy.url);
    await until("told", () => agent.payloads.length > 0);
    expect(agent.batches.flat()).toMatchObject([{ topic: grant, retained: true }]);
    // It follows the PUBACK on the same line: when it is there, so is that.
    agent.status = '{"state":"online","retained_refused":1}';
    mqtt.nudge();
    await retained(broker.url, "access/gateway-1/status", (payload) => payload === agent.status);
    proxy.disconnect();
    await until("gone", () => !mqtt.connected);
    await online(broker.url);
    await command(broker.url, 1);
    await until("the next", () => agent.payloads.includes("0"));
    expect(agent.payloads).toEqual(["old", "0"]);
  });

  test("takes a command of 900 KiB, for the command table to refuse", async () => {
    const broker = await start();
    const agent = new TestAgent();
    agent.open(broker.url);
    await online(broker.url);
    await (await client(broker.url)).publishAsync(grant, "x".repeat(900 * 1024), { qos: 1 });
    await until("it came", () => agent.payloads.length === 1);
    expect(agent.payloads[0]).toHaveLength(900 * 1024);
  });
});

describe.skipIf(!brokers.some(({ name }) => name === "mosquitto"))("MQTT 5", () => {
  test("mosquitto_rr gets its reply, by Response Topic and Correlation Data", async () => {
    const broker = await startedBroker("mosquitto");
    const heard = await listen(broker.url, "access/gateway-1/reply/#", { protocolVersion: 5 });
    const agent = new TestAgent();
    let letters = 0;
    const mqtt = agent.open(broker.url, {
      intake: {
        accept(arrivals) {
          for (const { responseTopic = "", correlation = new Uint8Array() } of arrivals)
            agent.letters.push({ id: (letters += 1), topic: responseTopic, payload: '{"ok":true}', correlation });
          mqtt.nudge();
        },
        handedOut() {},
      },
    });
    await online(broker.url);
    const { port } = new URL(broker.url);
    const asked = ["-V", "5", "-p", port, "-t", grant, "-m", "{}", "-e", "access/gateway-1/reply/rr", "-W", "30"];
    const peer = spawn("mosquitto_rr", asked, { stdio: ["ignore", "pipe", "inherit"] });
    let answer = "";
    peer.stdout.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    // Its last words come before that, and may come after its end.
    await once(peer, "close");
    expect(answer.trim()).toBe('{"ok":true}');

    const asker = await client(broker.url, { protocolVersion: 5 });
    const correlationData = Buffer.from([0, 255, 7]);
    const properties = { responseTopic: "access/gateway-1/reply/mine", correlationData };
    await asker.publishAsync(grant, "{}", { qos: 1, properties });
    await until("answered", () => heard.some(({ topic }) => topic.endsWith("/mine")));
    expect(heard.at(-1)?.properties?.correlationData).toEqual(correlationData);
  });
});

test("falls back to 3.1.1 on a broker that just hangs up on MQTT 5", async () => {
  const broker = await startedBroker("aedes");
  let hungUp = 0;
  const old = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk) => {
      // The protocol level follows the name (MQTT 3.1.1, 3.1.2.2).
      if (chunk[chunk.indexOf("MQTT") + 4] === 5) {
        hungUp += 1;
        socket.end();
        return;
      }
      const on = connect(Number(new URL(broker.url).port), "127.0.0.1");
      on.on("error", () => on.destroy());
      on.write(chunk);
      socket.pipe(on).pipe(socket);
    });
  });
  const url = await listening(old);
  const agent = new TestAgent();
  const mqtt = agent.open(url);
  await until("connected", () => mqtt.connected);
  expect(hungUp).toBe(1);
  expect(agent.log).toMatchObject([{ level: "info", fields: { protocol: "MQTT 3.1.1" } }]);
  await mqtt.close();
});

test("a broker that is away is told once, with the setting to look at", async () => {
  const port = await freePort();
  const agent = new TestAgent();
  const mqtt = agent.open(`mqtt://127.0.0.1:${port}`);
  await until("told", () => agent.log.length > 0);
  await new Promise((resolve) => {
    setTimeout(resolve, 500);
  });
  expect(mqtt.connected).toBe(false);
  expect(agent.log).toEqual([
    {
      level: "warn",
      message: "cannot connect to the broker; trying again",
      fields: {
        broker: `127.0.0.1:${port}`,
        reason: "nothing listens there",
        hint: "start the broker, or correct broker.url",
      },
    },
  ]);
  const from = Date.now();
  await mqtt.close();
  const took = Date.now() - from;
  expect(took).toBeLessThan(await allowance(500));
});

test("a broker that hangs up again and again is tried for ever, at most half a minute apart", async () => {
  const broker = await startedBroker("aedes");
  const hangUps = 25;
  let hungUp = 0;
  const url = await listening(
    createServer((socket) => {
      socket.on("error", () => socket.destroy());
      if (hungUp++ < hangUps) {
        socket.end();
        return;
      }
      const on = connect(Number(new URL(broker.url).port), "127.0.0.1");
      on.on("error", () => on.destroy());
      socket.pipe(on).pipe(socket);
    }),
  );
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => instant(Date.now()),
    async sleep(ms, signal) {
      if (ms > 1000) pauses.push(ms);
      await delay(ms > 1000 ? 1 : ms, undefined, signal && { signal });
    },
  };
  const agent = new TestAgent();
  const mqtt = agent.open(url, { protocol: "3.1.1", clock, random: () => 0 });
  await until("connected", () => mqtt.connected);
  expect(pauses.slice(0, hangUps)).toEqual([2, 4, 8, 16, ...Array.from({ length: 21 }, () => 30)].map((s) => s * 1000));
  expect(agent.failures).toEqual([]);
  expect(agent.log.map(({ level }) => level)).toEqual(["warn", "info"]);
});

test("a refused login is told with its settings, without the password", async () => {
  const aedes = new Aedes({
    authenticate: (_client, username, password, done) =>
      done(null, username === "agent" && password?.toString() === "right horse"),
  });
  const url = await startPicky(aedes);
  const agent = new TestAgent();
  agent.open(url, { username: "agent", password: new Secret("wrong horse") });
  await until("told", () => agent.log.length > 0);
  expect(agent.log[0]).toMatchObject({ level: "warn", fields: { reason: "the broker refused our login" } });
  expect(JSON.stringify(agent.log)).toContain("broker.password_file");
  expect(JSON.stringify(agent.log)).not.toContain("horse");

  const allowed = new TestAgent();
  const mqtt = allowed.open(url, { username: "agent", password: new Secret("right horse") });
  await until("connected", () => mqtt.connected);
});

test("a refused subscription is an error that names topic and ACL, and is tried again", async () => {
  let refused = 0;
  const aedes = new Aedes({
    authorizeSubscribe(_client, subscription, done) {
      if (subscription.topic !== "access/gateway-1/command/#" || refused > 0) return done(null, subscription);
      refused += 1;
      done(null, null);
    },
  });
  const url = await startPicky(aedes);
  const agent = new TestAgent();
  agent.open(url);
  await until("told", () => agent.log.some(({ level }) => level === "error"));
  const error = agent.log.find(({ level }) => level === "error");
  expect(JSON.stringify(error)).toMatch(/access\/gateway-1\/command\/#.*ACL/);
  // Replies, events and status leave all the same.
  await online(url);
  await until("commands arrive", async () => {
    await command(url, 1);
    return agent.payloads.length > 0;
  });
  expect(agent.log.filter(({ level }) => level === "error")).toHaveLength(1);
});
