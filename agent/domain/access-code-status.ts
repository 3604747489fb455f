import { type Instant, instant, type Milliseconds } from "./instant.ts";
import type { CredentialReceipt } from "./receipt.ts";

/** Of an access code, in Seam's words (reference: seam-api, 3.1 and 3.3): derived each time, and kept nowhere. */
export interface CodeStatus {
  readonly status: "unset" | "setting" | "set" | "removing" | "unknown";
  readonly pending: readonly { readonly mutation_code: string; readonly scheduled_at?: string }[];
  readonly errors: readonly CodeError[];
  readonly warnings: readonly {
    readonly warning_code: string;
    readonly message: string;
    readonly created_at: string | null;
  }[];
}
interface CodeError {
  readonly error_code: string;
  readonly message: string;
  readonly created_at: string | null;
  readonly is_access_code_error?: true;
  readonly is_device_error?: true;
}

interface Around {
  readonly now: Instant;
  /** Undefined also of what was taken back. */
  readonly endsAt: Instant | undefined;
  /** The lock has not answered for a while, and is left alone. */
  readonly isBreakerOpen: boolean;
}

/** So long it may take to set a code. */
export const late: Milliseconds = 10 * 60_000;
const overdue: Milliseconds = 5 * 60_000;
/** The lock cannot be asked. */
const away: ReadonlySet<string | null> = new Set(["lock_away", "moved", "lock_replaced", "not_configured"]);
/** Nothing is on its way to the lock, nor about to be. */
const idle: ReadonlySet<string | null> = new Set(["abilities_unknown", "credential_needed", "outside_window"]);

export function codeStatus(line: CredentialReceipt, around: Around): CodeStatus {
  switch (line.state) {
    case "waiting":
      return waiting(line, around);
    case "writing":
      return { ...nothing, status: "setting", warnings: delay(line, around) };
    case "unconfirmed":
      return { ...nothing, status: around.isBreakerOpen ? "unknown" : "setting", warnings: [delayed(line)] };
    case "live":
      return { ...nothing, status: "set" };
    case "refused":
      if (line.reason === "changed_on_lock") return { ...nothing, status: "unset", warnings: [honoured(line)] };
      return { ...nothing, status: "unset", errors: [refused(line)] };
    case "removing":
    case "gone":
      return {
        ...nothing,
        status: "removing",
        pending: [{ mutation_code: "deleting" }],
        errors: overstayed(line, around),
      };
  }
}

const nothing = { pending: [], errors: [], warnings: [] } as const;

function waiting(line: CredentialReceipt, around: Around): CodeStatus {
  const { reason, next } = line;
  if (away.has(reason)) {
    const message = "The lock does not answer; the code is put on it as soon as it does";
    const error = { error_code: "device_offline", message, created_at: line.since, is_device_error: true } as const;
    return { ...nothing, status: "setting", errors: [error], warnings: delay(line, around) };
  }
  if (reason === "outside_window" && next !== null) {
    return { ...nothing, status: "unset", pending: [{ mutation_code: "deferring_creation", scheduled_at: next }] };
  }
  if (idle.has(reason)) return { ...nothing, status: "unset", pending: [{ mutation_code: "creating" }] };
  return { ...nothing, status: "setting", pending: [{ mutation_code: "creating" }], warnings: delay(line, around) };
}

const delayed = ({ since, hint }: CredentialReceipt): CodeStatus["warnings"][number] => ({
  warning_code: "delay_in_setting_on_device",
  message: hint ?? "It takes longer than usual until the code is on the lock",
  created_at: since,
});

const delay = (line: CredentialReceipt, { now }: Around): CodeStatus["warnings"] =>
  line.since !== null && now - instant(Date.parse(line.since)) >= late ? [delayed(line)] : [];

const refusals: Readonly<Record<string, string>> = {
  full: "no_space_for_access_code_on_device",
  duplicate: "duplicate_code_on_device",
  invalid: "code_constraints_violated",
  kind_not_supported: "code_constraints_violated",
};
const refused = ({ reason, hint, since }: CredentialReceipt): CodeError => ({
  error_code: refusals[reason ?? ""] ?? "failed_to_set_on_device",
  message: hint ?? reason ?? "The lock does not take it",
  created_at: since,
  is_access_code_error: true,
});

/** Somebody took it out at the lock, and may. */
const honoured = ({ since, hint }: CredentialReceipt): CodeStatus["warnings"][number] => ({
  warning_code: "external_modification_in_effect",
  message: hint ?? "Somebody took it out at the lock, and that stands",
  created_at: since,
});

function overstayed({ since }: CredentialReceipt, { now, endsAt }: Around): CodeStatus["errors"] {
  if (endsAt !== undefined && now > endsAt + overdue) {
    const message = "The code has ended, and the lock has not said yet that it is gone: it may still open the door";
    return [{ error_code: "failed_to_expire", message, created_at: since, is_access_code_error: true }];
  }
  // What has not ended was taken back.
  const isLate = since !== null && now - instant(Date.parse(since)) >= overdue;
  if (!isLate || (endsAt !== undefined && now > endsAt)) return [];
  const message =
    "The code is to be taken away, and the lock has not said yet that it is gone: it may still open the door";
  return [{ error_code: "failed_to_remove_from_device", message, created_at: since, is_access_code_error: true }];
}
