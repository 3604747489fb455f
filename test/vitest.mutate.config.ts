import { defineConfig } from "vitest/config";

/** The tests that mutants are tried on: of what is pure, with the same random values each time. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/domain/{access,force,lock-window,observe,placement,plan*,receipt*,schedule,settle,weekly}.test.ts"],
    setupFiles: ["test/support/same-values.ts"],
    isolate: false,
    // A mutant must not seem caught because the machine is busy.
    testTimeout: 60_000,
  },
});
