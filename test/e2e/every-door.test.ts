import { request } from "node:http";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { table } from "../../agent/commands/table.ts";
import { keepPromise } from "../support/kept-promise.ts";
import { Cloud } from "./support/cloud.ts";
import { frontDoor, person } from "./support/doors.ts";
import { HttpSite } from "./support/http.ts";

/** What changes from one moment to the next. */
const volatile = new Set([
  "created_at",
  "access_grant_id",
  "message_at",
  "since",
  "letters_waiting",
  "at",
  "next",
  "connected",
]);
/** What a command makes anew each time that it is given. */
const anew: Readonly<Record<string, ReadonlySet<string>>> = {
  "user_identities/create": new Set(["user_identity_id", "display_name"]),
  "locks/lock_door": new Set(["action_attempt_id"]),
  "locks/unlock_door": new Set(["action_attempt_id"]),
  "access_codes/create": new Set(["access_code_id", "user_identity_id"]),
  "access_codes/create_multiple": new Set(["access_code_id", "user_identity_id", "common_code_key"]),
};
const steady = (command: string, text: string): unknown =>
  JSON.parse(text, (name, value: unknown) => (volatile.has(name) || anew[command]?.has(name) ? "…" : value));

const everyone = { user_identity_id: person, device_id: frontDoor };
/** A broker may hand a message out later: there it has to be said when it was said. */
const momentary = {
  device_id: frontDoor,
  get issued_at(): string {
    return new Date().toISOString();
  },
};
/** Parameters with which a command does something, where nothing or a person and a device does not. */
const given: Readonly<Record<string, object>> = {
  "locks/lock_door": momentary,
  "locks/unlock_door": momentary,
  "access_grants/create": { user_identity_id: person, device_ids: [frontDoor], starts_at: "2030-01-01T00:00:00Z" },
  "access_grants/get": { access_grant_key: "none" },
  "access_grants/update": { access_grant_key: "none", name: "n" },
  "access_grants/delete": { access_grant_key: "none" },
  "credentials/set": { user_identity_id: person, kind: "pin", value: "493017" },
  // The journal grows with each door.
  "events/list": { after: 1_000_000 },
};

test("every command answers the same bytes at every door that it has, errors too", async () => {
  const site = await HttpSite.start();
  const { key } = await site.key();
  const cloud = await Cloud.connect(site.broker);
  const local = (name: string, parameters: object): Promise<string> =>
    new Promise((done, fail) => {
      const socketPath = join(site.agent.dataDir, "latchd.sock");
      const outgoing = request({ socketPath, method: "POST", path: `/${name}` }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.once("end", () => done(text));
      });
      outgoing.once("error", fail);
      outgoing.end(JSON.stringify(parameters));
    });
  let ids = 0;
  const mqtt = async (name: string, parameters: object): Promise<string> => {
    const id = `door-${++ids}`;
    await cloud.command(name, parameters, id);
    return cloud.replies.get(id)?.at(-1) ?? "";
  };
  const http = async (name: string, parameters: object): Promise<string> =>
    (await site.send("POST", `/${name}`, { key, body: parameters })).text;
  const doors = { mqtt, local, http };
  const tried = new Set<string>();
  for (const { name, doors: of, ...command } of table.values()) {
    if (of.length < 2) continue;
    // The local door tells codes; HTTP with this key and MQTT do not.
    const reveals = "reveals" in command && command.reveals;
    for (const parameters of [given[name] ?? everyone, {}, { user_identity_id: 7, device_id: null }]) {
      const open = of.filter((door) => !(reveals && door === "local"));
      let answers: unknown[] = [];
      // What the lock does meanwhile may fall between two doors: then they are asked once more.
      for (let tries = 0; tries < 5; tries += 1) {
        answers = await Promise.all(
          open.map(async (door) => {
            const text = await doors[door](name, parameters);
            keepPromise(name, text);
            return steady(name, text);
          }),
        );
        if (
          isDeepStrictEqual(
            answers,
            answers.map(() => answers[0]),
          )
        )
          break;
      }
      expect([name, answers]).toEqual([name, answers.map(() => answers[0])]);
      tried.add(name);
    }
  }
  expect(tried.size).toBeGreaterThan(14);
});
