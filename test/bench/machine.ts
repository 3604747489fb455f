import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { median, percentile } from "./statistics.ts";

/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly node: string;
  /** The file system of the data directories, and where that lies. */
  readonly disk: string;
  readonly isDisk: boolean;
  /** Milliseconds to write 4 KiB and to have them on disk. */
  readonly fsync: { readonly p50: number; readonly p99: number };
}

/** @param folder where the data directories lie. */
export function machineOf(folder: string): Machine {
  const mount = mountOf(realpathSync(folder), readFileSync("/proc/mounts", "utf8"));
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    disk: `${mount.type} on ${mount.device}`,
    isDisk: !inMemory.has(mount.type),
    fsync: fsyncTime(folder),
  };
}

const inMemory: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "devtmpfs"]);

/**
 * The file system that a path is on.
 *
 * @param mounts as in `/proc/mounts` (proc(5)): of those above the path the longest counts, and of two the later.
 */
export function mountOf(path: string, mounts: string): { readonly device: string; readonly type: string } {
  let found = { device: "unknown", type: "unknown", point: "" };
  for (const line of mounts.split("\n")) {
    const [device = "", point = "", type = ""] = line.split(" ");
    const isAbove = point !== "" && (path === point || path.startsWith(point === "/" ? "/" : `${point}/`));
    if (isAbove && point.length >= found.point.length) found = { device, type, point };
  }
  return { device: found.device, type: found.type };
}

function fsyncTime(folder: string): Machine["fsync"] {
  const file = join(folder, "fsync");
  const handle = openSync(file, "w");
  const took: number[] = [];
  for (let time = 0; time < 100; time++) {
    const before = performance.now();
    writeSync(handle, Buffer.alloc(4_096));
    fsyncSync(handle);
    took.push(performance.now() - before);
  }
  closeSync(handle);
  rmSync(file);
  return { p50: Number(median(took).toFixed(3)), p99: Number(percentile(took, 99).toFixed(3)) };
}
