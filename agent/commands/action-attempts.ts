import { randomUUID } from "node:crypto";
import { z } from "zod";
import {
  type ActionAttempt,
  type AttemptFailure,
  actionAttemptId,
  type BoltAct,
  deadlineOf,
} from "../domain/action-attempt.ts";
import { boltOf } from "./bolt.ts";
import { type Context, command } from "./command.ts";
import { heardOf } from "./device-scope.ts";
import { device, moment, plainText } from "./parameters.ts";
import type { ActionAttemptRecord, Records } from "./records.ts";
import { deviceNotFound, invalidInput, Refused } from "./refusal.ts";
import { actionAttemptShape } from "./shapes/action-attempt.ts";

const momentary = z.object({
  device_id: device,
  issued_at: moment.optional(),
  expires_at: moment.optional(),
});

const moving = (act: BoltAct) =>
  command({
    name: `locks/${act}_door`,
    parameters: momentary,
    returns: { action_attempt: actionAttemptShape },
    doors: ["mqtt", "http", "local"],
    kind: "writes",
    reveals: false,
    isMomentary: true,
    act: (records, asked, context) => begin(records, act, asked, context),
  });

/** What moves a bolt, and what came of it. The lock is not waited for: the attempt says how it ended. */
export const actionAttempts = [
  moving("lock"),
  moving("unlock"),
  command({
    name: "action_attempts/get",
    parameters: z.object({ action_attempt_id: plainText }),
    returns: { action_attempt: actionAttemptShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    limitsItself: true,
    act(records, { action_attempt_id: id }, context) {
      const found = records.actionAttempt(actionAttemptId(id));
      if (found && heardOf([found.attempt.device], context).length > 0) return { action_attempt: attemptObject(found) };
      throw new Refused(
        "action_attempt_not_found",
        "There is no such action attempt, or it is older than 30 days",
        404,
      );
    },
  }),
];

function begin(
  records: Records,
  act: BoltAct,
  { device_id: on, issued_at: issued, expires_at: expiresAt }: z.output<typeof momentary>,
  context: Context,
) {
  const { now, saidAt, door, by, agent } = context;
  const { clock, unlockGoodFor } = agent();
  requireBolt(records, act, on);
  if (door === "mqtt" && issued === undefined) throw required("issued_at");
  // How old a command is that came over a broker is told by the clock; and nobody opens a door while the time is not known.
  if (!clock.trusted && (act === "unlock" || door === "mqtt")) {
    const message = "The clock of this agent is not believed, and a door is opened only while it is: see latchd clock";
    throw new Refused("clock_untrusted", message, 409);
  }
  const deadline = deadlineOf({ issuedAt: issued ?? saidAt, expiresAt }, unlockGoodFor, now);
  if (deadline === undefined) {
    const message = `Came too late, or its issued_at is ahead of this agent's clock: it is good for ${unlockGoodFor / 1000} s after it was said`;
    throw new Refused("command_too_late", message, 409);
  }
  const attempt: ActionAttempt = { id: actionAttemptId(randomUUID()), device: on, act, createdAt: now, deadline };
  records.beginAttempt(attempt, by);
  context.operate(attempt);
  return { action_attempt: attemptObject({ attempt, end: undefined }) };
}

function requireBolt(records: Records, act: BoltAct, on: ActionAttempt["device"]): void {
  const found = records.device(on);
  if (!found) throw deviceNotFound(on);
  const bolt = boltOf(found);
  // What has not said yet what it is may have one.
  if (bolt === "unknown" || (bolt && (act === "unlock" || bolt.locks))) return;
  throw new Refused("not_supported", `The lock of ${JSON.stringify(on)} cannot be ${act}ed from afar`);
}

const required = (field: string): Refused =>
  invalidInput([{ code: "invalid_type", expected: "string", path: [field], message: "Required", input: undefined }]);

/** In plain words, for who has asked. */
const failures: Readonly<Record<AttemptFailure, string>> = {
  device_offline: "The lock cannot be reached: nothing was sent",
  command_too_late: "It could not be sent before its time was over: nothing was sent",
  lock_refused: "The lock has refused",
  outcome_unknown: "It was sent, and whether the lock has done it is not known: look at the door",
  interrupted: "latchd ended meanwhile: whether the lock has done it is not known, and it is not sent again",
  not_supported: "This lock has no bolt that can be moved from afar",
};

/** As Seam's API shows it (reference: seam-api, section 5). */
function attemptObject({ attempt: { id, act }, end }: ActionAttemptRecord): object {
  const attempt = { action_attempt_id: id, action_type: `${act.toUpperCase()}_DOOR` };
  if (!end) return { ...attempt, status: "pending", result: null, error: null };
  if (end.result === "done") {
    return { ...attempt, status: "success", result: { was_confirmed_by_device: end.confirmed }, error: null };
  }
  const { reason, detail } = end;
  const message = detail === undefined ? failures[reason] : `${failures[reason]} (${detail})`;
  return { ...attempt, status: "error", result: null, error: { type: reason, message } };
}
