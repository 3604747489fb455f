import { afterAll, beforeAll, vi } from "vitest";

/** While the tests of a suite run, this process is in a zone, and not in that of the machine; files that run after it are not. */
export function inZone(zone: string): void {
  beforeAll(() => {
    vi.stubEnv("TZ", zone);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });
}
