import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { isLong } from "../support/long.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { type AskedOfLock, socatSkipReason, ZwaveFarEnd, zwaveLocks } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, embedded } from "./support/doors.ts";
import { formsOf } from "./support/forms.ts";
import { type AnyReceipt, receiptsOf } from "./support/receipts.ts";

const deviceOf = (lock: string): string => `door-${lock}`;
const pairAt = (lock: string, identity = "anna") => ({ user_identity_id: identity, device_id: deviceOf(lock) });

/** Waits until the receipt of a pair says so. */
async function receiptSays(agent: AgentProcess, pair: ReturnType<typeof pairAt>, ...states: string[]) {
  let said: readonly AnyReceipt[] = [];
  // The pair's state is that of the worst of its credentials, among them what was refused and may yet come late.
  const find = () =>
    said
      .filter(({ user_identity_id: identity }) => identity === pair.user_identity_id)
      .flatMap(({ credentials }) => credentials)
      .find(({ state }) => states.includes(state));
  try {
    await until(
      "it",
      async () => {
        said = await receiptsOf(agent, pair.device_id);
        return find() !== undefined;
      },
      // A lock that was silent three times, as one may seem to be where the machine has much other work, waits a minute.
      100_000,
    );
  } catch {
    throw new Error(`no receipt at ${pair.device_id} says ${states.join(" or ")}: ${JSON.stringify(said)}`);
  }
  return find();
}

