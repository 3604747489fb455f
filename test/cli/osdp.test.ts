import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Frame } from "../../agent/cli/osdp-frames.ts";
import { Desk } from "./desk.ts";

const frame = (number: number, more: Partial<Frame>): Frame => ({
  number,
  at: "2026-01-31T09:30:00.007Z",
  direction: "sent",
  address: "3",
  name: "POLL",
  text: "",
  sequence: 1,
  protection: "own_key",
  is_repeat: false,
  problem: null,
  bytes: "53030e000d021560",
  ...more,
});
const ack = (number: number, more: Partial<Frame> = {}): Frame =>
  frame(number, { direction: "heard", name: "ACK", ...more });
const batch = (frames: readonly Frame[], missed = 0): object => ({
  ok: true,
  frames,
  last: frames.at(-1)?.number ?? 0,
  missed,
});
const said = [
  batch([]),
  batch([frame(1, {}), ack(2), frame(3, {}), ack(4, { name: "RAW", text: "card=[secret] bits=26" })]),
  batch(
    [
      frame(9, { name: "OUT", text: "outputs={output=0 code=5 timer=30}" }),
      ack(10),
      frame(11, {}),
      frame(12, { is_repeat: true }),
      ack(13, { protection: "clear", problem: "it comes too late, or twice" }),
      frame(14, { direction: "heard", address: null, name: "damaged", text: "9 bytes", sequence: null, bytes: null }),
    ],
    4,
  ),
  batch([]),
];

test("monitor shows what is said but for idle polls, and how much it has missed", async () => {
  await using desk = await Desk.open({ "osdp/frames": said });
  const { exit, out, err } = await desk.call("osdp", "monitor", "front-door", "--seconds", "1");
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  expect(out.split("\n")).toEqual([
    "09:30:00.007  >    3  1  sealed       POLL",
    "09:30:00.007  <    3  1  sealed       RAW card=[secret] bits=26",
    "(4 were missed here)",
    "09:30:00.007  >    3  1  sealed       OUT outputs={output=0 code=5 timer=30}",
    "09:30:00.007  <    3  1  sealed       ACK",
    "09:30:00.007  >    3  1  sealed       POLL",
    "09:30:00.007  >    3  1  sealed       POLL (again)",
    "09:30:00.007  <    3  1  clear        ACK (it comes too late, or twice)",
    "09:30:00.007  <    ?  -  sealed       damaged 9 bytes",
    "",
  ]);
  expect(desk.asked.slice(0, 3)).toEqual([
    ["osdp/frames", { line: "front-door" }],
    ["osdp/frames", { line: "front-door", after: 0 }],
    ["osdp/frames", { line: "front-door", after: 4 }],
  ]);
});

test("monitor shows every poll with --polls, and ends at Ctrl-C", async () => {
  await using desk = await Desk.open({ "osdp/frames": said });
  const sleep = desk.sleep;
  desk.sleep = async (ms) => {
    if (desk.asked.length > 3) for (const stop of desk.signals) stop();
    return sleep(ms);
  };
  const { out } = await desk.call("osdp", "monitor", "front-door", "--polls", "--json");
  const numbers = out
    .split("\n")
    .filter((line) => line.includes('"number"'))
    .map((line) => /"number":(\d+)/.exec(line)?.[1]);
  expect(numbers).toEqual(["1", "2", "3", "4", "9", "10", "11", "12", "13", "14"]);
  expect(out).toContain('{"missed":4}\n');
  expect(desk.signals.size).toBe(0);
});

const place = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "latchd-osdp-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "line.osdpcap");
};

test("capture writes a file of its own that nobody else may read, and says what is not in it", async () => {
  const file = place();
  await using desk = await Desk.open({ "osdp/frames": said });
  const { exit, out } = await desk.call("osdp", "capture", "rs485", file, "--seconds", "1");
  expect(exit).toBe(0);
  expect(out).toContain(`9 frames are in ${file}, 4 were missed; 1 were damaged on the line, and are not in it.\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const records = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(records).toHaveLength(9);
  expect(records.slice(0, 2)).toEqual([
    '{"timeSec":"1769851800","timeNano":"007000000","io":"output","data":"53 03 0e 00 0d 02 15 60","osdpTraceVersion":"1","osdpSource":"latchd 0.1.0"}',
    '{"timeSec":"1769851800","timeNano":"007000000","io":"input","data":"53 03 0e 00 0d 02 15 60","osdpTraceVersion":"1","osdpSource":"latchd 0.1.0"}',
  ]);
});

test("capture writes over no file, and makes none where the agent refuses", async () => {
  const file = place();
  await using refusing = await Desk.open({});
  expect(await refusing.call("osdp", "capture", "rs485", file)).toMatchObject({ exit: 1, out: "" });
  expect(() => statSync(file)).toThrow("no such file");
  writeFileSync(file, "mine");
  await using desk = await Desk.open({ "osdp/frames": said });
  const { exit, err } = await desk.call("osdp", "capture", "rs485", file);
  expect(exit).toBe(2);
  expect(err).toContain("cannot make");
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test.each([
  ["done", 0, "Done: it has its key.\n"],
  ["unchanged", 1, "Nothing has changed: it has its key.\n"],
  ["refused", 1, "Nothing was changed: it has its key.\n"],
  ["unknown", 1, "It is not known yet: it has its key.\n"],
])("rotate, pair and readdress say what came of it: %s", async (outcome, exit, text) => {
  const reply = { ok: true, outcome, detail: "it has its key" };
  await using desk = await Desk.open({ "osdp/rotate": reply, "osdp/pair": reply, "osdp/readdress": reply });
  expect(await desk.call("osdp", "rotate", "front-door")).toEqual({ exit, out: text, err: "" });
  const waits = "Trying for 30 s: front-door has to be in its install mode.\n";
  expect(await desk.call("osdp", "pair", "front-door", "--seconds", "30")).toEqual({
    exit,
    out: waits + text,
    err: "",
  });
  expect(await desk.call("osdp", "readdress", "front-door", "5")).toEqual({ exit, out: text, err: "" });
  expect(desk.asked).toEqual([
    ["osdp/rotate", { lock: "front-door" }],
    ["osdp/pair", { lock: "front-door", seconds: 30 }],
    ["osdp/readdress", { lock: "front-door", address: 5 }],
  ]);
  expect(await desk.call("osdp", "rotate", "front-door", "--json")).toMatchObject({
    out: `${JSON.stringify(reply)}\n`,
  });
});

test.each([
  [["pair", "d", "--seconds", "4"], "whole number from 5 to 600"],
  [["readdress", "d", "127"], "from 0 to 126"],
  [["scan", "/dev/null", "--addresses", "0-127"], "from 0 to 126"],
  [["scan", "/dev/null", "--addresses", "7-3"], "from 0 to 126"],
  [["scan", "/dev/null", "--baud", "fast"], "bits a second"],
  [["monitor", "d", "--seconds", "soon"], "a number of seconds"],
])("osdp %j is told what is wrong with it", async (words, text) => {
  await using desk = await Desk.open({});
  const { exit, err } = await desk.call("osdp", ...words);
  expect(exit).toBe(2);
  expect(err).toContain(text);
  expect(desk.asked).toEqual([]);
});

test("scan says what to do where the port cannot be opened", async () => {
  await using desk = await Desk.open({});
  const { exit, err } = await desk.call("osdp", "scan", "/dev/not-there", "--baud", "9600");
  expect(exit).toBe(1);
  expect(err).toContain("/dev/not-there cannot be opened\ncheck its name");
});
