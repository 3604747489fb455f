import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { connectAsync } from "mqtt";

/**
 * What one writes who wants the same promise and does not collect: each message in a transaction of its own, on disk before it
 * is acknowledged, with the rows that latchd has of a grant: the grant, the journal's entry, the event and the reply to be told,
 * and the request that is not to be done twice.
 */
const [, , url = "", folder = ""] = process.argv;
const base = "access/gateway-1";
const db = new Database(join(folder, "grants.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE user_identities (user_identity_id TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE grants (row INTEGER PRIMARY KEY, user_identity_id TEXT NOT NULL, device_id TEXT NOT NULL, valid_from INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX grants_of_device ON grants (device_id, user_identity_id);
  CREATE TABLE journal (entry INTEGER PRIMARY KEY, number INTEGER UNIQUE, at INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, rank INTEGER NOT NULL, topic TEXT NOT NULL, payload TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE requests (request_id TEXT PRIMARY KEY, parameters TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`);
const known = db.prepare<[string], { body: string }>("SELECT body FROM requests WHERE request_id = ?");
const person = db.prepare(
  "INSERT INTO user_identities (user_identity_id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
);
const grant = db.prepare("INSERT INTO grants (user_identity_id, device_id, valid_from) VALUES (?, ?, ?)");
const event = db.prepare("INSERT INTO journal (number, at, type, body) VALUES (?, ?, ?, ?)");
const letter = db.prepare("INSERT INTO outbox (rank, topic, payload, at) VALUES (?, ?, ?, ?)");
const request = db.prepare("INSERT INTO requests (request_id, parameters, body, at) VALUES (?, ?, ?, ?)");
const told = db.prepare("DELETE FROM outbox WHERE id = ?");
const key = randomBytes(32);
const ok = JSON.stringify({ ok: true });
let number = 0;

const take = db.transaction((payload: string, id: string, identity: string, device: string): readonly number[] => {
  if (known.get(id)) return [];
  const now = Date.now();
  person.run(identity, now);
  grant.run(identity, device, now);
  number += 1;
  const fields = { user_identity_id: identity, device_id: device, credential_kind: null, evidence: null, reason: null };
  const body = {
    event_id: randomUUID(),
    number,
    event_type: "access.accepted",
    occurred_at: new Date(now).toISOString(),
  };
  const text = JSON.stringify({ ...body, ...fields });
  event.run(number, now, "access.accepted", text);
  request.run(id, createHmac("sha256", key).update(payload).digest("hex"), ok, now);
  const letters = [
    letter.run(0, `${base}/reply/${id}`, ok, now),
    letter.run(1, `${base}/event/access.accepted`, text, now),
  ];
  return letters.map(({ lastInsertRowid }) => Number(lastInsertRowid));
});
const waiting = db.prepare<[number], { topic: string; payload: string }>(
  "SELECT topic, payload FROM outbox WHERE id = ?",
);
const forget = db.transaction((ids: readonly number[]) => {
  for (const id of ids) told.run(id);
});

const client = await connectAsync(url, {
  clientId: "latchd-gateway-1",
  clean: false,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600, receiveMaximum: 1_000 },
});
if (client.stream instanceof Socket) client.stream.setNoDelay();
let acknowledged: number[] = [];
// What was told need not be forgotten at once: that is the one thing that is collected here, too.
const settle = (): void => {
  const ids = acknowledged;
  acknowledged = [];
  if (ids.length > 0) forget(ids);
};
// MQTT.js sends its PUBACK when this calls back: by then the message is on disk.
client.handleMessage = (packet, done) => {
  const payload = packet.payload.toString();
  const asked: { readonly request_id: string; readonly user_identity_id: string; readonly device_id: string } =
    JSON.parse(payload);
  for (const letterId of take(payload, asked.request_id, asked.user_identity_id, asked.device_id)) {
    const { topic, payload: text } = waiting.get(letterId) ?? { topic: "", payload: "" };
    client.publish(topic, text, { qos: 1 }, () => {
      acknowledged.push(letterId);
      if (acknowledged.length >= 200) settle();
    });
  }
  done();
};
await client.subscribeAsync(`${base}/command/#`, { qos: 1 });
process.send?.({ ready: true });
