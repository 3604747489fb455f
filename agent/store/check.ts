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

/** Whether SQLite says by this code that the file is not what it wrote. */
export const isDamage = (code: string): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(code);

/** Runs in a thread, which has none of our modules. */
const look = `
  const { parentPort, workerData } = require("node:worker_threads");
  const Database = require(workerData.sqlite);
  const looked = () => {
    const db = new Database(workerData.file, { readonly: true });
    try {
      return { verdict: String(db.pragma("quick_check(1)", { simple: true })) };
    } finally {
      db.close();
    }
  };
  try {
    parentPort.postMessage(looked());
  } catch ({ code = "", message }) {
    parentPort.postMessage({ code, verdict: message });
  }
`;

/** What is told of a database that was looked through meanwhile; nothing where it is whole. */
export interface Looked {
  /** It is damaged: a StoreError. */
  failed(error: unknown): void;
  /** It could not be looked through, for this reason, which may have nothing to do with it: whether it is whole nobody knows. */
  unknown(reason: string): void;
}

/**
 * Looks through a large database in a thread of its own: people who wait for an answer after a power cut do not wait for that.
 *
 * @returns what ends it, and when it has ended.
 */
export function checkMeanwhile(
  file: string,
  told: Looked,
  large = isLarge(file),
): { readonly end: () => void; readonly ended: Promise<void> } {
  if (!large) return { end: () => undefined, ended: Promise.resolve() };
  const sqlite = createRequire(import.meta.url).resolve("better-sqlite3");
  const worker = new Worker(look, { eval: true, workerData: { file, sqlite } });
  worker.unref();
  worker.on("message", ({ code, verdict }: { readonly code?: string; readonly verdict: string }) => {
    if (code !== undefined && !isDamage(code)) told.unknown(verdict);
    else if (verdict !== "ok") told.failed(damaged(file, verdict));
  });
  worker.on("error", (cause) => told.unknown(cause.message));
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { end: () => void worker.terminate(), ended };
}
