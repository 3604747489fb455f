import { createHash } from "node:crypto";
import { z } from "zod";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { type CredentialReceipt, pairState, type Reach, type ReceiptState } from "../domain/receipt.ts";
import { command } from "./command.ts";
import { nameOfGrant } from "./kept.ts";
import { device, userIdentity } from "./parameters.ts";
import { missingLine, placedLine } from "./receipt-line.ts";
import type { GrantRecord, Pair, PlacementRecord, Records } from "./records.ts";
import { receiptShape } from "./shapes/receipt.ts";

/** What is true now of one user identity on one device (WIRE, "Shapes that are ours"). */
export interface Receipt {
  readonly user_identity_id: UserIdentityId;
  readonly device_id: DeviceId;
  readonly state: ReceiptState;
  readonly grants: readonly string[];
  readonly credentials: readonly CredentialReceipt[];
}

export const access = [
  command({
    name: "access/list",
    parameters: z.object({ user_identity_id: userIdentity.optional(), device_id: device.optional() }),
    returns: { receipts: z.array(receiptShape), digest: z.string().describe("A hash of all grants, to compare") },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id }) {
      const of = { identity, device: id };
      return { receipts: receipts(records, of), digest: digestOf(records.grants(of)) };
    },
  }),
  command({
    name: "access/get",
    parameters: z.object({ user_identity_id: userIdentity, device_id: device }),
    returns: { receipt: receiptShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id }) {
      return { receipt: receiptOf(records, identity, id) };
    },
  }),
];

export function receiptOf(records: Records, identity: UserIdentityId, id: DeviceId): Receipt {
  const [receipt] = receipts(records, { identity, device: id });
  return receipt ?? { user_identity_id: identity, device_id: id, state: "gone", grants: [], credentials: [] };
}

/** Of every pair that has a grant, or of which something is still on a lock. */
function receipts(
  records: Pick<Records, "grants" | "placements" | "glance" | "isChoiceDue" | "reach">,
  of: Pair,
): readonly Receipt[] {
  const pairs = new Map<
    string,
    { identity: UserIdentityId; device: DeviceId; grants: GrantRecord[]; placed: PlacementRecord[] }
  >();
  const pairOf = (identity: UserIdentityId, on: DeviceId) => {
    const key = `${identity}\t${on}`;
    const pair = pairs.get(key) ?? { identity, device: on, grants: [], placed: [] };
    pairs.set(key, pair);
    return pair;
  };
  for (const grant of records.grants(of)) pairOf(grant.identity, grant.device).grants.push(grant);
  for (const placed of records.placements(of)) {
    pairOf(placed.placement.identity, placed.placement.device).placed.push(placed);
  }
  const devices = new Map(records.glance().map((each) => [each.id, each]));
  const reaches = new Map<string, Reach>();
  const reachOf = (placement: PlacementRecord["placement"]): Reach => {
    const key = `${placement.device}\t${placement.lock}`;
    const reach = reaches.get(key) ?? records.reach(placement);
    reaches.set(key, reach);
    return reach;
  };
  return [...pairs.values()].map(({ identity, device: on, grants: stands, placed }) => {
    const grants = stands.map(nameOfGrant);
    const reached = placed.map(({ placement }) => reachOf(placement));
    const lock = devices.get(on);
    const lines = placed.map((each, at) => placedLine(each, reached[at] ?? "away", stands, lock));
    const wants = placed.some(({ placement }) => placement.wanted);
    const credentials =
      wants || grants.length === 0 ? lines : [...lines, missingLine(records, { identity, device: on }, stands, lock)];
    const states = credentials
      .map(({ state }, at) => ({ state, wanted: placed[at]?.placement.wanted ?? true }))
      // What is left on a lock that is at no door opens none: who may use this one is not about to lose it.
      .filter(({ wanted }, at) => wanted || grants.length === 0 || reached[at] !== "lock_replaced");
    return { user_identity_id: identity, device_id: on, state: pairState(states), grants, credentials };
  });
}

/** sha256 (hex) of the bytewise sorted lines `identity TAB device TAB grant LF`: equal where both sides know the same grants. */
function digestOf(grants: readonly GrantRecord[]): string {
  const lines = grants.map((grant) => Buffer.from(`${grant.identity}\t${grant.device}\t${nameOfGrant(grant)}\n`));
  return createHash("sha256")
    .update(Buffer.concat(lines.toSorted((a, b) => Buffer.compare(a, b))))
    .digest("hex");
}
