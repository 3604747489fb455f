import type { IPublishPacket, MqttClient } from "mqtt";
import { beforeEach, expect, test, vi } from "vitest";
import { type Arrival, committedAtOnce, Inbox } from "../../agent/mqtt/inbox.ts";
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
  bring(messageId: number, more: Partial<IPublishPacket> = {}, answered = vi.fn<() => void>()): Error | undefined {
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
      answered();
    });
    return answer;
  }
}

let line: Line;
let accepted: Arrival[];
let failures: unknown[];
let broken: Error | undefined;
/** What the intake returns. */
let onDisk: Promise<void> | Promise<boolean> | undefined;

const nothing = (): void => {};
/** One that a test decides about. */
function disk(): { promise: Promise<void>; resolve: () => void; reject: (cause: Error) => void } {
  let resolve = nothing;
  let reject: (cause: Error) => void = nothing;
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function openInbox(): Inbox {
  const accept = (arrivals: readonly Arrival[]): Promise<void> | Promise<boolean> | undefined => {
    if (broken) throw broken;
    accepted.push(...arrivals);
    line.happened.push(`commit of ${arrivals.length}`);
    return onDisk;
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
  onDisk = undefined;
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

test("Inbox lets no more be read than a group holds, until that is committed", async () => {
  openInbox();
  for (let id = 1; id < committedAtOnce; id += 1) expect(line.bring(id)).toBeInstanceOf(Error);
  const readOn = vi.fn<() => void>();
  line.bring(committedAtOnce, {}, readOn);
  expect(readOn).not.toHaveBeenCalled();
  await nextTurn();
  expect(line.happened[0]).toBe(`commit of ${committedAtOnce}`);
  expect(readOn).toHaveBeenCalledOnce();
  expect(line.bring(committedAtOnce + 1)).toBeInstanceOf(Error);
  await nextTurn();
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

test("Inbox acknowledges a group when it is on disk, and reads on meanwhile; in the order of arrival", async () => {
  openInbox();
  const first = disk();
  onDisk = first.promise;
  line.bring(1);
  await nextTurn();
  onDisk = undefined;
  line.bring(2);
  await nextTurn();
  expect(line.happened).toEqual(["commit of 1", "commit of 1"]);
  first.resolve();
  await nextTurn();
  expect(line.happened.slice(2)).toEqual(["puback 1", "puback 2"]);
});

test("Inbox acknowledges nothing that does not get to the disk, nor anything after it", async () => {
  openInbox();
  const broke = disk();
  onDisk = broke.promise;
  line.bring(1);
  await nextTurn();
  line.bring(2);
  await nextTurn();
  broke.reject(new Error("disk full"));
  await nextTurn();
  line.bring(3);
  await nextTurn();
  expect(line.happened).toEqual(["commit of 1", "commit of 1"]);
  expect(failures).toEqual([new Error("disk full")]);
});

test("close() commits and acknowledges at once what was collected, and takes no more", async () => {
  const inbox = openInbox();
  line.bring(1);
  void inbox.close();
  expect(line.happened).toEqual(["commit of 1", "puback 1"]);
  line.bring(2);
  await nextTurn();
  expect(line.happened).toHaveLength(2);
});

test("Inbox acknowledges nothing of what is not taken, and takes nothing that comes behind it", async () => {
  const inbox = openInbox();
  onDisk = Promise.resolve(false);
  line.bring(1);
  await nextTurn();
  onDisk = undefined;
  line.bring(2);
  await nextTurn();
  await inbox.close();
  expect(line.happened).toEqual(["commit of 1"]);
  expect(failures).toEqual([]);
});

test("Inbox lets no more be read while 32 groups wait to be answered, and reads on when one is", async () => {
  const inbox = openInbox();
  const groups = Array.from({ length: 33 }, disk);
  let read = 0;
  for (const group of groups.slice(0, 32)) {
    onDisk = group.promise;
    line.bring((read += 1));
    await nextTurn();
  }
  const readOn = vi.fn<() => void>();
  onDisk = groups[32]?.promise;
  line.bring((read += 1), {}, readOn);
  await nextTurn();
  expect(line.happened).toEqual(Array.from({ length: 33 }, () => "commit of 1"));
  // The second is not answered before the first, and so there is no more room.
  groups[1]?.resolve();
  groups[2]?.resolve();
  await nextTurn();
  expect(readOn).not.toHaveBeenCalled();
  groups[0]?.resolve();
  await nextTurn();
  expect(line.happened.slice(33)).toEqual(["puback 1", "puback 2", "puback 3"]);
  expect(readOn).toHaveBeenCalledOnce();
  for (const group of groups) group.resolve();
  await inbox.close();
  expect(line.happened.slice(33)).toEqual(Array.from({ length: 33 }, (_, at) => `puback ${at + 1}`));
});
