import { Secret } from "../../agent/domain/secret.ts";
import { abilitiesOf } from "./capabilities.ts";
import type { Command } from "./commands.ts";
import type { Happening } from "./happening.ts";
import type { Reply } from "./replies.ts";

/** What a reply tells of a reader, or of who stands before it. What is withdrawn from the standard tells nothing. */
export function reportsOf(reply: Reply, asked: Command, stale: boolean): readonly Happening[] {
  if (reply.reply === "COM") {
    const { address, baud } = reply;
    return asked.command === "COMSET" ? [{ happening: "moved", address, baud }] : [];
  }
  const report = reportOf(reply, stale);
  return report ? [report] : [];
}

function reportOf(reply: Reply, stale: boolean): Happening | undefined {
  if (reply.reply === "RAW") {
    return { happening: "card", reader: reply.reader, format: reply.format, card: reply.card, stale };
  }
  if (reply.reply === "KEYPAD") return keysIn(reply.reader, reply.keys, stale);
  if (reply.reply === "PDID") return { happening: "identity", identity: reply };
  if (reply.reply === "PDCAP") return { happening: "abilities", abilities: abilitiesOf(reply.capabilities) };
  if (reply.reply === "LSTATR") return { happening: "status", tamper: reply.tamper, power: reply.power };
  if (reply.reply === "ISTATR") return { happening: "inputs", states: reply.inputs };
  if (reply.reply === "OSTATR") return { happening: "outputs", states: reply.outputs };
  if (reply.reply === "RSTATR") return { happening: "readers", states: reply.readers };
  return undefined;
}

/** Bytes that are no key are left out (reference 4.3). */
function keysIn(reader: number, characters: Secret, stale: boolean): Happening | undefined {
  const keys = characters
    .reveal()
    .replaceAll("\x7f", "*")
    .replaceAll("\r", "#")
    .replaceAll(/[^0-9*#]/g, "");
  return keys === "" ? undefined : { happening: "keys", reader, keys: new Secret(keys), stale };
}