describe.skipIf(socatSkipReason())("over a serial device", () => {
  const { userCode1, userCode2, userCredential } = zwaveLocks;
  const locks = [userCode1, userCode2, userCredential];
  /** Slot 1, from long before us. */
  const owners = "73910428";

  let house: ZwaveHouse;
  beforeAll(async () => {
    house = await ZwaveHouse.open(locks);
  });
  afterAll(() => house[Symbol.asyncDispose]());
  beforeEach(async () => {
    await house.far.plug();
    for (const lock of locks) await house.far.act(lock, { act: "forget" });
  });

  async function agentAt(far: ZwaveFarEnd, link: object = {}): Promise<{ agent: AgentProcess; url: string }> {
    const { config, url } = await embedded(
      {},
      {
        log: { level: "trace" },
        pins: { length: 8 },
        links: { zwave: { driver: "zwave", port: far.device, timeout_ms: 500, ...link } },
        devices: locks.map((lock) => door(deviceOf(lock), lock, "zwave")),
      },
    );
    return { agent: new AgentProcess(config), url };
  }

  /** An agent whose zwave-js knows the locks already. */
  async function acquainted(): Promise<AgentProcess> {
    const { agent } = await agentAt(house.far);
    cpSync(house.known, join(agent.dataDir, "links", "zwave", "zwave-js"), { recursive: true });
    await agent.start();
    for (const lock of locks) await until(`lock ${lock} is online`, () => isOnline(agent, lock), 100_000);
    return agent;
  }

  const deviceList = z.object({
    devices: z.array(z.looseObject({ device_id: z.string(), properties: z.looseObject({ online: z.boolean() }) })),
  });
  async function isOnline(agent: AgentProcess, lock: string): Promise<boolean> {
    const { devices } = deviceList.parse(await agent.ask("devices/list"));
    return devices.some(({ device_id: id, properties }) => id === deviceOf(lock) && properties.online);
  }

  const codeAt = async (far: ZwaveFarEnd, lock: string): Promise<string[]> =>
    Object.entries((await far.look(lock)).codes).flatMap(([slot, code]) =>
      slot === "1" && code === owners ? [] : [code],
    );

  test("the whole line over a serial port: live with its evidence, used at the keypad, over a kill, gone; no code but on the lock", async () => {
    await using far = await new ZwaveFarEnd().start();
    for (const lock of locks) await far.act(lock, { act: "program", slot: 1, digits: owners });
    const { agent, url } = await agentAt(far);
    await agent.start();
    const cloud = await (await Cloud.connect(url)).online();
    for (const lock of locks) await cloud.command(grantCommand, pairAt(lock));
    for (const lock of locks) {
      const { evidence } = await cloud.event("access.live", pairAt(lock), 200_000);
      expect(evidence).toBe(lock === userCode1 ? "read_back_masked" : "read_back");
    }
    // The first acquaintance of zwave-js with a lock takes nothing from the owner.
    for (const lock of locks) expect((await far.look(lock)).codes).toMatchObject({ 1: owners });
    expect(far.asked.filter(({ asked, slot }) => asked !== "read" && (slot === "0" || slot === "1"))).toEqual([]);

    const codes = (await Promise.all(locks.map((lock) => codeAt(far, lock)))).flat();
    expect(codes).toHaveLength(3);
    for (const [index, lock] of locks.entries()) await far.act(lock, { act: "type", digits: codes[index] ?? "" });
    for (const lock of locks) {
      expect(await cloud.event("lock.unlocked", { device_id: deviceOf(lock) })).toMatchObject({
        user_identity_id: "anna",
        method: "keycode",
      });
    }

    await agent.kill("SIGKILL");
    const began = Date.now();
    await agent.start();
    for (const lock of locks) await until(`lock ${lock} is online`, () => isOnline(agent, lock), 100_000);
    process.stdout.write(`zwave: ready with a filled cache ${Date.now() - began} ms after the start of the process\n`);
    await cloud.online();
    for (const lock of locks) await cloud.command(revokeCommand, pairAt(lock));
    for (const lock of locks) await cloud.event("access.gone", pairAt(lock), 100_000);
    for (const lock of locks) {
      expect(await far.look(lock)).toEqual({ codes: { 1: owners }, users: lock === userCredential ? [1] : [] });
    }

    await agent.kill("SIGTERM");
    const files = readdirSync(agent.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const texts = new Map([
      ["stdout", agent.stdout],
      ["stderr", agent.stderr],
      ...files.map((entry): [string, string] => {
        const name = join(entry.parentPath, entry.name);
        return [name, readFileSync(name, "latin1")];
      }),
    ]);
    expect([...texts.keys()].some((name) => name.endsWith(".values.jsonl"))).toBe(true);
    const found = [...texts].flatMap(([name, text]) =>
      [...codes, owners].flatMap((code) =>
        [...formsOf(code)].flatMap(([form, as]) => (text.includes(as) ? [`${name} ${form}`] : [])),
      ),
    );
    expect(found).toEqual([]);
  }, 600_000);

  test.each(isLong ? locks : locks.slice(-1))(
    "lock %s: refused, stored though the answer was lost, dead, and a lie each end in their receipt",
    async (lock) => {
      const { far } = house;
      const agent = await acquainted();
      const grant = (identity: string) => agent.ask(grantCommand, pairAt(lock, identity));
      const revoke = (identity: string) => agent.ask(revokeCommand, pairAt(lock, identity));
      const mode = (to: "ok" | "lie" | "reject" | "dead") => far.act(lock, { act: "mode", mode: to });

      // Refused, and a lie: not called live, and nothing is left of it on the lock. The PINs are their own, so that there is one try.
      for (const [how, value] of [
        ["reject", "40117390"],
        ["lie", "40117391"],
      ] as const) {
        await mode(how);
        await agent.ask("credentials/set", { user_identity_id: how, kind: "pin", value });
        await grant(how);
        expect(await receiptSays(agent, pairAt(lock, how), "refused")).toMatchObject({ reason: "invalid" });
        expect((await far.look(lock)).codes).toEqual({});
        await revoke(how);
        await mode("ok");
      }

      // Dead: nothing is said to be there, and live once it is back.
      await mode("dead");
      await grant("dead");
      await until("it is offline", async () => !(await isOnline(agent, lock)));
      expect(await receiptSays(agent, pairAt(lock, "dead"), "waiting", "writing", "unconfirmed")).toBeDefined();
      await mode("ok");
      expect(await receiptSays(agent, pairAt(lock, "dead"), "live")).toBeDefined();

      // Stored, and the answer is lost: unconfirmed until the slot can be read, then live, and written once only.
      const before = far.asked.length;
      const since = (): AskedOfLock[] => far.asked.slice(before).filter((each) => each.lock === lock);
      await far.act(lock, { act: "mode", mode: "storenoreply", at: "write" });
      await grant("lost");
      await until("it is written", () => since().some(({ asked, slot }) => asked === "write" && !slot.includes(":")));
      expect(await receiptSays(agent, pairAt(lock, "lost"), "unconfirmed", "writing")).toBeDefined();
      await mode("ok");
      expect(await receiptSays(agent, pairAt(lock, "lost"), "live")).toBeDefined();
      expect(since().filter(({ asked, slot }) => asked === "write" && !slot.includes(":"))).toHaveLength(1);
      const { codes } = await far.look(lock);
      expect(Object.keys(codes)).toHaveLength(2);
      // The user whose code was refused, and who could not be taken away while the lock refused that too, goes after all.
      const users = lock === userCredential ? Object.keys(codes) : [];
      await until("only who has a code is left", async () =>
        isDeepStrictEqual((await far.look(lock)).users.map(String), users),
      );
      expect(far.lines.filter((line) => line.includes("rewritten_blindly"))).toEqual([]);
    },
    600_000,
  );

  test("the stick is pulled out in the middle of a write and plugged in again: read first, then live, never written blindly", async () => {
    const { far } = house;
    const agent = await acquainted();
    for (let round = 0; round < 3; round++) {
      const before = far.asked.length;
      await agent.ask(grantCommand, pairAt(userCode2, `guest-${round}`));
      await until("a write is on its way", () => far.asked.slice(before).some(({ asked }) => asked === "write"));
      await far.unplug();
      await until("it is offline", async () => !(await isOnline(agent, userCode2)));
      await far.plug();
      await until(
        "all of them are live",
        async () => {
          const receipts = await receiptsOf(agent, deviceOf(userCode2));
          return receipts.length === round + 1 && receipts.every(({ state }) => state === "live");
        },
        100_000,
      );
      expect(await codeAt(far, userCode2)).toHaveLength(round + 1);
    }
    expect(far.lines.filter((line) => line.includes("rewritten_blindly"))).toEqual([]);
    expect((await agent.kill("SIGTERM")).code).toBe(0);
  }, 600_000);
});
