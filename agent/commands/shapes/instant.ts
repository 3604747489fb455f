import { z } from "zod";

/** A moment, as replies tell it: in UTC, to the millisecond. */
export const utc = z.iso.datetime();
