import type { Command } from "commander";
import { z } from "zod";
import { addAccessVerb } from "./access-verb.ts";
import { proofOf, standOf } from "./receipt.ts";
import { shellWord, type Verb } from "./shell.ts";

/** `latchd grant`: somebody may use a device from now on. */
export function grant(program: Command, verb: Verb): void {
  addAccessVerb(program, verb, {
    name: "grant",
    description: "let somebody use a device: latchd makes a PIN and puts it on the lock",
    waitsUntil: "the code is on the lock",
    command: "user_identities/grant_access_to_device",
    reply: z.looseObject({ ok: z.literal(true) }),
    ended: () => undefined,
    accepted: ({ person, device }) =>
      `Accepted: ${person} may use ${device.name}. latchd list shows when the lock has the code.\n`,
    isSettled: (state) => state === "live" || state === "refused",
    settled(receipt, { person, device }) {
      if (receipt?.state === "live") {
        const proof = proofOf(receipt) || "the lock has it";
        const how = `npx latchd code ${shellWord(person)} ${shellWord(device.name)}`;
        return `Access to ${device.name} is live: ${proof}.\nThe code: ${how}\n`;
      }
      if (receipt?.state === "refused") {
        return { text: `Accepted, but the lock does not take it. ${standOf(receipt)}\n`, exit: 1 };
      }
      const stand = receipt ? standOf(receipt) : "waiting";
      return `Accepted, and not live yet (${stand}). latchd goes on trying by itself.\n`;
    },
  });
}
