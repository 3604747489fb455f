import { z } from "zod";
import { doorRules } from "../domain/door-rule.ts";
import { isTimeZone } from "../domain/time-zone.ts";
import { didYouMean } from "./nearest.ts";

// One level of an MQTT topic (MQTT 5, 4.7): no wildcards and no level separator; nor control characters, which brokers may refuse.
const level = /^[^+#/\p{Cc}\p{Cs}]+$/u;
const levels = /^[^$+#\p{Cc}\p{Cs}][^+#\p{Cc}\p{Cs}]*$/u;

const topicLevel = z
  .string()
  .max(128)
  .regex(level, "must be 1-128 characters, as it is part of a topic: no + # / or line breaks");
const name = z.string().min(1).max(128);
const file = z.string().regex(/^[^\0]+$/, "must be the path of a file");
const link = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "a link's name must be 1-64 letters, digits, _ or -");

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

const brokerUrl = z
  .string()
  .min(1)
  .describe('"embedded" for the broker that latchd brings along, or mqtt://host:port, or mqtts://host:port for TLS');

const broker = z.strictObject({
  url: brokerUrl,
  host: z
    .string()
    .min(1)
    .optional()
    .describe("Embedded broker only: a loopback address to listen on; 127.0.0.1 if left out"),
  port: z.int().min(0).max(65_535).optional().describe("Embedded broker only: 1883 if left out; 0 takes any free port"),
  protocol: z.enum(["auto", "5", "3.1.1"]).default("auto").describe("MQTT version; auto tries 5 first"),
  username: name.optional(),
  password_file: file.optional().describe("A file that holds the password and nothing else"),
  ca_file: file.optional().describe("mqtts only: certificates (PEM) to trust instead of the system's"),
  cert_file: file.optional().describe("mqtts only: the certificate (PEM) that latchd shows to the broker"),
  key_file: file.optional().describe("mqtts only: the private key (PEM) of cert_file"),
});

const http = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("The address to listen on"),
  port: z.int().min(0).max(65_535).default(8420).describe("0 takes any free port"),
  tls: z.boolean().default(false).describe("HTTPS, and nothing else: needs cert_file and key_file"),
  cert_file: file.optional().describe("tls only: the certificate (PEM), with those between it and its root"),
  key_file: file.optional().describe("tls only: the private key (PEM) of cert_file"),
  unencrypted_beyond_this_machine: z
    .boolean()
    .default(false)
    .describe("Listen beyond loopback without tls: whoever is on the network can read keys. Codes are not told there"),
});

const place = z
  .strictObject({
    link: z.string().describe("A name under links"),
    address: z.string().min(1).max(256).describe("What the driver calls this lock on that link"),
  })
  .describe("A lock: the link it is on, and its address there");

const timeZones = (): string[] => ["UTC", ...Intl.supportedValuesOf("timeZone")];

export const doormanShape = z
  .strictObject({
    rule: z.enum(doorRules).default("pin_or_card").describe("What opens the door"),
    pin_length: z
      .int()
      .min(4)
      .max(12)
      .optional()
      .describe("All PINs have so many digits, and the last one enters them; if left out, # does"),
    lock_out: z
      .strictObject({
        count: z.int().min(1).max(100).default(5),
        seconds: z.int().min(1).max(3_600).default(60),
      })
      .prefault({})
      .describe("After so many wrong codes in a row no code is taken at that reader for so long"),
  })
  .describe(
    "Its reader remembers nothing and asks: latchd decides who may pass. Implied by parts with a reader and no memory",
  );

const device = z
  .strictObject({
    device_id: topicLevel.describe("The name that the cloud uses, usually a UUID"),
    was: z
      .union([topicLevel, z.array(topicLevel)])
      .default([])
      .describe("Names that device_id had before: what is kept under them goes over to this device"),
    name: name.describe("What people call this door"),
    time_zone: z
      .string()
      .refine(isTimeZone, {
        error: ({ input }) => `no time zone is called "${String(input)}"${didYouMean(String(input), timeZones())}`,
      })
      .describe("IANA name, such as Europe/Zurich"),
    lead_seconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(0)
      .describe("How long before a window its codes begin to be placed, so that they are there when it opens"),
    writes_per_day: z
      .int()
      .min(1)
      .default(50)
      .describe("More writes on an average day wear the lock out: grants that need more are accepted with a warning"),
    audit_reads_per_day: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe(
        "How often its lock is read only to see whether all is as it should be; usual are 24 on a battery, else 1440",
      ),
    at: place.optional(),
    parts: z
      .strictObject({ memory: place.optional(), reader: place.optional(), bolt: place.optional() })
      .refine((parts) => Object.keys(parts).length > 0, "needs a memory, a reader or a bolt")
      .optional()
      .describe("Instead of at, where a door's memory, reader and bolt are different pieces of hardware"),
    doorman: doormanShape.optional(),
  })
  .refine(({ doorman: asks, parts }) => asks === undefined || parts === undefined || isAsked(parts), {
    path: ["doorman"],
    error: "needs a reader, and no memory, which would decide by itself",
  })
  .refine(({ at, parts }) => (at === undefined) !== (parts === undefined), {
    error: 'needs either "at" (a lock in one piece) or "parts" (a lock in several)',
  });

