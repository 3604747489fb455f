import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Driver } from "../drivers/driver.ts";
import { type Broker, type ReadFile, resolveBroker } from "./config/broker.ts";
import { embeddedDefaults } from "./config/defaults.ts";
import { type DeviceConfig, deviceOf } from "./config/device.ts";
import { parseFile, reasonOf, unusable } from "./config/file.ts";
import { type Http, resolveHttp } from "./config/http.ts";
import { resolveLinks } from "./config/links.ts";
import { type Problem, problemsOf } from "./config/problems.ts";
import { referenceProblems } from "./config/references.ts";
import { type FileShape, fileShape, type logLevels } from "./config/shape.ts";
import type { Milliseconds } from "./domain/instant.ts";

/** What the configuration means: checked, defaults filled in, paths absolute, secrets read. */
export interface Config {
  readonly agentId: string;
  readonly prefix: string;
  readonly dataDir: string;
  /** The file of the key that seals secrets at rest. */
  readonly keyFile: string;
  readonly log: { readonly level: LogLevel };
  readonly broker: Broker;
  readonly mqtt: { readonly codes: "never" | "clear"; readonly commands: readonly string[] };
  /** Undefined where there is no HTTP door. */
  readonly http: Http | undefined;
  readonly pins: { readonly issue: boolean; readonly length: number };
  readonly debt: { readonly overdueAfterMinutes: number };
  /** Of events that wait for the broker. */
  readonly events: { readonly rows: number; readonly days: number };
  readonly clock: {
    readonly trust: "auto" | "system";
    /** `host` or `host:port`. */
    readonly check: string | undefined;
    /** 0 to 1. */
    readonly maxMassExpiry: number;
  };
  /** How long after it was said a command to a bolt may be sent to the lock. */
  readonly unlockGoodFor: Milliseconds;
  readonly links: ReadonlyMap<string, LinkConfig>;
  readonly devices: readonly DeviceConfig[];
}
export type LogLevel = (typeof logLevels)[number];

/** One wire: the driver's name, and its options as that driver's own schema gave them back. */
interface LinkConfig {
  readonly driver: string;
  readonly options: unknown;
}

/** What a configuration may name. */
export interface Known {
  readonly drivers: Readonly<Record<string, () => Promise<Driver>>>;
  /** Every `group/verb` that may come over MQTT. */
  readonly commands: readonly string[];
}

const configuration = {
  is: "the configuration",
  hint: "name another file, or start without one for an embedded broker and three simulated locks",
};

/**
 * The configuration in a file. Rejects with a {@link ConfigError} that lists all that is wrong with it, a line each:
 * where, what, and what would be right.
 */
export async function loadConfig(file: string, known: Known): Promise<Config> {
  return readConfig(parseFile(file, configuration), file, known);
}

/** What runs where no file is named: embedded broker, three simulated locks. */
export async function defaultConfig(dataDir: string, known: Known): Promise<Config> {
  const { data_dir: _, ...defaults } = embeddedDefaults;
  return readConfig({ ...defaults, data_dir: resolve(dataDir) }, "built in", known);
}

/** The data directory of the agent that a file configures: all that a client of the local door needs to know of it. */
export function dataDirOf(file: string): string {
  const shape = z.object({ data_dir: fileShape.shape.data_dir });
  const raw = parseFile(file, configuration);
  const parsed = shape.safeParse(raw);
  if (!parsed.success) throw unusable(file, configuration, problemsOf(shape, raw));
  return resolve(dirname(file), parsed.data.data_dir);
}

/** Where an agent is talked to on its own machine. */
export const localDoorPath = (dataDir: string): string => join(dataDir, "latchd.sock");

async function readConfig(raw: unknown, file: string, known: Known): Promise<Config> {
  const folder = dirname(resolve(file));
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const readFor =
    (section: string): ReadFile =>
    (option, path) => {
      try {
        return readFileSync(resolve(folder, path), "utf8");
      } catch (cause) {
        report({ path: [section, option], text: `cannot read ${resolve(folder, path)}: ${reasonOf(cause)}` });
        return undefined;
      }
    };
  const shape = fileShape.safeParse(raw);
  if (!shape.success) problems.push(...problemsOf(fileShape, raw));
  problems.push(...referenceProblems(raw, known.commands));
  const links = await resolveLinks(raw, folder, known.drivers, report);
  const brokerShape = z.object({ broker: fileShape.shape.broker }).safeParse(raw);
  const broker = brokerShape.success ? resolveBroker(brokerShape.data.broker, readFor("broker"), report) : undefined;
  const httpShape = z.object({ http: fileShape.shape.http }).safeParse(raw);
  const http = httpShape.success ? resolveHttp(httpShape.data.http, readFor("http"), report) : undefined;
  if (!shape.success || !broker || problems.length > 0) throw unusable(file, configuration, problems);
  return { ...settingsOf(shape.data, folder), broker, http, links };
}

function settingsOf(shape: FileShape, folder: string): Omit<Config, "broker" | "http" | "links"> {
  const dataDir = resolve(folder, shape.data_dir);
  return {
    agentId: shape.agent_id ?? "gateway-1",
    prefix: shape.prefix,
    dataDir,
    keyFile: shape.key_file === undefined ? join(dataDir, "key") : resolve(folder, shape.key_file),
    log: shape.log,
    mqtt: shape.mqtt,
    pins: shape.pins,
    clock: {
      trust: shape.clock.trust,
      check: shape.clock.check,
      maxMassExpiry: shape.clock.max_mass_expiry,
    },
    events: shape.events,
    unlockGoodFor: shape.unlock.deadline_seconds * 1_000,
    debt: { overdueAfterMinutes: shape.debt.overdue_after_minutes },
    devices: shape.devices.map(deviceOf),
  };
}
