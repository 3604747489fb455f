import type { Suspicion } from "./happening.ts";

/** What was noticed, in words for an operator. */
export const suspicionWords: Readonly<Record<Suspicion, string>> = {
  mac: "a reply was not proven by its key: somebody changes what is said, or the reader has lost its session",
  padding: "a reply could not be decrypted",
  clear: "something was said in clear that has to be encrypted",
  layout: "a reply is not built as one of the Secure Channel",
  wrong_key: "the reader has none of the keys that we have for it",
  default_key: "the reader asks for the key that everybody knows, as one does that was reset or exchanged",
  key_refused: "the reader does not take part in the Secure Channel",
  foreign_panel: "somebody else gives commands on the line",
  wants_channel: "the reader is configured to be spoken to in clear, and does not want to be",
};