/** Whether the door's reader has to be told who may pass. */
export const isAsked = ({ memory, reader }: { readonly memory?: unknown; readonly reader?: unknown }): boolean =>
  reader !== undefined && memory === undefined;

/** The configuration file. Links are checked against their drivers' own options beside this. */
export const fileShape = z.strictObject({
  $schema: z.string().optional().describe("For editors; latchd does not read it"),
  agent_id: topicLevel.optional().describe("Names this gateway on the broker; gateway-1 with the embedded broker"),
  prefix: z
    .string()
    .max(256)
    .regex(levels, "must be 1-256 characters that a topic may begin with: no + # or line breaks, no $ in front")
    .default("access")
    .describe("What every topic begins with"),
  data_dir: file.default("./data").describe("Where latchd keeps its database; relative to this file"),
  key_file: file.optional().describe("The key that seals codes at rest; <data_dir>/key if left out"),
  log: z.strictObject({ level: z.enum(logLevels).default("info") }).prefault({}),
  broker: z.union([brokerUrl, broker]).default("embedded"),
  mqtt: z
    .strictObject({
      codes: z
        .enum(["never", "clear"])
        .default("never")
        .describe("clear: replies over MQTT may show codes to who reads them"),
      commands: z.array(z.string()).default(["*"]).describe('Commands taken from MQTT: "group/verb", "group/*" or "*"'),
    })
    .prefault({}),
  http: z
    .union([z.literal("off"), http])
    .prefault({})
    .describe('Commands over HTTP, for who has a key; "off" for none'),
  pins: z
    .strictObject({
      issue: z.boolean().default(true).describe("Whether latchd makes a PIN for who has none"),
      length: z.int().min(4).max(12).default(6).describe("Digits of an issued PIN, where the lock takes it"),
    })
    .prefault({}),
  debt: z
    .strictObject({
      overdue_after_minutes: z
        .int()
        .min(1)
        .max(10_080)
        .default(15)
        .describe("When a code that is to be taken away, and is not proven gone, is an event"),
    })
    .prefault({}),
  clock: z
    .strictObject({
      trust: z
        .enum(["auto", "system"])
        .default("auto")
        .describe(
          "auto: believed where timesyncd or chrony says that it is set, or neither is there; system: without asking",
        ),
      check: z
        .string()
        .regex(/^[^\s]+$/, "must be host or host:port")
        .optional()
        .describe("An SNTP server that says whether the clock is right after it was set: host or host:port"),
      max_mass_expiry: z
        .number()
        .min(0)
        .max(1)
        .default(0.2)
        .describe(
          "The share of a device's codes that may end at once when the agent was away: more wait for a confirmation",
        ),
    })
    .prefault({})
    .describe("When this machine's clock is believed: windows open and close only then"),
  unlock: z
    .strictObject({
      deadline_seconds: z
        .int()
        .min(1)
        .max(60)
        .default(10)
        .describe("How long after it was said a command to lock or unlock a door may be sent to the lock"),
    })
    .prefault({}),
  events: z
    .strictObject({
      rows: z.int().min(100).default(100_000).describe("How many events may wait for the broker"),
      days: z.int().min(1).default(30).describe("How long an event may wait for the broker"),
    })
    .prefault({})
    .describe("What is over it is lost to the broker, oldest first, and an event events_lost says so"),
  links: z
    .record(link, z.looseObject({ driver: z.string() }))
    .default({})
    .describe("The wires to the locks: for each a driver, and that driver's options"),
  devices: z.array(device).default([]).describe("The doors, as the cloud names them"),
});
export type FileShape = z.output<typeof fileShape>;
export type HttpShape = FileShape["http"];
export type BrokerShape = z.output<typeof broker>;
export type DeviceShape = FileShape["devices"][number];
export type PlaceShape = z.output<typeof place>;
