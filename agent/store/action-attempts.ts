import type { Database, Statement } from "better-sqlite3";
import type { ActionAttemptRecord } from "../commands/records.ts";
import { accessCodeId } from "../domain/access-code.ts";
import {
  type ActionAttempt,
  type ActionAttemptId,
  type AttemptEnd,
  type AttemptFailure,
  actionAttemptId,
  type BoltAct,
  failedFor,
} from "../domain/action-attempt.ts";
import type { CredentialKind } from "../domain/credential.ts";
import { methodOf, presenterFields } from "../domain/door-decision.ts";
import { deviceId, userIdentityId } from "../domain/ids.ts";
import { type Instant, instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Calendar } from "./calendar.ts";
import type { Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import { limited } from "./limit.ts";

const keptFor: Milliseconds = 30 * 24 * 3600_000;

type Row = {
  action_attempt_id: string;
  device_id: string;
  act: BoltAct;
  created_at: number;
  deadline: number;
  ended_at: number | null;
  confirmed: number | null;
  failure: AttemptFailure | null;
  detail: string | null;
  presenter_id: string | null;
  presenter_kind: CredentialKind | null;
  presenter_code: string | null;
};

interface Parts {
  readonly journal: Pick<Journal, "event" | "note">;
  readonly devices: Pick<Devices, "note">;
  readonly calendar: Calendar;
}

/** What was wanted of bolts. The caller's transaction. */
export class ActionAttempts {
  readonly #parts: Parts;
  readonly #insert: Statement;
  readonly #get: Statement<[string], Row>;
  readonly #pending: Statement<[], Row>;
  readonly #end: Statement;
  readonly #prune: Statement<[number, number]>;

  constructor(db: Database, parts: Parts) {
    this.#parts = parts;
    this.#insert = db.prepare(
      `INSERT INTO action_attempts (action_attempt_id, device_id, act, created_at, deadline, presenter_id, presenter_kind,
       presenter_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#get = db.prepare("SELECT * FROM action_attempts WHERE action_attempt_id = ?");
    this.#pending = db.prepare("SELECT * FROM action_attempts WHERE ended_at IS NULL");
    this.#end = db.prepare(
      `UPDATE action_attempts SET ended_at = @endedAt, confirmed = @confirmed, failure = @failure, detail = @detail
       WHERE action_attempt_id = @id AND ended_at IS NULL`,
    );
    this.#prune = db.prepare(
      `DELETE FROM action_attempts WHERE action_attempt_id IN (
         SELECT action_attempt_id FROM action_attempts WHERE created_at < ? ORDER BY created_at ${limited}
       )`,
    );
  }

  /** @param by who wants it. */
  begin({ id, device, act, createdAt, deadline, presenter }: ActionAttempt, by: string): void {
    const { identity = null, kind = null, code = null } = presenter ?? {};
    this.#insert.run(id, device, act, createdAt, deadline, identity, kind, code);
    const fields = { action_attempt_id: id, device_id: device, action_type: typeOf(act), by };
    this.#parts.journal.note("action_attempt.created", fields, createdAt);
  }

  get(id: ActionAttemptId): ActionAttemptRecord | undefined {
    const row = this.#get.get(id);
    return row && { attempt: attemptOf(row), end: endOf(row) };
  }

  /** @param isTold whether the lock has told of it by itself. */
  end({ id, device, act, presenter }: ActionAttempt, end: AttemptEnd, now: Instant, isTold: boolean): void {
    const { journal, devices } = this.#parts;
    const ended = end.result === "done" ? doneRow(end.confirmed) : failedRow(end.reason, end.detail);
    if (this.#end.run({ id, endedAt: now, ...ended }).changes === 0) return;
    const about = { action_attempt_id: id, device_id: device };
    const who = presenterFields(presenter);
    const error = end.result === "done" ? {} : { error: { type: end.reason, detail: end.detail ?? null } };
    const isDone = end.result === "done";
    const type = `action_attempt.${act}_door.${isDone ? "succeeded" : "failed"}`;
    const said = { ...about, action_type: typeOf(act), status: isDone ? "success" : "error", ...error };
    // Of somebody who was let in, it is enough to say so.
    if (!presenter || !isDone) journal.event(type, { ...said, ...(presenter ? who : {}) }, now);
    if (end.result !== "done") return;
    if (end.confirmed) devices.note(device, { locked: act === "lock" });
    // Who is let in by a strike, which says nothing of itself but that it has heard, is let in.
    if (isTold || !(end.confirmed || presenter)) return;
    journal.event(`lock.${act}ed`, { ...about, ...who, method: methodOf(presenter) }, now);
  }

  /** At start: whether what was under way was sent nobody knows, and it is not sent now (Law 10). */
  interrupt(now: Instant): void {
    for (const row of this.#pending.all()) this.end(attemptOf(row), failedFor("interrupted"), now, false);
  }

  /** @returns how many were removed. */
  prune(now: Instant, limit: number): number {
    return this.#prune.run(later(this.#parts.calendar.today(now), -keptFor), limit).changes;
  }
}

/** As Seam's API has it. */
const typeOf = (act: BoltAct): string => `${act.toUpperCase()}_DOOR`;

const doneRow = (confirmed: boolean): object => ({ confirmed: Number(confirmed), failure: null, detail: null });
const failedRow = (failure: AttemptFailure, detail: string | undefined): object => ({
  confirmed: null,
  failure,
  detail: detail ?? null,
});

const attemptOf = (row: Row): ActionAttempt => ({
  id: actionAttemptId(row.action_attempt_id),
  device: deviceId(row.device_id),
  act: row.act,
  createdAt: instant(row.created_at),
  deadline: instant(row.deadline),
  ...presenterIn(row),
});

function presenterIn({
  presenter_id: id,
  presenter_kind: kind,
  presenter_code: code,
}: Row): Pick<ActionAttempt, "presenter"> {
  if (id === null || kind === null) return {};
  return { presenter: { identity: userIdentityId(id), kind, code: code === null ? undefined : accessCodeId(code) } };
}

function endOf({ ended_at: endedAt, confirmed, failure, detail }: Row): AttemptEnd | undefined {
  if (endedAt === null) return undefined;
  return failure === null
    ? { result: "done", confirmed: confirmed === 1 }
    : { result: "failed", reason: failure, detail: detail ?? undefined };
}
