import { z } from "zod";
import { usual } from "../../simulator/fault.ts";
import { happeningNames, type Scenario, type Step, scenario } from "../../simulator/scenario.ts";
import { parseFile, unusable } from "../config/file.ts";
import { didYouMean } from "../config/nearest.ts";
import { type Path, type Problem, problemsOf } from "../config/problems.ts";
import type { Known } from "../config.ts";
import { isTimeZone } from "../domain/time-zone.ts";

/** A scenario with what its locks' driver is to be told. */
export interface Staged {
  readonly scenario: Scenario;
  /** By the lock's name: options of the driver `simulated`. */
  readonly builds: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

const reading = { is: "the scenario", hint: "name a file such as those in simulator/scenarios" };

/** A scenario from its file. Rejects with a ConfigError that lists all that is wrong with it, a line each. */
export async function loadScenario(file: string, { drivers }: Known): Promise<Staged> {
  const raw = parseFile(file, reading);
  const read = scenario.safeParse(raw);
  if (!read.success) throw unusable(file, reading, problemsOf(scenario, raw));
  const driver = await drivers["simulated"]?.();
  if (!driver) throw new Error("latchd comes with the driver simulated");
  const builds = buildsOf(read.data);
  const problems = [
    ...[...builds].flatMap(([lock, build]) => [
      ...problemsOf(driver.options, build, ["locks", lock]),
      ...("seed" in build
        ? [{ path: ["locks", lock, "seed"], text: 'is of the whole house: put "seed" beside "locks"' }]
        : []),
    ]),
    ...zoneProblems(read.data),
    ...lockProblems(read.data),
    ...orderProblems(read.data.timeline),
    ...(builds.size === 0 ? [{ path: ["locks"], text: "must have at least one lock" }] : []),
  ];
  if (problems.length > 0) throw unusable(file, reading, problems);
  return { scenario: read.data, builds };
}

/** All but what a scenario has beside the driver's options. */
const buildsOf = ({ locks }: Scenario): Staged["builds"] =>
  new Map(Object.entries(locks).map(([lock, { time_zone: _zone, faults: _faults, ...build }]) => [lock, build]));

function zoneProblems({ locks }: Scenario): Problem[] {
  return Object.entries(locks).flatMap(([lock, { time_zone: zone }]) => {
    if (isTimeZone(zone)) return [];
    const text = `no time zone is called "${zone}"${didYouMean(zone, Intl.supportedValuesOf("timeZone"))}`;
    return [{ path: ["locks", lock, "time_zone"], text }];
  });
}

const named = z.looseObject({ lock: z.string().optional() });
const late = z.looseObject({ settles_seconds: z.number().optional() });

function lockProblems({ locks, timeline }: Scenario): Problem[] {
  const names = Object.keys(locks);
  const beginnings = Object.entries(locks).flatMap(([lock, { faults }]) =>
    faults.map((fault, index) => ({ fault: { ...fault, lock }, path: ["locks", lock, "faults", index] as Path })),
  );
  const begun = timeline.flatMap(({ fault }, index) => (fault ? [{ fault, path: ["timeline", index, "fault"] }] : []));
  return [
    ...timeline.flatMap((step, index) => unknownLock(step, names, ["timeline", index])),
    ...[...beginnings, ...begun].flatMap(({ fault: { fault, lock, ms = usual.lateMs }, path }) => {
      const { settles_seconds: settles = 0 } = late.parse(locks[lock] ?? {});
      const [, latest = 0] = ms;
      if (fault !== "executes_late" || latest <= settles * 1_000) return [];
      const text = `a lock that is up to ${latest} ms late has to say so: give it settles_seconds, of that at least`;
      return [{ path, text }];
    }),
  ];
}

function unknownLock(step: Step, names: readonly string[], path: Path): Problem[] {
  return happeningNames.flatMap((name) => {
    const { lock } = named.parse(step[name] ?? {});
    if (lock === undefined || names.includes(lock)) return [];
    return [{ path: [...path, name, "lock"], text: `no lock is called "${lock}"${didYouMean(lock, names)}` }];
  });
}

function orderProblems(timeline: readonly Step[]): Problem[] {
  let latest = 0;
  return timeline.flatMap(({ at, by }, index) => {
    const time = at ?? by;
    const before = latest;
    if (time === undefined || time >= before) {
      latest = time ?? before;
      return [];
    }
    const text = `is before the step above it, which is at ${before} s: put them in the order of their times`;
    return [{ path: ["timeline", index, at === undefined ? "by" : "at"], text }];
  });
}
