import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorWithReasonCode, type IPublishPacket, type MqttClient } from "mqtt";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import type { MqttOptions } from "../../agent/mqtt/session.ts";
import { brokerSkipReason } from "../support/broker.ts";
import { skipReason } from "../support/peers.ts";
import { TestAgent, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, grantCommand, revokeCommand } from "./support/cloud.ts";
import { frontDoor, person, remote } from "./support/doors.ts";
import { ExampleBroker, makeCertificates } from "./support/example-broker.ts";

const pair = JSON.stringify({ user_identity_id: person, device_id: frontDoor });
const isLeftOut =
  brokerSkipReason("mosquitto") ??
  skipReason("openssl", spawnSync("openssl", ["version"]).error === undefined, "apt-get install openssl");

/** What a client hears of a filter. */
async function hears(listener: MqttClient, filter: string): Promise<readonly string[]> {
  const heard: string[] = [];
  listener.on("message", (topic, _payload, _packet: IPublishPacket) => heard.push(topic.slice(base.length + 1)));
  await listener.subscribeAsync(filter, { qos: 1 });
  return heard;
}

/** The broker's answer to a command: 0, or why not. */
async function sends(publisher: MqttClient, command: string, text: string, replyTo?: string): Promise<number> {
  const properties = replyTo === undefined ? {} : { responseTopic: `${base}/reply/${replyTo}` };
  try {
    await publisher.publishAsync(`${base}/command/${command}`, text, { qos: 1, properties });
    return 0;
  } catch (error) {
    return error instanceof ErrorWithReasonCode ? error.code : -1;
  }
}

/** MQTT 5, 2.4. */
const notAuthorized = 0x87;

