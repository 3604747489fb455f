import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compactDecrypt, exportJWK, type GenerateKeyPairResult, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { brokerSkipReason } from "../support/broker.ts";
import { client } from "./mqtt-support.ts";
import { AgentProcess, type AnyReply } from "./support/agent-process.ts";
import { Cloud, grantCommand } from "./support/cloud.ts";
import { embedded, frontDoor, person, remote } from "./support/doors.ts";
import { formsOf } from "./support/forms.ts";
import { Mosquitto } from "./support/mosquitto.ts";

const lock = { lengths: [9], slots: 20 };
const more = { pins: { length: 9 }, log: { level: "trace" } };
const pair = { user_identity_id: person, device_id: frontDoor };
const chosen = "417062385";

/** All that is published, what stands there for who comes later, too. */
async function wiretap(url: string): Promise<readonly string[]> {
  const heard: string[] = [];
  const listener = await client(url);
  listener.on("message", (topic, payload) => heard.push(`${topic} ${payload.toString("latin1")}`));
  await listener.subscribeAsync("#", { qos: 1 });
  return heard;
}

const own = async (): Promise<{ config: object; url: string }> => embedded(lock, more);
const another = async (): Promise<{ config: object; url: string }> => {
  const { url } = await Mosquitto.start();
  return { config: remote(url, lock, more), url };
};
const jwe = z.looseObject({ code: z.null(), code_jwe: z.string() });
async function read(reply: AnyReply, { privateKey }: GenerateKeyPairResult): Promise<readonly string[]> {
  const found = [reply["access_code"] ?? reply["access_codes"] ?? reply["credentials"]].flat();
  const opened = z.array(jwe).parse(found);
  const texts = opened.map(async ({ code_jwe: text }) => (await compactDecrypt(text, privateKey)).plaintext);
  return (await Promise.all(texts)).map((bytes) => new TextDecoder().decode(bytes));
}

describe("codes are told over MQTT to who gave a key, and to nobody else", () => {
  test.for([
    ["the broker of our own", "P-256", own, undefined],
    ["another broker", "P-256", another, brokerSkipReason("mosquitto")],
    ["another broker", "X25519", another, brokerSkipReason("mosquitto")],
  ] as const)("with %s and a key on %s", async ([_, crv, setUp, isLeftOut], { skip }) => {
    skip(isLeftOut !== undefined, isLeftOut);
    const { config, url } = await setUp();
    const agent = await new AgentProcess(config).start();
    const heard = await wiretap(url);
    const cloud = await (await Cloud.connect(url)).online();
    const pairOfKeys = await generateKeyPair("ECDH-ES", { crv, extractable: true });
    const key = await exportJWK(pairOfKeys.publicKey);

    await cloud.command(grantCommand, pair);
    await cloud.event("access.live", pair);
    const issued = await read(
      await cloud.command("credentials/get", { user_identity_id: person, reply_key: key }),
      pairOfKeys,
    );
    expect(issued).toEqual([...agent.codes("front-door").values()].map(({ value }) => value));

    // What the caller chooses is in the command; what is issued is in no message at all.
    const made = await cloud.command("access_codes/create", { device_id: frontDoor, reply_key: key }, "make-1");
    expect(made).toMatchObject({ ok: true, access_code: { code: null } });
    const id = z.looseObject({ access_code_id: z.string() }).parse(made["access_code"]).access_code_id;
    await cloud.event("access.live", { user_identity_id: `access_code:${id}` });
    const get = { access_code_id: id, reply_key: key };
    const [code = ""] = await read(await cloud.command("access_codes/get", get, "get-1"), pairOfKeys);
    expect(code).toMatch(/^\d{9}$/);
    expect(await read(await cloud.command("access_codes/get", get, "get-1"), pairOfKeys)).toEqual([code]);
    const all = await read(await cloud.command("access_codes/list", { reply_key: key }), pairOfKeys);
    expect(all.toSorted()).toEqual([...issued, code].toSorted());

    const without = await cloud.command("access_codes/get", { access_code_id: id });
    expect(without).toMatchObject({ ok: true, access_code: { code: null } });
    expect(JSON.stringify(without)).not.toContain("code_jwe");
    for (const bad of ["x", { ...key, crv: "P-521" }, await exportJWK(pairOfKeys.privateKey)]) {
      expect(await cloud.command("access_codes/get", { access_code_id: id, reply_key: bad })).toMatchObject({
        error: { type: "invalid_input", message: expect.stringContaining("reply_key") },
      });
    }

    await agent.kill("SIGTERM");
    const pins = [...issued, code];
    const said = [
      ...heard,
      agent.stdout,
      agent.stderr,
      ...[...agent.files().values()].map((file) => file.toString("latin1")),
    ];
    const leaks = pins.flatMap((pin) =>
      [...formsOf(pin)].flatMap(([form, text]) => said.filter((each) => each.includes(text)).map(() => form)),
    );
    expect(heard.length).toBeGreaterThan(10);
    expect(leaks).toEqual([]);
  });
});

// Over a broker that stays, and with it whoever waits for the reply.
test.skipIf(brokerSkipReason("mosquitto"))(
  "a reply that the power cut short is encrypted and sent when it is back",
  async () => {
    const { config, url } = await another();
    const stopped = `
    import { CompactEncrypt } from ${JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve("jose")))};
    CompactEncrypt.prototype.encrypt = () => new Promise(() => {});
  `;
    const agent = await new AgentProcess(config, stopped).start();
    const cloud = await (await Cloud.connect(url)).online();
    const { privateKey, publicKey } = await generateKeyPair("ECDH-ES", { crv: "X25519", extractable: true });
    const command = { request_id: "make-1", device_id: frontDoor, code: chosen, reply_key: await exportJWK(publicKey) };
    await cloud.publish("access_codes/create", JSON.stringify(command));
    await cloud.event("access_code.set_on_device");
    expect(cloud.replies.has("make-1")).toBe(false);
    await agent.kill("SIGKILL");
    writeFileSync(join(agent.folder, "preload.mjs"), "");
    await agent.start();
    const reply = await cloud.reply("make-1");
    const { code_jwe: text } = jwe.parse(reply["access_code"]);
    expect(new TextDecoder().decode((await compactDecrypt(text, privateKey)).plaintext)).toBe(chosen);
    expect(cloud.topics.filter((topic) => topic === "reply/make-1")).toHaveLength(1);
  },
);
