import { Refused } from "../commands/refusal.ts";

/** What every door over HTTP says to who is not understood, whatever it is built with. */
export const tooLong = (): Refused => new Refused("invalid_input", "the body is over 64 KiB", 413);
export const unreadable = (): Refused => new Refused("invalid_input", "the request cannot be read");
export const ownFault = (): Refused => new Refused("internal_error", "the agent failed at this: its log says why", 500);
