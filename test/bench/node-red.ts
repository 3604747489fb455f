import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Database from "better-sqlite3";
import { packageRoot } from "../../agent/package.ts";
import { freePort } from "../support/broker.ts";
import { Child } from "./child.ts";
import { install } from "./install.ts";

const home = join(packageRoot(), "test/bench/node-red");
const program = join(home, "node_modules/node-red/red.js");
/**
 * Installs Node-RED where it is not yet; its SQLite is compiled where no built one can be had, which takes minutes.
 *
 * @returns why it cannot be had; undefined where it is there.
 */
export const installNodeRed = (context: Parameters<typeof install>[3]): Promise<string | undefined> =>
  install("Node-RED", "test/bench/node-red", isThere, context);

function isThere(): boolean {
  if (!existsSync(program)) return false;
  try {
    createRequire(program)("sqlite3");
    return true;
  } catch {
    return false;
  }
}

/** Node-RED with the flow that keeps what is granted and replies: mqtt in, sqlite, mqtt out. */
export async function startNodeRed(folder: string, brokerUrl: string): Promise<Child> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "grants.db");
  // As its users make it: SQLite's own defaults, which have every statement on disk when it is done.
  const db = new Database(file);
  db.exec("CREATE TABLE grants (request_id TEXT PRIMARY KEY, user_identity_id TEXT, device_id TEXT, at INTEGER)");
  db.close();
  writeFileSync(join(folder, "flows.json"), JSON.stringify(flows(new URL(brokerUrl), file)));
  // Whatever package.json says of the folders above.
  const settingsFile = join(folder, "settings.cjs");
  writeFileSync(settingsFile, `module.exports = ${JSON.stringify(await settings())};\n`);
  return new Child([program, "--userDir", folder, "--settings", settingsFile, "flows.json"], { cwd: folder });
}

const settings = async (): Promise<object> => ({
  flowFile: "flows.json",
  httpAdminRoot: false,
  httpNodeRoot: false,
  uiHost: "127.0.0.1",
  uiPort: await freePort(),
  credentialSecret: false,
  telemetry: { enabled: false },
  logging: { console: { level: "warn" } },
});

const flows = ({ hostname, port }: URL, file: string): readonly object[] => [
  { id: "flow", type: "tab", label: "grants" },
  {
    id: "broker",
    type: "mqtt-broker",
    broker: hostname,
    port,
    clientid: "latchd-gateway-1",
    autoConnect: true,
    protocolVersion: "4",
    keepalive: "60",
    cleansession: true,
  },
  { id: "db", type: "sqlitedb", db: file, mode: "RWC" },
  {
    id: "in",
    type: "mqtt in",
    z: "flow",
    topic: "access/gateway-1/command/#",
    qos: "1",
    datatype: "json",
    broker: "broker",
    inputs: 0,
    wires: [["parameters"]],
  },
  {
    id: "parameters",
    type: "function",
    z: "flow",
    func: `const { request_id, user_identity_id, device_id } = msg.payload;
msg.request_id = request_id;
msg.params = { $id: request_id, $person: user_identity_id, $device: device_id, $at: Date.now() };
return msg;`,
    outputs: 1,
    wires: [["keep"]],
  },
  {
    id: "keep",
    type: "sqlite",
    z: "flow",
    mydb: "db",
    sqlquery: "prepared",
    sql: "INSERT INTO grants VALUES ($id, $person, $device, $at)",
    wires: [["answer"]],
  },
  {
    id: "answer",
    type: "function",
    z: "flow",
    func: `return { topic: "access/gateway-1/reply/" + msg.request_id, payload: { ok: true } };`,
    outputs: 1,
    wires: [["out"]],
  },
  { id: "out", type: "mqtt out", z: "flow", topic: "", qos: "1", retain: "false", broker: "broker", wires: [] },
];
