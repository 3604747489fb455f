import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Tests that start processes and brokers wait for most of their time; more of them at once, and they measure the machine. */
const atOnce = 3;
/**
 * For what hangs, no more: each wait in a test has its own, shorter deadline, and says what did not come. A machine that is
 * ten times slower than an idle one still gets through.
 */
const patience = { testTimeout: 240_000, hookTimeout: 120_000 };
/** A process serves for one file after another: no module has a state that another file could trip over. */
const isolate = false;
/** What measures how long people wait does so while nothing else runs. */
const timed = ["test/e2e/agent-deaf.test.ts"];

/** What takes a minute or more begins first: else the last of them is waited for while nothing else is left to do. */
const longest = [
  "drivers-zwave",
  "campaign",
  "drivers-zwave-windows",
  "agent-zwave",
  "simulate",
  "agent-bad-input",
].map((name) => `/e2e/${name}.test.ts`);

const isShort = ({ moduleId }: TestSpecification): number => Number(!longest.some((name) => moduleId.endsWith(name)));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's own, of no array
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => isShort(one) - isShort(other));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    root: new URL("..", import.meta.url).pathname,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/interop/**", "test/model/**"],
          isolate,
          maxWorkers: 2,
          // None of them takes five seconds; properties have time for their runs on a busy machine, too.
          testTimeout: 30_000,
        },
      },
      // Random worlds: the same code with the same virtual clock, for as long as one likes. They never wait: two shards, two cores.
      {
        extends: true,
        test: {
          name: "model",
          include: ["test/model/**/*.test.ts"],
          testTimeout: 600_000,
          maxWorkers: 2,
          // What is made in one turn of a world is garbage in the next; with room for many turns little of it is looked at.
          execArgv: ["--max-semi-space-size=64"],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          isolate,
          include: ["test/e2e/**/*.test.ts"],
          exclude: timed,
          ...patience,
          maxWorkers: atOnce,
          sequence: { groupOrder: 2 },
        },
      },
      // Over programs that `npm run test:interop` installs; skipped, with the reason, where they are not.
      {
        extends: true,
        test: {
          name: "interop",
          isolate,
          include: ["test/interop/*.test.ts"],
          ...patience,
          maxWorkers: atOnce,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: "timed", include: timed, ...patience, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
