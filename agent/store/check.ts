import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type Database from "better-sqlite3";
import { StoreError } from "../errors.ts";

/** So much is looked through in a quarter of a second. */
const largeFrom = 64 * 1024 * 1024;

/** Looks through the database, unless it is large: then {@link checkMeanwhile} does. @throws StoreError where it is damaged. */
export function check(db: Database.Database, file: string): void {
  if (isLarge(file)) return;
  const verdict: unknown = db.pragma("quick_check(1)", { simple: true });
  if (verdict !== "ok") throw damaged(file, String(verdict));
}

export const damaged = (file: string, detail: string): StoreError =>
  new StoreError(`The database ${file} is damaged: ${detail}`, {
    hint: "stop here and restore it from a backup: locks are left as they are until then",
  });

const isLarge = (file: string): boolean => statSync(file).size >= largeFrom;

/** Runs in a thread, which has none of our modules. */
const look = `
  const { parentPort, workerData } = require("node:worker_threads");
  const Database = require(workerData.sqlite);
  const db = new Database(workerData.file, { readonly: true });
  parentPort.postMessage(String(db.pragma("quick_check(1)", { simple: true })));
  db.close();
`;

/**
 * Looks through a large database in a thread of its own: people who wait for an answer after a power cut do not wait for that.
 *
 * @param failed is told a StoreError where it is damaged.
 * @returns what ends it, and when it has ended.
 */
export function checkMeanwhile(
  file: string,
  failed: (error: unknown) => void,
  large = isLarge(file),
): { readonly end: () => void; readonly ended: Promise<void> } {
  if (!large) return { end: () => undefined, ended: Promise.resolve() };
  const sqlite = createRequire(import.meta.url).resolve("better-sqlite3");
  const worker = new Worker(look, { eval: true, workerData: { file, sqlite } });
  worker.unref();
  worker.on("message", (verdict: string) => {
    if (verdict !== "ok") failed(damaged(file, verdict));
  });
  worker.on("error", (cause) => failed(damaged(file, cause.message)));
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { end: () => void worker.terminate(), ended };
}
