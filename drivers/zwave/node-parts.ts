import type { ZWaveNode } from "zwave-js";
import type { Library } from "./library.ts";

/** What a node is to us. */
export interface NodeParts {
  readonly codes: boolean;
  /** It can be told to lock and unlock, now. */
  readonly bolt: boolean;
  /** It tells what happens at it by notifications. */
  readonly notifications: boolean;
}

/** By what the interview has found. */
export function partsOf(node: ZWaveNode, { CommandClasses }: Library): NodeParts {
  const has = (name: keyof typeof CommandClasses): boolean => node.supportsCC(CommandClasses[name]);
  return {
    codes: has("User Credential") || has("User Code"),
    // One that wakes up from time to time has none: zwave-js would keep what it is told until it does (Law 10). One that
    // listens every second (FLiRS) does not sleep in this sense.
    bolt: has("Door Lock") && node.canSleep === false,
    notifications: has("Notification"),
  };
}

/**
 * The key that a lock was made with, where it was included by it; else the place that it was given in this network, which
 * no other lock gets without being included anew, with what it is.
 */
export function identityOf({ node, homeId }: { readonly node: ZWaveNode; readonly homeId: number }): string {
  if (node.dsk) return `dsk-${Buffer.from(node.dsk).toString("hex")}`;
  const product = [node.manufacturerId, node.productType, node.productId].map(hex).join("-");
  return `zwave-${homeId.toString(16)}-${node.id}-${product}`;
}

const hex = (number: number | undefined): string => (number ?? 0).toString(16).padStart(4, "0");
