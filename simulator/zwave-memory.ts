import {
  UserCredentialModifierType,
  UserCredentialNameEncoding,
  UserCredentialRule,
  UserCredentialType,
  UserCredentialUserType,
  UserIDStatus,
} from "@zwave-js/cc";
import { Bytes } from "@zwave-js/shared";
import { z } from "zod";
import { blankChip, type Chip } from "./lock.ts";
import type { ZwaveModel } from "./zwave-models.ts";

const code = z.string();
const userCode = {
  status: (user: number) => `UserCode_userIdStatus_${user}`,
  code: (user: number) => `UserCode_userCode_${user}`,
};
const userKey = (user: number): string => `UserCredential_user_${user}`;
const credentialKey = (type: UserCredentialType, slot: number): string => `UserCredential_cred_${type}_${slot}`;
const credential = z.looseObject({ userId: z.number(), credentialData: z.instanceof(Uint8Array) });
const user = z.looseObject({ active: z.boolean() });

const by = { modifierType: UserCredentialModifierType.Locally, modifierNodeId: 0 };

/** What a lock holds, for a test to see. */
export interface Held {
  readonly codes: Readonly<Record<string, string>>;
  readonly users: readonly number[];
}

/**
 * The memory chip of a mock node: the mock keeps its users and codes in such a map, under names of its own, and this
 * knows these names.
 */
export class ZwaveMemory {
  readonly state = new Map<string, unknown>();
  readonly #model: ZwaveModel;

  constructor(model: ZwaveModel) {
    this.#model = model;
  }

  held(): Held {
    const codes: Record<string, string> = {};
    const users: number[] = [];
    for (const key of this.state.keys()) {
      const [, kind, number] = /^User(Code_userCode|Credential_user|Credential_cred_1)_(\d+)$/.exec(key) ?? [];
      if (number === undefined) continue;
      const found = this.codeAt(Number(number));
      if (found !== undefined) codes[number] = found;
      if (kind === "Credential_user") users.push(Number(number));
    }
    return { codes, users };
  }

  /** The PIN in a slot. */
  codeAt(slot: number): string | undefined {
    if (this.#model === "user-credential") {
      const found = credential.safeParse(this.state.get(credentialKey(UserCredentialType.PINCode, slot))).data;
      return found && Buffer.from(found.credentialData).toString("utf8");
    }
    const found = this.state.get(userCode.code(slot));
    return found instanceof Uint8Array ? Buffer.from(found).toString("utf8") : code.safeParse(found).data;
  }

  /** Whether what is in a slot opens, but for when. */
  isOn(slot: number): boolean {
    if (this.#model !== "user-credential") return this.state.get(userCode.status(slot)) === UserIDStatus.Enabled;
    return user.safeParse(this.state.get(userKey(slot))).data?.active ?? false;
  }

  /** The user that a PIN belongs to. */
  find(digits: string): number | undefined {
    const slot = Object.entries(this.held().codes).find(([, held]) => held === digits)?.[0];
    return slot === undefined ? undefined : Number(slot);
  }

  /** What it holds, as simulated locks tell it. Entries of `before` that are the same are the same objects. */
  chip(before?: Chip): Chip {
    const entries = Object.entries(this.held().codes).map(([slot, value]) => {
      const was = before?.entries[slot];
      const disabled = !this.isOn(Number(slot));
      if (was?.value === value && (was.disabled ?? false) === disabled) return [slot, was];
      return [slot, { kind: "pin", value, label: "", ...(disabled ? { disabled } : {}) } as const];
    });
    return { ...(before ?? blankChip("zwave")), entries: Object.fromEntries(entries) };
  }

  /** A PIN in a slot, by the owner's hand at the keypad or from an earlier time. */
  put(slot: number, digits: string, isOn = true): void {
    if (this.#model !== "user-credential") {
      this.state.set(userCode.status(slot), isOn ? UserIDStatus.Enabled : UserIDStatus.Disabled);
      this.state.set(userCode.code(slot), digits);
      return;
    }
    this.putUser(slot, isOn);
    this.state.set(credentialKey(UserCredentialType.PINCode, slot), {
      userId: slot,
      credentialData: Bytes.from(digits, "ascii"),
      ...by,
    });
  }

  putUser(number: number, active = true): void {
    this.state.set(userKey(number), {
      userType: UserCredentialUserType.General,
      active,
      credentialRule: UserCredentialRule.Single,
      expiringTimeoutMinutes: 0,
      nameEncoding: UserCredentialNameEncoding.ASCII,
      userName: `User-${number}`,
      ...by,
    });
  }

  drop(slot: number): void {
    for (const key of [
      userCode.status(slot),
      userCode.code(slot),
      userKey(slot),
      credentialKey(UserCredentialType.PINCode, slot),
    ])
      this.state.delete(key);
  }

  forget(): void {
    for (const key of this.state.keys()) if (key.startsWith("User")) this.state.delete(key);
  }
}
