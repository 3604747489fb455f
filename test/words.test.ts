import { expect, test } from "vitest";
import { createLog } from "../agent/log.ts";
import { tellEvents } from "../agent/words.ts";

test("the log says why a door did not open for somebody", () => {
  const lines: string[] = [];
  const error = { type: "not_supported", detail: "this lock cannot be unlocked from afar" };
  const fields = { device_id: "door-1", user_identity_id: "ann", error };
  tellEvents(
    [{ type: "action_attempt.unlock_door.failed", fields }],
    [{ deviceId: "door-1", name: "Lobby" }],
    createLog("info", false, (line) => void lines.push(line)),
  );
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ door: "Lobby", user_identity_id: "ann", problem: error }),
  ]);
});
