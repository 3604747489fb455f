import type { IPublishPacket, MqttClient } from "mqtt";
import { beforeEach, expect, test } from "vitest";
import { type Arrival, collectAtMost, committedAtOnce, Inbox } from "../../agent/mqtt/inbox.ts";
import { collectFrom } from "../../agent/mqtt/puback.ts";

/** As much of the client as the inbox touches; `happened` tells commits and PUBACKs in their order. */
class Line {
  connected = true;
  readonly happened: string[] = [];
  handleMessage: MqttClient["handleMessage"] = () => {};

  _sendPacket({ cmd, messageId }: { cmd: string; messageId: number }): void {
    this.happened.push(`${cmd} ${messageId}`);
  }

  /** Brings a message; returns what the inbox called back with. */
  bring(messageId: number, more: Partial<IPublishPacket> = {}): Error | undefined {
    let answer: Error | undefined;
    const packet = {
      cmd: "publish",
      topic: "c",
      payload: Buffer.from("{}"),
      qos: 1,
      retain: false,
      dup: false,
    } as const;
    this.handleMessage({ ...packet, messageId, ...more }, (error) => {
      answer = error;
    });
    return answer;
  }
}

let line: Line;
let accepted: Arrival[];
let failures: unknown[];
let broken: Error | undefined;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function openInbox(): Inbox {
  const accept = (arrivals: readonly Arrival[]): void => {
    if (broken) throw broken;
    accepted.push(...arrivals);
    line.happened.push(`commit of ${arrivals.length}`);
  };
  const inbox = new Inbox({ accept }, (cause) => failures.push(cause));
  collectFrom(line as unknown as MqttClient, inbox, (topic) => topic === "kept");
  return inbox;
}

beforeEach(() => {
  line = new Line();
  accepted = [];
  failures = [];
  broken = undefined;
});

test("Inbox calls back at once with an error, and commits a turn's messages together before their PUBACKs", async () => {
  openInbox();
  expect(line.bring(1)).toBeInstanceOf(Error);
  line.bring(2);
  line.bring(0, { qos: 0 });
  line.bring(3);
  expect(line.happened).toEqual([]);
  await nextTurn();
  expect(line.happened).toEqual(["commit of 4", "puback 1", "puback 2", "puback 3"]);
});

test("Inbox hands over topic, payload, retain, Response Topic and Correlation Data", async () => {
  openInbox();
  const correlationData = Buffer.from([1, 2]);
  line.bring(1, { retain: true, properties: { responseTopic: "r", correlationData } });
  line.bring(2);
  await nextTurn();
  const payload = Buffer.from("{}");
  expect(accepted).toEqual([
    { topic: "c", payload, retained: true, responseTopic: "r", correlation: correlationData },
    { topic: "c", payload, retained: false },
  ]);
});

test("Inbox collects no more than its bound before it commits", () => {
  const inbox = openInbox();
  for (let id = 1; id <= collectAtMost; id += 1) line.bring(id);
  expect(line.happened[0]).toBe(`commit of ${committedAtOnce}`);
  inbox.close();
  expect(line.happened.filter((what) => what.startsWith("puback"))).toHaveLength(collectAtMost);
});

test("Inbox commits a burst in groups, in order, and others have their turn in between", async () => {
  openInbox();
  const count = 2 * committedAtOnce + 1;
  for (let id = 1; id <= count; id += 1) line.bring(id);
  const commits = (): readonly string[] => line.happened.filter((what) => what.startsWith("commit"));
  const seen: number[] = [];
  while (commits().length < 3) {
    await new Promise((resolve) => void setImmediate(resolve));
    seen.push(commits().length);
  }
  expect(new Set(seen)).toEqual(new Set([1, 2, 3]));
  expect(commits()).toEqual([`commit of ${committedAtOnce}`, `commit of ${committedAtOnce}`, "commit of 1"]);
  const pubacks = line.happened.filter((what) => what.startsWith("puback"));
  expect(pubacks).toEqual(Array.from({ length: count }, (_, at) => `puback ${at + 1}`));
});

test("Inbox acknowledges nothing that could not be committed, nor anything after it", async () => {
  openInbox();
  broken = new Error("disk full");
  line.bring(1);
  await nextTurn();
  broken = undefined;
  line.bring(2);
  await nextTurn();
  expect(line.happened).toEqual([]);
  expect(failures).toEqual([new Error("disk full")]);
});

test("Inbox commits but does not acknowledge what came on a connection that was lost since", async () => {
  openInbox();
  line.bring(1);
  line.connected = false;
  await nextTurn();
  expect(line.happened).toEqual(["commit of 1"]);
});

test("close() commits and acknowledges at once what was collected, and takes no more", async () => {
  const inbox = openInbox();
  line.bring(1);
  inbox.close();
  expect(line.happened).toEqual(["commit of 1", "puback 1"]);
  line.bring(2);
  await nextTurn();
  expect(line.happened).toHaveLength(2);
});
