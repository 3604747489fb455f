import type { Command } from "commander";
import { z } from "zod";
import { addAccessVerb } from "./access-verb.ts";
import { proofOf, standOf } from "./receipt.ts";
import type { Verb } from "./shell.ts";

/** `latchd revoke`: somebody may not use a device any more. */
export function revoke(program: Command, verb: Verb): void {
  addAccessVerb(program, verb, {
    name: "revoke",
    description: "take somebody's access to a device away: latchd removes the code and checks that it is gone",
    waitsUntil: "the code is off the lock",
    command: "user_identities/revoke_access_to_device",
    reply: z.looseObject({
      ok: z.literal(true),
      still_granted_by: z.array(z.looseObject({ access_grant_id: z.string() })).default([]),
    }),
    ended({ still_granted_by: others }, { person, device }) {
      if (others.length === 0) return undefined;
      const names = others.map(({ access_grant_id: id }) => id).join(", ");
      return `The direct grant is gone, but ${person} may still use ${device.name}, by access grant ${names}.\n`;
    },
    accepted: ({ device }) =>
      `Accepted. latchd list shows the access to ${device.name} until the code is proven gone.\n`,
    isSettled: (state) => state === undefined || state === "gone",
    settled(receipt, { device }) {
      if (receipt === undefined || receipt.state === "gone") {
        const proof = receipt && proofOf(receipt);
        return `Access to ${device.name} is gone${proof ? `: ${proof}` : ""}.\n`;
      }
      return `Accepted, but the code may still open ${device.name} (${standOf(receipt)}).\nlatchd goes on by itself until the lock proves that it is gone.\n`;
    },
  });
}
