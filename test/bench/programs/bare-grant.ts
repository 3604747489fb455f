import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { connectAsync } from "mqtt";

/**
 * The least that can be done for a grant where nothing may be lost: a row is on disk before the lock is written to, and one
 * before the cloud is told. It decides nothing, makes no PIN, keeps no journal, and its lock is a timer.
 */
const [, , url = "", folder = "", ms = "20"] = process.argv;
const base = "access/gateway-1";
const db = new Database(join(folder, "grants.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE grants (row INTEGER PRIMARY KEY, command TEXT NOT NULL, state TEXT NOT NULL) STRICT");
const write = db.prepare("INSERT INTO grants (command, state) VALUES (?, ?)");
const client = await connectAsync(url, { protocolVersion: 5 });
if (client.stream instanceof Socket) client.stream.setNoDelay();

async function grant(command: string): Promise<void> {
  const asked: { readonly request_id: string; readonly user_identity_id: string; readonly device_id: string } =
    JSON.parse(command);
  const { request_id: id, ...pair } = asked;
  write.run(command, "accepted");
  client.publish(`${base}/reply/${id}`, JSON.stringify({ ok: true }), { qos: 1 });
  await pause(Number(ms));
  write.run(command, "live");
  client.publish(`${base}/event/access.live`, JSON.stringify(pair), { qos: 1 });
}
client.on("message", (_topic, payload) => void grant(payload.toString("utf8")));
await client.subscribeAsync(`${base}/command/#`, { qos: 1 });
process.send?.({ ready: true });
