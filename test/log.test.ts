import { expect, test } from "vitest";
import { Secret } from "../agent/domain/secret.ts";
import { faultOf } from "../agent/fault.ts";
import { type AgentLog, createLog } from "../agent/log.ts";
import { LinkError } from "../drivers/driver.ts";

const pin = "493017562";

function logged(people: boolean, say: (log: AgentLog) => void): string {
  const lines: string[] = [];
  say(createLog("trace", people, (line) => void lines.push(line)));
  return lines.join("");
}

test("createLog() writes one JSON line per message, with the fields of its child", () => {
  const text = logged(false, (log) => log.child({ link: "sim" }).info({ slot: "7" }, "credential stored"));
  expect(JSON.parse(text)).toMatchObject({ level: "info", link: "sim", slot: "7", msg: "credential stored" });
  expect(text.endsWith("}\n")).toBe(true);
});

test("createLog() writes plain words for people, one line each", () => {
  const text = logged(true, (log) => {
    const lock = log.child({ lock: "front-door" });
    lock.info({ slot: "7", label: "a b" }, "credential stored");
    lock.warn({ err: new LinkError("no answer\nin 10 s", { hint: "wake the lock" }) }, "round ended");
  });
  expect(text.split("\n")).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d credential stored lock=front-door slot=7 label="a b"$/),
    expect.stringMatching(
      /^\d\d:\d\d:\d\d warning: round ended lock=front-door - no answer in 10 s \(wake the lock\)$/,
    ),
    "",
  ]);
});

test("createLog() leaves out what is below its level", () => {
  const lines: string[] = [];
  createLog("warn", false, (line) => void lines.push(line)).info({}, "hello");
  expect(lines).toEqual([]);
});

test.each([true, false])("createLog() prints no secret, on a terminal: %s", (people) => {
  const leaky = Object.assign(new Error(`bad code ${pin}`, { cause: new Error(pin) }), { packet: { payload: pin } });
  const text = logged(people, (log) => {
    log.info({ digits: new Secret(pin), deep: { of: new Secret(pin) } }, "a Secret");
    log.child({ code: pin }).info({ request: { code: pin }, a: { b: { pin } } }, "a string under its own name");
    log.error({ err: leaky }, "an error that quotes it");
    log.error({ error: parseError(`{"pin":"${pin}`), cause: pin }, "a parser that quotes it");
  });
  expect(text).toContain("[secret]");
  expect(text).not.toContain(pin);
  expect(text).not.toContain(pin.slice(0, 5));
});

test("faultOf() keeps the words of our own errors and of the operating system's", () => {
  expect(faultOf(new LinkError("no answer on port 12345", { hint: "look at the cable" }))).toMatchObject({
    message: "no answer on port 12345",
    hint: "look at the cable",
  });
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1883"), { syscall: "connect" });
  expect(faultOf(refused).message).toBe("connect ECONNREFUSED 127.0.0.1:1883");
});

test("faultOf() takes whatever is thrown, also a cause that is its own", () => {
  expect(faultOf(pin)).toEqual({ name: "string", message: "something that is no error was thrown" });
  const circle = new Error("round");
  circle.cause = circle;
  expect(JSON.stringify(faultOf(circle)).length).toBeLessThan(20_000);
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return cause;
  }
}
