import { pino, stdTimeFunctions } from "pino";
import { z } from "zod";
import type { Log } from "../drivers/driver.ts";
import { logLevels } from "./config/shape.ts";
import type { LogLevel } from "./config.ts";
import { faultOf } from "./fault.ts";

/** A log that can be narrowed down: to a link, to a lock. */
export interface AgentLog extends Log {
  /** The same log, with these fields on every line. */
  child(fields: object): AgentLog;
}

/**
 * Secrets are `Secret` and print as such; these names are the second net, for the string that slipped through: at the top
 * of a line and two levels down, which is as deep as what is logged.
 */
const secretNames = ["code", "pin", "pin_code", "digits", "bits", "password", "secret", "value"];
const redacted = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * One line per thing that happens: plain words for people at a terminal, JSON everywhere else.
 *
 * @param write takes a line with its line break, and writes it at once: the last words before a crash count most.
 */
export function createLog(level: LogLevel, people: boolean, write: (line: string) => void): AgentLog {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, censor: "[secret]" },
      serializers: { err: faultOf, error: faultOf, cause: faultOf },
    },
    { write: people ? (line: string) => write(plainLine(line)) : write },
  );
}

const record = z.looseObject({
  level: z.enum(logLevels),
  time: z.iso.datetime(),
  msg: z.string().default(""),
});
const fault = z.looseObject({ message: z.string(), hint: z.string().optional() });

/** `14:02:33 warning: no answer lock=front-door - timed out (wake the lock)`: local time, words, fields. */
function plainLine(json: string): string {
  const { level, time, msg, ...fields } = record.parse(JSON.parse(json));
  const clock = new Date(time).toTimeString().slice(0, 8);
  const words = Object.entries(fields).map(([name, value]) => fieldText(name, value));
  return `${[clock, ...labels[level], msg, ...words].join(" ")}\n`;
}

const labels = { trace: [], debug: [], info: [], warn: ["warning:"], error: ["error:"] } as const;

function fieldText(name: string, value: unknown): string {
  if (name === "err" || name === "error" || name === "cause") {
    const told = fault.safeParse(value);
    if (told.success) return `- ${oneLine(told.data.message)}${told.data.hint ? ` (${oneLine(told.data.hint)})` : ""}`;
  }
  if (typeof value !== "string") return `${name}=${JSON.stringify(value)}`;
  return /^[^\s"=]+$/.test(value) ? `${name}=${value}` : `${name}=${JSON.stringify(value)}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ");
