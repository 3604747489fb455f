import { compactDecrypt, exportJWK, generateKeyPair } from "jose";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
import { later } from "../../agent/domain/instant.ts";
import { mqttIntake } from "../../agent/intake.ts";
import { ReplyEncryption } from "../../agent/mqtt/reply-encryption.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";
import { partsOn } from "../support/answering-agent.ts";
import { keypad, MemoryStore } from "../support/memory-store.ts";
import { caughtUp } from "../support/world.ts";

const topics = topicsOf("access", "gateway-1");
const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const { privateKey, publicKey } = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
const key = await exportJWK(publicKey);
const digits = "493017";

let desk: MemoryStore;
let said: unknown[];
beforeEach(() => {
  desk = new MemoryStore();
  desk.store.rounds.learn(deviceId("door-1"), keypad());
  said = [];
  return () => desk[Symbol.dispose]();
});

function send(name: string, parameters: object, codes: "never" | "clear" = "never"): void {
  const parts = partsOn(desk.store, { now: () => desk.now, catchUp: caughtUp });
  const payload = Buffer.from(JSON.stringify(parameters));
  const arrival = { topic: `access/gateway-1/command/${name}`, payload, retained: false };
  void mqttIntake(parts, topics, { codes, commands: ["*"] }).accept([arrival]);
}
/** What may be sent now. */
const ready = (): readonly string[] =>
  desk.store.outbox.next(new Set(), 100, { rank: "reply", after: 0 }).map(({ payload }) => payload);
const error = (fields: object, message: string): number => said.push({ fields, message });
async function encrypt(committed = (): void => {}): Promise<void> {
  const encryption = new ReplyEncryption(desk.store, {
    committed,
    failed: (cause) => said.push(cause),
    log: { ...log, error },
  });
  encryption.nudge();
  await encryption.close();
}
const shape = z.object({
  ok: z.literal(true),
  access_code: z.looseObject({ code: z.null(), code_jwe: z.string().optional() }),
});
const codeIn = (payload = ""): z.output<typeof shape>["access_code"] => shape.parse(JSON.parse(payload)).access_code;
const readIn = async (payload: string | undefined): Promise<string> => {
  const { plaintext } = await compactDecrypt(codeIn(payload).code_jwe ?? "", privateKey);
  return new TextDecoder().decode(plaintext);
};
const create = (more: object = {}): object => ({ request_id: "r-1", device_id: "door-1", code: digits, ...more });

test("a reply with codes waits, sealed, until they are encrypted; only who has the key reads them", async () => {
  send("access_codes/create", create({ reply_key: key }));
  expect(ready()).toEqual([]);
  expect(desk.store.outbox.next(new Set(), 100, { topic: "reply/r-1" })).toEqual([]);
  expect(desk.store.outbox.next(new Set(), 100).map(({ topic }) => topic)).not.toContain("reply/r-1");
  expect(desk.picture()).not.toContain(digits);
  let commits = 0;
  await encrypt(() => commits++);
  expect(commits).toBe(1);
  const [reply] = ready();
  expect(reply).not.toContain(digits);
  expect(await readIn(reply)).toBe(digits);
  expect(desk.picture()).not.toContain(digits);
  expect(said).toEqual([]);
});

test("what was sent meanwhile does not hide it from who sends", async () => {
  send("access_codes/create", create({ reply_key: key }));
  send("devices/list", { request_id: "r-2" });
  const [other] = desk.store.outbox.next(new Set(), 100, { rank: "reply", after: 0 });
  await encrypt();
  const after = other?.id ?? 0;
  const [reply] = desk.store.outbox.next(new Set(), 100, { rank: "reply", after });
  expect(reply?.topic).toBe("reply/r-1");
  expect(reply?.id).toBeGreaterThan(after);
  // Nor is its place given to another, which would be passed over.
  desk.store.outbox.delivered([reply?.id ?? 0]);
  send("devices/list", { request_id: "r-3" });
  expect(desk.store.outbox.next(new Set(), 100, { rank: "reply", after: reply?.id ?? 0 })).toHaveLength(1);
});

test("it is there after a restart, and a repeated command is answered anew, nothing done twice", async () => {
  send("access_codes/create", create({ reply_key: key }));
  desk.now = later(desk.now, 30 * 60_000);
  desk.reopened([deviceId("door-1")]).prune();
  await encrypt();
  expect(ready()).toHaveLength(1);
  send("access_codes/create", create({ reply_key: key }));
  await encrypt();
  const [first, second] = ready();
  expect(await readIn(second)).toBe(digits);
  expect(codeIn(second)["access_code_id"]).toBe(codeIn(first)["access_code_id"]);
  expect(first).not.toBe(second);
});

test("who repeats it without the key, or with another, is not told", async () => {
  send("access_codes/create", create({ reply_key: key }));
  await encrypt();
  const { publicKey: other } = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
  send("access_codes/create", create());
  send("access_codes/create", create({ reply_key: await exportJWK(other) }));
  await encrypt();
  const refused = ready().slice(1);
  expect(refused).toHaveLength(2);
  for (const reply of refused) expect(reply).toContain("request_id_conflict");
});

test("a key is used where codes might be told in clear, too; who gives none gets no codes", async () => {
  send("access_codes/create", create({ reply_key: key }), "clear");
  await encrypt();
  expect(await readIn(ready()[0])).toBe(digits);
  send("access_codes/list", { request_id: "r-2" });
  expect(ready()[1]).toContain('"code":null');
  expect(ready()[1]).not.toContain("code_jwe");
});

test("a bad key is refused by name, and nothing is done", () => {
  const before = desk.picture(["outbox", "sqlite_sequence"]);
  send("access_codes/create", create({ reply_key: { ...key, crv: "P-521" } }));
  expect(JSON.parse(ready()[0] ?? "")).toMatchObject({
    ok: false,
    error: { type: "invalid_input", validation_errors: { reply_key: expect.anything() } },
  });
  expect(desk.picture(["outbox", "sqlite_sequence"])).toBe(before);
});

test("where a reply cannot be encrypted its reader is answered, without codes", async () => {
  const body = JSON.stringify({ ok: true, access_code: { code: digits } });
  const replyKey = { kty: "OKP", crv: "X25519", x: "A".repeat(43) } as const;
  desk.store.transaction(() =>
    desk.store.outbox.put({ rank: "reply", topic: "reply/r-1", payload: body, replyKey }, desk.now),
  );
  await encrypt();
  expect(ready()).toEqual([JSON.stringify({ ok: true, access_code: { code: null, code_jwe: null } })]);
  expect(said).toMatchObject([{ fields: { topic: "reply/r-1" } }]);
  expect(JSON.stringify(said)).not.toContain(digits);
});
