import {
  BatteryCCGet,
  BatteryCCReport,
  type CommandClass,
  NotificationCCGet,
  NotificationCCReport,
  UserCodeCCGet,
  UserCodeCCReport,
  UserCredentialCCCredentialGet,
  UserCredentialCCCredentialReport,
  UserCredentialCCCredentialSet,
  UserCredentialCredentialReportType,
  UserCredentialModifierType,
  UserCredentialType,
  UserIDStatus,
} from "@zwave-js/cc";
import {
  createMockZWaveRequestFrame,
  type MockController,
  type MockNode,
  type MockNodeBehavior,
  type MockNodeResponse,
} from "@zwave-js/testing";
import { createDefaultMockNodeBehaviors } from "zwave-js/Testing";
import type { ZwaveClock } from "./zwave-clock.ts";
import { entryCommandOf, questionAfter, slotCommandOf, userCodeSetOf } from "./zwave-command.ts";
import type { ZwaveMemory } from "./zwave-memory.ts";
import { isMasked, longestPin, shortestPin, type ZwaveModel } from "./zwave-models.ts";
import type { ZwaveWindows } from "./zwave-windows.ts";

/**
 * How a lock treats what is sent to it. `reject`: refuses codes, and clears too. `lie`: says yes to them and does
 * nothing. `mask`: says stars for digits. `dead`: not even its radio answers. `ackonly`: its radio acknowledges, and
 * nothing is done. `storenoreply`: does what it is asked, and all that it says is lost. `stray`: before it tells of a slot
 * it tells of the next one, as where the answer to an earlier question comes late. `wipe`: a code that is written takes
 * away when its user may come.
 */
export const zwaveModes = ["ok", "reject", "lie", "mask", "dead", "ackonly", "storenoreply", "stray", "wipe"] as const;
export type ZwaveMode = (typeof zwaveModes)[number];

/** What an answer depends on. */
export interface Answering {
  readonly mode: ZwaveMode;
  readonly model: ZwaveModel;
  readonly memory: ZwaveMemory;
  readonly windows: ZwaveWindows;
  readonly clock: ZwaveClock;
  readonly battery: number;
}

/** Events of the notification type 6, "Access Control". */
const accessControl = 6;
export const events = {
  manualLock: 1,
  manualUnlock: 2,
  remoteLock: 3,
  remoteUnlock: 4,
  keypadUnlock: 6,
  allDeleted: 12,
  deleted: 13,
  added: 14,
  duplicate: 15,
  unlock: 0x24,
} as const;
const stateIdle = 0xfe;

const defaults: readonly MockNodeBehavior[] = createDefaultMockNodeBehaviors();

/** Does what a command asks, and says what the lock answers to it. */
export async function answer(
  cc: CommandClass,
  controller: MockController,
  node: MockNode,
  lock: Answering,
): Promise<MockNodeResponse | undefined> {
  const nodeId = controller.ownNodeId;
  if (cc instanceof BatteryCCGet) return { action: "sendCC", cc: new BatteryCCReport({ nodeId, level: lock.battery }) };
  if (cc instanceof NotificationCCGet) {
    const idle = { notificationType: accessControl, notificationEvent: stateIdle, notificationStatus: 0xff };
    return { action: "sendCC", cc: new NotificationCCReport({ nodeId, ...idle }) };
  }
  const told = lock.clock.answer(cc, nodeId);
  if (told) return told === "done" ? { action: "ok" } : { action: "sendCC", cc: told };
  if (lock.mode === "stray") await stray(cc, controller, node, lock);
  const masked = maskedAnswer(cc, nodeId, lock);
  if (masked) return { action: "sendCC", cc: masked };
  const command = slotCommandOf(cc);
  if (!command || command.what === "read") return mockAnswer(cc, controller, node);
  if (lock.mode === "reject" && isOfCodes(cc)) return rejection(cc, controller, node);
  // What it says is what it would say, had it done it.
  if (lock.mode === "lie") return mockAnswer(cc, controller, shadow(node, { state: new Map(node.state) }));
  const refused = await objection(cc, node, lock);
  if (refused) return refused;
  const response = await mockAnswer(cc, controller, node);
  note(cc, lock);
  return response;
}

/** What a command has done that zwave-js's mock does not keep. */
function note(cc: CommandClass, { model, mode, windows }: Answering): void {
  const entry = entryCommandOf(cc);
  if (entry?.what === "write") windows.set(entry.userId, entry.kind);
  const code = userCodeSetOf(cc);
  if (!code) return;
  const isGone = code.userIdStatus === UserIDStatus.Available;
  if (isGone) windows.forgetCode(code.userId);
  if (mode === "wipe" || (isGone && model === "timed-2")) windows.wipe(code.userId);
}

async function stray(cc: CommandClass, controller: MockController, node: MockNode, lock: Answering): Promise<void> {
  const earlier = questionAfter(cc);
  const { model, memory, windows, clock, battery } = lock;
  const obedient = { mode: "ok", model, memory, windows, clock, battery } as const;
  const late = earlier && (await answer(earlier, controller, node, obedient));
  if (late?.action === "sendCC") await say(node, late.cc);
}

