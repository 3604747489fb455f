import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, upTo } from "./support/cloud.ts";
import { frontDoor, remote } from "./support/doors.ts";
import { journalOf } from "./support/journal.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { shotAt } from "./support/shot.ts";

const create = "access_codes/create";
const erase = "access_codes/delete";
const idOf = (reply: unknown): string =>
  z.looseObject({ access_code: z.looseObject({ access_code_id: z.string() }) }).parse(reply).access_code.access_code_id;

const wholeLife = ["created", "set_on_device", "removed_from_device", "deleted"];
const lifeOf = (events: readonly { readonly event_type: string; readonly [field: string]: unknown }[], id: string) =>
  events.flatMap(({ event_type: type, access_code_id: of }) =>
    of === id && type.startsWith("access_code.") ? [type.slice("access_code.".length)] : [],
  );

/** What the cloud has heard, each event once: of the copies of one, the first. */
const heard = (cloud: Cloud): Cloud["events"] =>
  cloud.events.filter((event, at) => cloud.events.findIndex(({ number }) => number === event.number) === at);

describe.skipIf(brokerSkipReason("mosquitto"))("kill -9 in the life of an access code", () => {
  test.each(wholeLife)(
    "as it tells access_code.%s: all of its events are told once, in their order",
    async (moment) => {
      const { agent, cloud, revived } = await shotAt(
        (packet) => packet.cmd === "publish" && packet.topic.endsWith(`/event/access_code.${moment}`),
      );
      const isEarly = wholeLife.indexOf(moment) < 2;
      await cloud.publish(create, JSON.stringify({ request_id: "make-1", device_id: frontDoor, code: "493017" }));
      if (isEarly) await revived();
      const id = idOf(await cloud.reply("make-1"));
      await cloud.event("access_code.set_on_device");
      expect([...agent.codes("front-door").values()].map(({ value }) => value)).toEqual(["493017"]);
      await cloud.publish(erase, JSON.stringify({ request_id: "drop-1", access_code_id: id }));
      if (!isEarly) await revived();
      await cloud.event("access_code.deleted");
      await agent.allTold();
      expect(lifeOf(heard(cloud), id)).toEqual(wholeLife);
      expect(lifeOf(await journalOf(agent), id)).toEqual(wholeLife);
      expect(agent.codes("front-door").size).toBe(0);
      expect(await agent.ask("access_codes/get", { access_code_id: id })).toMatchObject({
        error: { type: "access_code_not_found" },
      });
      expect(agent.stderr).toBe("");
    },
  );

  test("at any moment, while codes come and go on a slow lock: none is told twice, or of what is not so", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url, { slots: 20 })).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    await agent.ask("simulate/fault", { lock: "front-door", fault: "slow", ms: [60, 90] });
    const codes = upTo(6).map((number) => String(493_016 + number));
    const shake = async (pauses: readonly number[]): Promise<void> => {
      for (const pause of pauses) {
        await delay(pause);
        await agent.kill("SIGKILL");
        await agent.start();
      }
    };
    const made = codes.map((code) =>
      cloud.publish(create, JSON.stringify({ request_id: code, device_id: frontDoor, code })),
    );
    await shake(isLong ? [40, 170, 310] : [170]);
    await Promise.all(made);
    const ids: string[] = [];
    for (const code of codes) ids.push(idOf(await cloud.reply(code)));
    await until("all are set", () => cloud.count("access_code.set_on_device") === codes.length);
    expect([...agent.codes("front-door").values()].map(({ value }) => value).toSorted()).toEqual(codes);

    const dropped = ids.map((id) =>
      cloud.publish(erase, JSON.stringify({ request_id: `drop-${id}`, access_code_id: id })),
    );
    await shake(isLong ? [30, 120, 260] : [120]);
    await Promise.all(dropped);
    await until("all are gone", () => cloud.count("access_code.deleted") === codes.length);
    await agent.allTold();
    const journal = await journalOf(agent);
    for (const id of ids) {
      expect(lifeOf(heard(cloud), id)).toEqual(wholeLife);
      expect(lifeOf(journal, id)).toEqual(wholeLife);
    }
    expect(agent.codes("front-door").size).toBe(0);
    expect(JSON.stringify([journal, cloud.events])).not.toMatch(/"49301[7-9]"|"49302[0-2]"/);
    expect(agent.stderr).toBe("");
  });
});
