import { Secret } from "../../agent/domain/secret.ts";
import { textToBits } from "./bit-string.ts";
import type { Command } from "./commands.ts";
import { Key } from "./key.ts";
import { nakWords } from "./nak.ts";
import type { Reply } from "./replies.ts";

/** What a command or a reply says, for people. */
export interface Words {
  /** As the standard calls it, or its code. */
  readonly name: string;
  /** Its fields; what is secret in them is not shown. */
  readonly text: string;
}

export function wordsOf(said: Command | Reply): Words {
  if ("command" in said) {
    const { command, ...fields } = said;
    return command === "other" ? unknown(said) : { name: command, text: shown(fields) };
  }
  const { reply, ...fields } = said;
  if (said.reply === "other") return unknown(said);
  if (said.reply === "NAK") return { name: reply, text: `error=${said.error} (${nakWords(said.error)})` };
  const count = said.reply === "RAW" ? ` bits=${textToBits(said.card.reveal()).count}` : "";
  return { name: reply, text: `${shown(fields)}${count}` };
}

/** The code of something whose name or contents are not known. */
export const codeName = (code: number): string => `0x${code.toString(16).padStart(2, "0")}`;

const unknown = ({ code, data }: { readonly code: number; readonly data: Uint8Array }): Words => ({
  name: codeName(code),
  text: shown(data),
});

function shown(value: unknown): string {
  if (value instanceof Secret || value instanceof Key) return "[secret]";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(nested).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, field]) => `${name}=${nested(field)}`)
    .join(" ");
}

function nested(value: unknown): string {
  const text = shown(value);
  return typeof value === "object" && text.includes("=") && !Array.isArray(value) ? `{${text}}` : text;
}
