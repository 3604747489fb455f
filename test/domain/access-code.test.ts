import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeOf, codeOfIdentity, codeOnDevice, identityOfCode, isPerson } from "../../agent/domain/access-code.ts";
import { codeStatus } from "../../agent/domain/access-code-status.ts";
import { branded } from "../../agent/domain/brand.ts";
import type { CredentialId } from "../../agent/domain/credential.ts";
import { deviceId, userIdentityId } from "../../agent/domain/ids.ts";
import { instant, later, toIso } from "../../agent/domain/instant.ts";
import { type CredentialReceipt, emptyReceipt } from "../../agent/domain/receipt.ts";

const now = instant(1_750_000_000_000);
const minute = 60_000;
const soon = toIso(later(now, minute));
const ago = (minutes: number): string => toIso(later(now, -minutes * minute));
const line = (of: Partial<CredentialReceipt>): CredentialReceipt => ({
  ...emptyReceipt("queued"),
  kind: "pin",
  since: ago(1),
  reason: null,
  ...of,
});
const around = { now, endsAt: undefined, isBreakerOpen: false };

type Row = readonly [
  what: string,
  receipt: Partial<CredentialReceipt>,
  said: { status: string; pending?: string; error?: string; warning?: string },
  more?: Partial<Parameters<typeof codeStatus>[1]>,
];
/** The table of issue 6, and what is beside it. */
const rows: readonly Row[] = [
  [
    "nobody knows what the lock takes",
    { state: "waiting", reason: "abilities_unknown", since: null },
    { status: "unset", pending: "creating" },
  ],
  [
    "it needs a credential",
    { state: "waiting", reason: "credential_needed", since: null },
    { status: "unset", pending: "creating" },
  ],
  ["no window will open", { state: "waiting", reason: "outside_window" }, { status: "unset", pending: "creating" }],
  [
    "it is not due",
    { state: "waiting", reason: "outside_window", next: soon },
    { status: "unset", pending: "deferring_creation" },
  ],
  ["it is about to be written", { state: "waiting", reason: "queued" }, { status: "setting", pending: "creating" }],
  ["the lock is away", { state: "waiting", reason: "lock_away" }, { status: "setting", error: "device_offline" }],
  [
    "the lock is away for long",
    { state: "waiting", reason: "lock_away", since: ago(11) },
    { status: "setting", error: "device_offline", warning: "delay_in_setting_on_device" },
  ],
  ["it is being written", { state: "writing" }, { status: "setting" }],
  [
    "it is being written for long",
    { state: "writing", since: ago(11) },
    { status: "setting", warning: "delay_in_setting_on_device" },
  ],
  [
    "the lock did not answer",
    { state: "unconfirmed", reason: "no_answer" },
    { status: "setting", warning: "delay_in_setting_on_device" },
  ],
  [
    "the lock is left alone",
    { state: "unconfirmed", reason: "no_answer" },
    { status: "unknown", warning: "delay_in_setting_on_device" },
    { isBreakerOpen: true },
  ],
  ["it is live", { state: "live", evidence: "read_back" }, { status: "set" }],
  [
    "the lock is full",
    { state: "refused", reason: "full" },
    { status: "unset", error: "no_space_for_access_code_on_device" },
  ],
  [
    "somebody has it there",
    { state: "refused", reason: "duplicate" },
    { status: "unset", error: "duplicate_code_on_device" },
  ],
  [
    "the lock does not take such a code",
    { state: "refused", reason: "invalid" },
    { status: "unset", error: "code_constraints_violated" },
  ],
  [
    "the lock does not let us",
    { state: "refused", reason: "forbidden" },
    { status: "unset", error: "failed_to_set_on_device" },
  ],
  [
    "the owner has taken it out, and may",
    { state: "refused", reason: "changed_on_lock" },
    { status: "unset", warning: "external_modification_in_effect" },
  ],
  ["it is being taken away", { state: "removing" }, { status: "removing", pending: "deleting" }],
  [
    "it was taken back a while ago",
    { state: "removing", since: ago(6) },
    { status: "removing", pending: "deleting", error: "failed_to_remove_from_device" },
  ],
  [
    "it has just ended",
    { state: "removing" },
    { status: "removing", pending: "deleting" },
    { endsAt: later(now, -5 * minute) },
  ],
  [
    "it has ended a while ago",
    { state: "removing" },
    { status: "removing", pending: "deleting", error: "failed_to_expire" },
    { endsAt: later(now, -5 * minute - 1) },
  ],
];

describe("codeStatus()", () => {
  test.each(rows.map(([what, receipt, said, more = {}]) => ({ what, receipt, said, more })))(
    "says what Seam would where $what",
    ({ receipt, said, more }) => {
      const { status, pending, errors, warnings } = codeStatus(line(receipt), { ...around, ...more });
      expect({
        status,
        pending: pending[0]?.mutation_code,
        error: errors[0]?.error_code,
        warning: warnings[0]?.warning_code,
      }).toEqual({ pending: undefined, error: undefined, warning: undefined, ...said });
      expect(Math.max(pending.length, errors.length, warnings.length)).toBeLessThanOrEqual(1);
    },
  );

  test("names when a code that is not due will be", () => {
    const { pending } = codeStatus(line({ state: "waiting", reason: "outside_window", next: soon }), around);
    expect(pending).toEqual([{ mutation_code: "deferring_creation", scheduled_at: soon }]);
  });
});

const credential = branded<CredentialId>("c-1");

test("codeOnDevice() is a UUIDv5, the same each time, and another for another credential or device", () => {
  // Held as it is: what the cloud has kept of it must go on meaning the same.
  expect(codeOnDevice(credential, deviceId("door-1"))).toBe("a1afb18a-5e14-51d1-8c12-41ce1fe1c24c");
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
      const one = codeOnDevice(branded<CredentialId>(a), deviceId(b));
      expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      fc.pre(!a.includes("\t") && !c.includes("\t"));
      expect(codeOnDevice(branded<CredentialId>(c), deviceId(d)) === one).toBe(a === c && b === d);
    }),
  );
});

test("an access code that was made by itself has an identity which is nobody, and its id is in it", () => {
  const id = codeOnDevice(credential, deviceId("door-1"));
  const identity = identityOfCode(id);
  expect(isPerson(identity)).toBe(false);
  expect(codeOfIdentity(identity)).toBe(id);
  const placed = { credential, device: deviceId("door-2") };
  expect(codeOf({ ...placed, identity, kind: "pin" })).toBe(id);
  expect(isPerson(userIdentityId("ann"))).toBe(true);
  expect(codeOf({ ...placed, identity: userIdentityId("ann"), kind: "pin" })).toBe(
    codeOnDevice(credential, placed.device),
  );
  expect(codeOf({ ...placed, identity: userIdentityId("ann"), kind: "card" })).toBeUndefined();
});