/** The same node with some of its parts replaced. */
export function shadow(node: MockNode, parts: Partial<Pick<MockNode, "state" | "sendToController">>): MockNode {
  return new Proxy(node, {
    get: (target, name) => {
      if (name === "state" && parts.state) return parts.state;
      if (name === "sendToController" && parts.sendToController) return parts.sendToController;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

export async function say(node: MockNode, cc: CommandClass): Promise<void> {
  await node.sendToController(createMockZWaveRequestFrame(cc, { ackRequested: false }));
}

async function mockAnswer(
  cc: CommandClass,
  controller: MockController,
  node: MockNode,
): Promise<MockNodeResponse | undefined> {
  for (const { handleCC } of defaults) {
    const response = await handleCC?.(controller, node, cc);
    if (response) return response;
  }
  return undefined;
}

/** Some old locks hide codes behind stars; a User Credential lock may say only that there is one. */
function maskedAnswer(cc: CommandClass, nodeId: number, { mode, model, memory }: Answering): CommandClass | undefined {
  if (mode !== "mask" && !isMasked(model)) return undefined;
  if (cc instanceof UserCodeCCGet) {
    const code = memory.codeAt(cc.userId);
    if (code === undefined) return undefined;
    const { userId } = cc;
    return new UserCodeCCReport({
      nodeId,
      userId,
      userIdStatus: memory.isOn(userId) ? UserIDStatus.Enabled : UserIDStatus.Disabled,
      userCode: "*".repeat(code.length),
    });
  }
  if (!(cc instanceof UserCredentialCCCredentialGet) || cc.credentialType !== UserCredentialType.PINCode)
    return undefined;
  if (memory.codeAt(cc.credentialSlot) === undefined) return undefined;
  return new UserCredentialCCCredentialReport({
    nodeId,
    reportType: UserCredentialCredentialReportType.ResponseToGet,
    userId: cc.credentialSlot,
    credentialType: cc.credentialType,
    credentialSlot: cc.credentialSlot,
    credentialReadBack: false,
    modifierType: UserCredentialModifierType.ZWave,
    modifierNodeId: nodeId,
    nextCredentialType: UserCredentialType.None,
    nextCredentialSlot: 0,
  });
}

/** Of a User Credential lock: the user may come, the code may not. When a user may come is not what it objects to. */
const isOfCodes = (cc: CommandClass): boolean =>
  slotCommandOf(cc)?.what === "clear" || userCodeSetOf(cc) !== undefined || cc instanceof UserCredentialCCCredentialSet;

async function rejection(cc: CommandClass, controller: MockController, node: MockNode): Promise<MockNodeResponse> {
  if (cc instanceof UserCredentialCCCredentialSet && slotCommandOf(cc)?.what === "write") {
    await say(node, refused(cc, controller.ownNodeId));
  }
  return { action: "fail" };
}

const refused = (cc: UserCredentialCCCredentialSet, nodeId: number): CommandClass =>
  new UserCredentialCCCredentialReport({
    nodeId,
    reportType: UserCredentialCredentialReportType.ManufacturerSecurityRules,
    userId: cc.userId,
    credentialType: cc.credentialType,
    credentialSlot: cc.credentialSlot,
    credentialReadBack: false,
    modifierType: UserCredentialModifierType.DoesNotExist,
    modifierNodeId: 0,
  });

/** User Code locks refuse what does not fit and what another user has; zwave-js's mock of them takes everything. */
async function objection(
  cc: CommandClass,
  node: MockNode,
  { memory, model }: Answering,
): Promise<MockNodeResponse | undefined> {
  const entry = entryCommandOf(cc);
  // As the command class has it: of an identified user who has a code.
  if (entry && entry.what !== "read" && model === "timed-2" && memory.codeAt(entry.userId) === undefined) {
    return { action: "fail" };
  }
  const set = userCodeSetOf(cc);
  if (set?.userId === 0) {
    // User 0 stands for all of them: zwave-js's mock of version 1 does not know that.
    memory.forget();
    return { action: "ok" };
  }
  if (!set || set.userIdStatus === UserIDStatus.Available) return undefined;
  const code = textOf(set.userCode);
  if (code.length < shortestPin || code.length > longestPin(model)) return { action: "fail" };
  const holder = memory.find(code);
  if (holder === undefined || holder === set.userId) return undefined;
  await say(node, notificationOf(node.controller.ownNodeId, events.duplicate));
  return { action: "fail" };
}

/** An event of the type "Access Control", of a user where it has one. */
export function notificationOf(nodeId: number, event: number, user?: number): CommandClass {
  // The parameters of such events are the beginning of a User Code Report.
  const about =
    user === undefined ? {} : { eventParameters: Uint8Array.from([0x63, 0x03, user, UserIDStatus.Enabled]) };
  return new NotificationCCReport({ nodeId, notificationType: accessControl, notificationEvent: event, ...about });
}

/** A User Credential lock was opened by a user's PIN, which has the same number: it tells what was used, in bytes of its own. */
export const unlockOf = (nodeId: number, user: number): CommandClass =>
  new NotificationCCReport({
    nodeId,
    notificationType: accessControl,
    notificationEvent: events.unlock,
    eventParameters: Uint8Array.of(user >> 8, user & 0xff, 1, UserCredentialType.PINCode, user >> 8, user & 0xff),
  });

const textOf = (code: string | Uint8Array | undefined): string =>
  typeof code === "string" ? code : Buffer.from(code ?? []).toString("ascii");
