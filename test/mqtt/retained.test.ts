import { expect, test, vi } from "vitest";
import { offline, Retained } from "../../agent/mqtt/retained.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";

const nothing = (): void => {};

function standingOn(size = 100) {
  const said: [string, string][] = [];
  const devices = new Map([
    ["a", "A1"],
    ["b", "B1"],
  ]);
  const line = {
    room: size,
    fits: ({ payload }: { payload: string }) => payload.length < 100,
    publish({ topic, payload }: { topic: string; payload: string }) {
      line.room -= 1;
      said.push([topic.replace("p/g/", ""), payload]);
    },
  };
  const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const standing = { status: () => '{"state":"online","n":1}', devices: () => devices };
  /** Ends the pauses between looks at all that stands. */
  let rested = nothing;
  const clock = { sleep: () => new Promise<void>((done) => (rested = done)) };
  const wake = vi.fn<() => void>();
  const { signal } = new AbortController();
  const topics = topicsOf("p", "g");
  const retained = new Retained({ standing, topics, log, clock }, { publisher: line, wake, signal });
  const rest = async (): Promise<void> => {
    rested();
    await new Promise((done) => void setImmediate(done));
  };
  return { said, devices, line, retained, wake, rest };
}

test("Retained says all at first, then what changed, and clears what is gone", async () => {
  const { said, devices, retained, rest } = standingOn();
  retained.send();
  await rest();
  expect(said.map(([topic]) => topic)).toEqual(["status", "devices/a", "devices/b"]);
  said.length = 0;
  retained.changed();
  retained.send();
  await rest();
  expect(said).toEqual([]);
  devices.set("b", "B2");
  devices.delete("a");
  retained.send();
  expect(said).toEqual([]);
  retained.changed();
  retained.send();
  await rest();
  retained.changed();
  retained.send();
  expect(new Map(said)).toEqual(
    new Map([
      ["devices/a", ""],
      ["devices/b", "B2"],
    ]),
  );
  expect(said).toHaveLength(2);
});

test("Retained waits for room, and then says the newest only", async () => {
  const { said, devices, line, retained, rest } = standingOn(1);
  retained.send();
  await rest();
  devices.set("a", "A2");
  retained.changed();
  retained.send();
  line.room = 5;
  retained.send();
  expect(said).toEqual([
    ["status", '{"state":"online","n":1}'],
    ["devices/a", "A2"],
    ["devices/b", "B1"],
  ]);
});

test("Retained looks through all at once, then not before a pause: who changes something in it is looked at after it", async () => {
  const { said, devices, retained, wake, rest } = standingOn();
  retained.send();
  said.length = 0;
  for (const name of ["A2", "A3"]) {
    devices.set("a", name);
    retained.changed();
    retained.send();
  }
  expect(said).toEqual([]);
  expect(wake).not.toHaveBeenCalled();
  await rest();
  expect(wake).toHaveBeenCalledOnce();
  retained.send();
  expect(said).toEqual([["devices/a", "A3"]]);
  await rest();
  expect(wake).toHaveBeenCalledOnce();
});

test("Retained leaves out what is larger than the broker takes", () => {
  const { said, devices, retained } = standingOn();
  devices.set("a", "A".repeat(100));
  retained.send();
  expect(said.map(([topic]) => topic)).toEqual(["status", "devices/b"]);
});

test("offline() is the same status with another state", () => {
  expect(offline('{"state":"online","version":"1"}')).toBe('{"state":"offline","version":"1"}');
});
