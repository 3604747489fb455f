import { expect, test } from "vitest";
import { offline, Retained } from "../../agent/mqtt/retained.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";

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
  const retained = new Retained({ standing, topics: topicsOf("p", "g"), log }, { publisher: line });
  return { said, devices, line, retained };
}

test("Retained says all at first, then what changed, and clears what is gone", () => {
  const { said, devices, retained } = standingOn();
  retained.send();
  expect(said.map(([topic]) => topic)).toEqual(["status", "devices/a", "devices/b"]);
  said.length = 0;
  retained.changed();
  retained.send();
  expect(said).toEqual([]);
  devices.set("b", "B2");
  devices.delete("a");
  retained.send();
  expect(said).toEqual([]);
  retained.changed();
  retained.send();
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

test("Retained waits for room, and then says the newest only", () => {
  const { said, devices, line, retained } = standingOn(1);
  retained.send();
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

test("Retained leaves out what is larger than the broker takes", () => {
  const { said, devices, retained } = standingOn();
  devices.set("a", "A".repeat(100));
  retained.send();
  expect(said.map(([topic]) => topic)).toEqual(["status", "devices/b"]);
});

test("offline() is the same status with another state", () => {
  expect(offline('{"state":"online","version":"1"}')).toBe('{"state":"offline","version":"1"}');
});
