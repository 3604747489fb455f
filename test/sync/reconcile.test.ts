import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { Acquaintance } from "../../agent/sync/acquaintance.ts";
import { reconcile } from "../../agent/sync/reconcile.ts";
import { LinkError, type Log } from "../../drivers/driver.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

test("reconcile() says which other devices have work because of it, though its own lock is silent then", async () => {
  using desk = new MemoryStore();
  const other = deviceId("door-2");
  const due: string[] = [];
  const round = reconcile(
    deviceId("door-1"),
    { abilities: () => Promise.reject(new LinkError("no answer")) },
    new Acquaintance(deviceId("door-1")),
    {
      ledger: { ...desk.store.rounds, choose: () => ({ due: new Set([other]), more: false }) },
      clock: new VirtualClock(),
      log,
      random: () => 0,
      committed: quiet,
      due: (device) => void due.push(device),
      isAwaited: () => false,
      claimed: () => undefined,
    },
    new AbortController().signal,
  );
  await expect(round).rejects.toThrow("no answer");
  expect(due).toEqual([other]);
});
