import { Secret } from "./secret.ts";

/** Without 0, O, I and l, which people take for each other. */
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const idLength = 8;
/** 140 bits. */
const secretLength = 24;

/** What sorts of things clients show, told from their beginnings (reference: seam-api, section 2). */
export type TokenKind =
  | "api_key"
  | "personal_access_token"
  | "client_session"
  | "publishable_key"
  | "console_session"
  | "unknown";

/** @param pick a whole number below the given one, each as likely, that nobody can guess. */
export function newKey(
  kind: "api_key" | "personal_access_token",
  pick: (below: number) => number,
): { readonly id: string; readonly key: Secret } {
  const letters = (count: number): string =>
    Array.from({ length: count }, () => base58.charAt(pick(base58.length))).join("");
  // A digit in front: else it could come out as one of the other beginnings.
  const id = `${base58.charAt(pick(9))}${letters(idLength - 1)}`;
  const secret = letters(secretLength);
  return { id, key: new Secret(`${kind === "api_key" ? "seam" : "seam_at1"}_${id}_${secret}`) };
}

export function tokenKind(text: string): TokenKind {
  if (text.startsWith("seam_cst")) return "client_session";
  if (text.startsWith("seam_pk")) return "publishable_key";
  if (text.startsWith("seam_at")) return "personal_access_token";
  if (text.startsWith("seam_")) return "api_key";
  return text.startsWith("ey") ? "console_session" : "unknown";
}
