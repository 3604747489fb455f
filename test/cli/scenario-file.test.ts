import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadScenario } from "../../agent/cli/scenario-file.ts";
import { ConfigError } from "../../agent/errors.ts";
import { drivers } from "../../drivers/index.ts";

const known = { drivers, commands: [] };
const locks = { "front-door": {}, cellar: {} };
const grant = { grant: { person: "ann", lock: "cellar" } };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchd-scenario-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (text: string): string => {
  const file = join(folder, "scenario.json");
  writeFileSync(file, text);
  return file;
};
const load = async (value: unknown) => loadScenario(written(JSON.stringify(value)), known);
const refused = async (loading: Promise<unknown>): Promise<string[]> => {
  const error: unknown = await loading.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message.split("\n");
};

test("loadScenario() fills in what is left out, and hands the driver what is its own", async () => {
  const front = { memory: "keyed", time_zone: "Europe/Zurich", faults: [{ fault: "deaf" }] };
  const { scenario, builds } = await load({ locks: { front }, timeline: [{ at: 1, delete_all: { lock: "front" } }] });
  expect(scenario).toEqual({
    seed: 1,
    locks: { front },
    timeline: [{ at: 1, delete_all: { lock: "front" } }],
  });
  expect(builds).toEqual(new Map([["front", { memory: "keyed" }]]));
});

test.each(readdirSync(new URL("../../simulator/scenarios", import.meta.url)))("the scenario %s loads", async (name) => {
  const { scenario } = await loadScenario(
    new URL(`../../simulator/scenarios/${name}`, import.meta.url).pathname,
    known,
  );
  expect(scenario.timeline.length).toBeGreaterThan(5);
});

/** A step, and what is said of it. */
const steps: readonly (readonly [step: object, said: string])[] = [
  [{ grnt: grant.grant }, 'timeline[0].grnt: there is no such option; did you mean "grant"?'],
  [{ at: 1 }, "timeline[0]: needs one of grant, revoke, bring,"],
  [{ ...grant, reset: { lock: "cellar" } }, "timeline[0].reset: is a step of its own, beside grant"],
  [{ by: 1, ...grant }, 'timeline[0].by: is for "expect": say with "at" when grant is to happen'],
  [{ at: -1, ...grant }, "timeline[0].at: must be at least 0"],
  [{ at: "soon", ...grant }, "timeline[0].at: must be a number, not text"],
  [
    { grant: { person: "ann", lock: "celar" } },
    'timeline[0].grant.lock: no lock is called "celar"; did you mean "cellar"?',
  ],
  [{ grant: { person: "ann" } }, "timeline[0].grant.lock: is missing: it must be text"],
  [{ fault: { lock: "cellar", fault: "def" } }, 'timeline[0].fault.fault: must be one of "slow", "deaf"'],
  [
    { fault: { lock: "cellar", fault: "deaf", by_seconds: 5 } },
    "timeline[0].fault.by_seconds: deaf has no such option; it has seconds, share, to",
  ],
  [
    { fault: { lock: "cellar", fault: "executes_late" } },
    "timeline[0].fault: a lock that is up to 4000 ms late has to say so: give it settles_seconds, of that at least",
  ],
  [{ bring: { person: "ann", pin: 4711 } }, "timeline[0].bring.pin: must be text, not a number"],
  [{ bring: { person: "ann", pin: "12a4" } }, "timeline[0].bring.pin: must be 1 to 16 digits, in quotes"],
  [{ type: { lock: "cellar" } }, 'timeline[0].type: needs either "person" or "pin"'],
  [{ battery: { lock: "cellar", level: 40 } }, "timeline[0].battery.level: must be at most 1"],
  [{ expect: { person: "ann", lock: "cellar" } }, "timeline[0].expect: needs something that is to be so: receipt,"],
  [{ expect: { lock: "cellar", receipt: "live" } }, "timeline[0].expect.person: is missing: whose receipt?"],
  [{ expect: { holds: ["ann"] } }, "timeline[0].expect.lock: is missing: holds of which lock?"],
  [{ at: 1, by: 2, expect: { event: "lock.reset" } }, "timeline[0].by: is one time too many, beside at"],
  [{ expect: { person: "ann", lock: "cellar", receipt: "alive" } }, 'did you mean "live"?'],
];

test.each(steps)("loadScenario() says what is wrong with a step: %j", async (step, said) => {
  const lines = await refused(load({ locks, timeline: [step] }));
  expect(lines[0]).toMatch(/^the scenario .*scenario\.json cannot be used:$/);
  expect(lines.slice(1).join("\n")).toContain(said);
});

/** A whole scenario, and what is said of it. */
const wholes: readonly (readonly [scenario: object, said: string])[] = [
  [{ locks, timeline: [] }, "timeline: must have at least 1 entry"],
  [{ locks: {}, timeline: [{ at: 1, restart: {} }] }, "locks: must have at least one lock"],
  [{ locks: { "a/b": {} }, timeline: [{ restart: {} }] }, "a lock's name must be 1-64 letters, digits, _ or -"],
  [
    { locks: { front: { slot: 3 } }, timeline: [{ restart: {} }] },
    'locks.front.slot: there is no such option; did you mean "slots"?',
  ],
  [
    { locks: { front: { seed: 3 } }, timeline: [{ restart: {} }] },
    'locks.front.seed: is of the whole house: put "seed"',
  ],
  [
    { locks: { front: { time_zone: "Europe/Zurch" } }, timeline: [{ restart: {} }] },
    'locks.front.time_zone: no time zone is called "Europe/Zurch"; did you mean "Europe/Zurich"?',
  ],
  [
    { locks: { front: { faults: [{ fault: "executes_late" }] } }, timeline: [{ restart: {} }] },
    "locks.front.faults[0]: a lock that is up to 4000 ms late",
  ],
  [
    { locks, timeline: [{ at: 5, ...grant }, { expect: { event: "lock.reset" } }, { at: 4, restart: {} }] },
    "timeline[2].at: is before the step above it, which is at 5 s",
  ],
];

test.each(wholes)("loadScenario() says what is wrong with %j", async (scenario, said) => {
  expect((await refused(load(scenario))).join("\n")).toContain(said);
});

test("loadScenario() says where a file stops being JSON, and which one is not there", async () => {
  const [line] = await refused(loadScenario(written('{"locks": {},\n  "timeline": [}'), known));
  expect(line).toMatch(/scenario\.json: not JSON at line 2, column \d+: /);
  const [missing] = await refused(loadScenario(join(folder, "nowhere.json"), known));
  expect(missing).toMatch(/^cannot read the scenario .*nowhere\.json: there is no such file$/);
});
