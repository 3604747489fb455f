import { expect, test } from "vitest";
import { table } from "../agent/commands/table.ts";
import { later } from "../agent/domain/instant.ts";
import { mqttIntake } from "../agent/intake.ts";
import type { Arrival } from "../agent/mqtt/inbox.ts";
import { topicsOf } from "../agent/mqtt/topics.ts";
import { partsOn } from "./support/answering-agent.ts";
import { MemoryStore } from "./support/memory-store.ts";
import { caughtUp } from "./support/world.ts";

const topics = topicsOf("access", "gateway-1");
const grantTopic = "access/gateway-1/command/user_identities/grant_access_to_device";
const text = (person: string): Buffer => Buffer.from(JSON.stringify({ user_identity_id: person, device_id: "door-1" }));
const kept = (payload: Buffer, topic = grantTopic): Arrival => ({ topic, payload, retained: true, kept: true });
const live = (payload: Buffer): Arrival => ({ topic: grantTopic, payload, retained: true });
const plain = (payload: Buffer): Arrival => ({ topic: grantTopic, payload, retained: false });
const nothing = Buffer.alloc(0);

const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => log };

function broker(commands: readonly string[] = ["*"]) {
  const desk = new MemoryStore();
  const intake = () =>
    mqttIntake(
      partsOn(desk.reopened([...desk.store.records.devices()].map(({ id }) => id)), {
        now: () => desk.now,
        catchUp: caughtUp,
      }),
      topics,
      { codes: "never", commands },
    );
  let open = intake();
  return {
    desk,
    restart: () => {
      open = intake();
    },
    // In memory nothing waits for a disk.
    bring: (...arrivals: Arrival[]) => void open.accept(arrivals),
    handOut: (...of: Arrival[]) => {
      const since = desk.now;
      desk.now = later(since, 1_000);
      void open.accept(of);
      desk.now = later(since, 30_000);
      open.handedOut(new Set(of.map(({ topic }) => topic)), since);
    },
    errors: () => desk.events().map((event) => event["error"]),
    told: () => desk.events().map((event) => event["event_type"]),
  };
}

const refusals = (count: number): string[] => Array.from({ length: count }, () => "command.refused");

test("a retained command that the broker hands out at each subscription is refused once, over restarts too", () => {
  const { handOut, restart, told } = broker();
  handOut(kept(text("a")));
  handOut(kept(text("a")));
  restart();
  handOut(kept(text("a")));
  expect(told()).toEqual(refusals(1));
});

test("a retained command that is published just now is refused each time", () => {
  const { bring, handOut, told } = broker();
  bring(live(text("a")));
  bring(live(text("a")));
  expect(told()).toEqual(refusals(2));
  handOut(kept(text("a")));
  expect(told()).toEqual(refusals(2));
});

test("another content on the same topic, and the same on another topic, are refused as well", () => {
  const { handOut, told } = broker();
  handOut(kept(text("a")));
  handOut(kept(text("b")));
  expect(told()).toEqual(refusals(2));
  handOut(kept(text("b")), kept(text("b"), "access/gateway-1/command/access/list"));
  expect(told()).toEqual(refusals(3));
  handOut(kept(text("a")));
  expect(told()).toEqual(refusals(4));
});

test.each([
  ["taken back while we listen", ({ bring }: ReturnType<typeof broker>) => bring(live(nothing))],
  ["taken back while we listen by MQTT 3.1.1", ({ bring }: ReturnType<typeof broker>) => bring(plain(nothing))],
  ["gone when we subscribe anew", ({ handOut }: ReturnType<typeof broker>) => handOut()],
])("a retained command that was %s is forgotten, without a word", (_, takeBack) => {
  const at = broker();
  at.handOut(kept(text("a")));
  takeBack(at);
  expect(at.told()).toEqual(refusals(1));
  at.handOut(kept(text("a")));
  expect(at.told()).toEqual(refusals(2));
});

test("an empty message where nothing was retained is a refused command", () => {
  const { bring, told } = broker();
  bring(plain(nothing));
  expect(told()).toEqual(refusals(1));
  bring(live(nothing));
  expect(told()).toEqual(refusals(1));
});

test("by MQTT 3.1.1 a retained command is carried out when it is published, and not when it is handed out later", () => {
  const { bring, handOut, restart, told } = broker();
  bring(plain(text("a")));
  expect(told()).toEqual(["access.accepted"]);
  restart();
  for (let time = 0; time < 3; time += 1) handOut(kept(text("a")));
  expect(told()).toEqual(["access.accepted", ...refusals(1)]);
});

const localOnly = [...table.values()].filter(({ doors }) => !doors.includes("mqtt")).map(({ name }) => name);

test.each(localOnly)("%s, for the local door only, is opened over MQTT by no configuration", (name) => {
  for (const commands of [["*"], [name], [`${name.split("/")[0]}/*`]]) {
    const { bring, errors } = broker(commands);
    bring({ topic: `access/gateway-1/command/${name}`, payload: Buffer.from("{}"), retained: false });
    expect(errors()).toMatchObject([{ type: "unknown_command" }]);
  }
});

test.each([
  [["user_identities/*"], ["user_identities/grant_access_to_device"]],
  [["user_identities/grant_access_to_device"], ["user_identities/grant_access_to_device"]],
  [["access/*", "agent/status"], []],
  [[], []],
])("mqtt.commands %j opens %j alone", (commands, open) => {
  for (const name of ["user_identities/grant_access_to_device", "user_identities/revoke_access_to_device_x", "user"]) {
    const { bring, told } = broker(commands);
    bring({ topic: `access/gateway-1/command/${name}`, payload: text("a"), retained: false });
    expect(told()).toEqual(open.includes(name) ? ["access.accepted"] : ["command.refused"]);
  }
});
