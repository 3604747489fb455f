import { beforeEach, describe, expect, test } from "vitest";
import { instant } from "../../../agent/domain/instant.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import { slotName } from "../../../agent/domain/slot.ts";
import type { UserReport } from "../../../drivers/zwave/codec-user-credential.ts";
import type { Ask, Pin } from "../../../drivers/zwave/conversation.ts";
import {
  type Place,
  UserCredentialMemory,
  type UserCredentialVerbs,
} from "../../../drivers/zwave/memory-user-credential.ts";
import { Seen } from "../../../drivers/zwave/seen.ts";
import { Users } from "../../../drivers/zwave/users.ts";
import { hurriedClock, RecordingHost } from "../../support/host.ts";

const slot = slotName("5");
const pin: Pin = { kind: "pin", digits: new Secret("0471") };
const ask: Ask = (command) => command();
const by = { nobody: 0, unknown: 1, radio: 2, lock: 3, app: 4 } as const;
type By = (typeof by)[keyof typeof by];

/** A lock with User Credential that does what it is told, and says who has changed what. */
class TellingLock implements UserCredentialVerbs {
  /** By which way it believes that commands over the air come. */
  air: By = by.radio;
  user: By = by.nobody;
  active = true;
  /** The codes that its user had when it was made active. */
  readonly activated: string[] = [];
  code: { by: By; of: number; digits: string } | undefined;

  async getUser(userId: number): Promise<UserReport> {
    return { reportType: 4, userId, active: this.active, modifierType: this.user };
  }
  async addUser(userId: number): Promise<UserReport> {
    this.user = this.air;
    return { reportType: 0, userId, modifierType: this.air };
  }
  async setActive(userId: number, active: boolean): Promise<UserReport> {
    if (active) this.activated.push(this.code?.digits ?? "");
    this.active = active;
    this.user = this.air;
    return { reportType: 1, userId, active, modifierType: this.air };
  }
  async deleteUser(userId: number): Promise<UserReport> {
    this.user = by.nobody;
    this.code = undefined;
    return { reportType: 2, userId, modifierType: this.air };
  }
  async getPin(credentialSlot: number) {
    const { by: modifierType, of: userId, digits } = this.code ?? { by: by.nobody, of: 0, digits: "" };
    const credentialData = Buffer.from(digits);
    return { reportType: 4, userId, credentialType: 1, credentialSlot, credentialData, modifierType };
  }
  async setPin(_how: string, of: number, credentialSlot: number, digits: string) {
    this.code = { by: this.air, of, digits };
    return { ...(await this.getPin(credentialSlot)), reportType: 0 };
  }
  async deletePin(_user: number, credentialSlot: number) {
    this.code = undefined;
    return { ...(await this.getPin(credentialSlot)), reportType: 2 };
  }
}

let lock: TellingLock;
let users: Users;
let memory: UserCredentialMemory;
beforeEach(() => {
  const host = new RecordingHost(hurriedClock(1));
  lock = new TellingLock();
  users = new Users("dsk-1", host.state);
  const seen = new Seen<Place>(host.clock);
  // Each act looks for itself.
  seen.note = () => undefined;
  memory = new UserCredentialMemory({ who: "it", slots: 9, shortest: 4, longest: 8, verbs: lock, users, seen });
  return () => host[Symbol.dispose]();
});

describe("clear()", () => {
  test("takes away a PIN of ours with its user", async () => {
    expect(await memory.write({ credential: pin, when: "always" }, slot, ask)).toMatchObject({
      result: "stored",
      proof: "read_back",
    });
    expect(await memory.clear(slot, ask)).toEqual({ result: "stored", slot, proof: "read_back" });
    expect([lock.user, users.isOurs(5)]).toEqual([by.nobody, false]);
  });

  test.each(["lock", "app"] as const)(
    "takes a PIN of ours from a user whom the owner has changed by %s",
    async (way) => {
      await memory.write({ credential: pin, when: "always" }, slot, ask);
      lock.user = by[way];
      expect(await memory.clear(slot, ask)).toEqual({ result: "stored", slot, proof: "read_back" });
      expect([lock.user, lock.code]).toEqual([by[way], undefined]);
    },
  );

  test("takes away what a lock holds that does not say by which way it came", async () => {
    lock.air = by.unknown;
    await memory.write({ credential: pin, when: "always" }, slot, ask);
    expect(await memory.clear(slot, ask)).toMatchObject({ result: "stored" });
    expect(lock.code).toBe(undefined);
  });

  test.each([
    ["changed at the lock", { by: by.lock, of: 5, digits: "1111" }],
    ["of another user", { by: by.radio, of: 7, digits: "1111" }],
  ])("leaves a PIN that is %s", async (_, code) => {
    await memory.write({ credential: pin, when: "always" }, slot, ask);
    lock.code = code;
    expect(await memory.clear(slot, ask)).toMatchObject({ result: "refused", reason: "forbidden" });
    expect(lock.code).toBe(code);
  });
});

describe("enable()", () => {
  const entry = { credential: pin, when: "always" } as const;

  test("makes the user of a PIN of ours inactive, and a write makes it active again, after the new PIN is there", async () => {
    await memory.write(entry, slot, ask);
    expect(await memory.enable(slot, entry, false, ask)).toEqual({ result: "stored", slot, proof: "read_back" });
    expect(await memory.read(slot, ask)).toMatchObject({ state: "known", disabled: true });
    const next = { credential: { kind: "pin", digits: new Secret("5822") }, when: "always" } as const;
    expect(await memory.write(next, slot, ask)).toMatchObject({ result: "stored", proof: "read_back" });
    expect([lock.activated, lock.active]).toEqual([["5822"], true]);
  });

  test.each([
    ["of the owner's", { by: by.lock, of: 5, digits: "0471" }],
    ["of another user", { by: by.radio, of: 7, digits: "0471" }],
    ["that is another", { by: by.radio, of: 5, digits: "1111" }],
  ])("leaves a PIN %s as it is", async (_, code) => {
    await memory.write(entry, slot, ask);
    lock.code = code;
    for (const on of [false, true]) {
      expect(await memory.enable(slot, entry, on, ask)).toMatchObject({ result: "refused", reason: "forbidden" });
    }
    expect(lock.active).toBe(true);
  });
});

test("write() with a window is refused by a lock that has users with credentials", async () => {
  const window = { startsAt: undefined, endsAt: instant(0), weekly: undefined, zone: "UTC" };
  const outcome = await memory.write({ credential: pin, when: window }, slot, ask);
  expect([outcome.result, lock.code]).toEqual(["refused", undefined]);
});

test("a user whom we did not add is nobody's whom we may write to or tidy away", async () => {
  lock.user = by.radio;
  expect(await memory.write({ credential: pin, when: "always" }, slot, ask)).toMatchObject({
    result: "refused",
    reason: "forbidden",
  });
  expect(await memory.read(slot, ask)).toEqual({ state: "opaque" });
  await memory.tidy(ask);
  expect([lock.user, lock.code]).toEqual([by.radio, undefined]);
});