describe.skipIf(isLeftOut)("mosquitto as the examples set it up", () => {
  let broker: ExampleBroker;

  beforeEach(async () => {
    broker = await ExampleBroker.start(["gateway-1", "booking", "front-desk", "monitor", "gateway-2"]);
  });

  test("lets each do what is theirs: agent, booking, front desk, monitor", async () => {
    const agent = await new AgentProcess(remote("", {}, { broker: broker.configFor("gateway-1") })).start();
    const [booking, desk, monitor] = [
      await broker.client("booking"),
      await broker.client("front-desk"),
      await broker.client("monitor"),
    ];
    const answers = await hears(booking, `${base}/reply/booking/#`);
    const deskAnswers = await hears(desk, `${base}/reply/front-desk/#`);
    const seen = await hears(monitor, `${base}/#`);
    await until("the agent is online", () => seen.includes("status"));

    expect(await sends(booking, grantCommand, pair, "booking/1")).toBe(0);
    await until("booking has its answer", () => answers.length === 1);
    await until("the monitor sees what became of it", () => seen.includes("event/access.live"));
    expect(await sends(booking, revokeCommand, pair, "booking/2")).toBe(0);
    await until("the monitor sees that, too", () => seen.includes("event/access.gone"));

    for (const command of ["access_grants/list", "access/list"])
      expect(await sends(booking, command, "{}", `booking/${command}`)).toBe(0);

    // The front desk may send its command, and gets the answer; nobody may send another's.
    const unlock = JSON.stringify({ device_id: frontDoor });
    expect(await sends(desk, "locks/unlock_door", unlock, "front-desk/1")).toBe(0);
    await until("the front desk has its answer", () => deskAnswers.length === 1);
    expect(await sends(booking, "locks/unlock_door", unlock, "booking/3")).toBe(notAuthorized);
    expect(await sends(desk, grantCommand, pair, "front-desk/2")).toBe(notAuthorized);
    expect(await sends(desk, "access_grants/create", "{}", "front-desk/3")).toBe(notAuthorized);
    expect(await sends(monitor, grantCommand, pair, "monitor/1")).toBe(notAuthorized);
    expect(await sends(booking, "credentials/get", "{}", "booking/4")).toBe(notAuthorized);

    // What the agent says is said by nobody else.
    await expect(monitor.publishAsync(`${base}/event/access.live`, "{}", { qos: 1 })).rejects.toThrow("Not authorized");
    await expect(booking.publishAsync(`${base}/status`, "{}", { qos: 1 })).rejects.toThrow("Not authorized");
    await until("booking has all its answers", () => answers.length === 4);
    expect(answers.toSorted()).toEqual([
      "reply/booking/1",
      "reply/booking/2",
      "reply/booking/access/list",
      "reply/booking/access_grants/list",
    ]);
    expect(agent.stdout).not.toMatch(/refuses/);
    expect(agent.stderr).toBe("");
  });

  test("brings a reply to who asked, and to nobody who listens in", async () => {
    await new AgentProcess(remote("", {}, { broker: broker.configFor("gateway-1") })).start();
    const [booking, desk, monitor, other] = [
      await broker.client("booking"),
      await broker.client("front-desk"),
      await broker.client("monitor"),
      await broker.client("gateway-2"),
    ];
    const online = await hears(monitor, `${base}/status`);
    await until("the agent is online", () => online.length > 0);
    // mosquitto takes any subscription, and then withholds what the ACL does not allow to be read.
    const listening = await Promise.all([desk, monitor, other].map((each) => hears(each, `${base}/reply/#`)));
    const commands = await hears(other, `${base}/command/#`);
    const answers = await hears(booking, `${base}/reply/#`);
    expect(await sends(booking, grantCommand, pair, "booking/1")).toBe(0);
    expect(await sends(booking, "access/list", JSON.stringify({ request_id: "r-1" }))).toBe(0);
    expect(await sends(booking, "access/list", "{}", "booking/2")).toBe(0);
    await until("booking has its answers", () => answers.includes("reply/booking/2"));
    // Whatever was on its way to them has come when this is answered.
    for (const each of [booking, desk, monitor, other]) await each.subscribeAsync("the end", { qos: 1 });
    // A request_id is answered where nobody may read.
    expect(answers).toEqual(["reply/booking/1", "reply/booking/2"]);
    expect(listening.flat().filter((topic) => topic.startsWith("reply/"))).toEqual([]);
    expect(commands.filter((topic) => topic.startsWith("command/"))).toEqual([]);
  });

  test("refuses a client without a certificate, or with one of another authority", async () => {
    await expect(broker.client(undefined)).rejects.toThrow(/certificate required|ECONNRESET|closed/);
    const elsewhere = mkdtempSync(join(tmpdir(), "latchd-other-"));
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
    makeCertificates(elsewhere, ["booking"]);
    const of = (file: string): string => readFileSync(join(elsewhere, file), "utf8");
    const said = await complaint(broker.url, {
      ca: broker.pem("ca.crt"),
      cert: of("booking.crt"),
      key: new Secret(of("booking.key")),
    });
    expect(said).toMatchObject({ reason: "the broker does not know our certificate" });
    expect(said.hint).toContain("broker.cert_file");
  });

  test("an agent with a wrong set-up is told what to do", async () => {
    const ca = broker.pem("ca.crt");
    const own = { cert: broker.pem("gateway-1.crt"), key: new Secret(broker.pem("gateway-1.key")) };
    const unknown = await complaint(broker.url, own);
    expect(unknown.reason).toContain("authority");
    expect(unknown.hint).toContain("broker.ca_file");
    const misnamed = await complaint(broker.url.replace("localhost", "127.0.0.1"), { ca, ...own });
    expect(misnamed).toMatchObject({ reason: "the broker's certificate is for another name" });
    expect(misnamed.hint).toContain("broker.url");
    const bare = await complaint(broker.url, { ca });
    expect(bare.hint).toContain("broker.cert_file");
    const plain = await complaint(broker.url.replace("mqtts:", "mqtt:"), undefined);
    expect(plain.hint).toContain("mqtts://");
  });
});

/** What an agent says that cannot connect: reason and hint, without its key. */
async function complaint(
  url: string,
  tls: MqttOptions["tls"],
): Promise<{ readonly reason: string; readonly hint: string }> {
  const agent = new TestAgent();
  const mqtt = agent.open(url, tls ? { tls } : {});
  await until("it complains", () => agent.log.some(({ level }) => level === "warn"));
  await mqtt.close();
  const line = agent.log.find(({ level }) => level === "warn");
  expect(JSON.stringify(agent.log)).not.toContain("PRIVATE KEY");
  return line?.fields as { reason: string; hint: string };
}
