import { z } from "zod";
import type { Instant } from "../domain/instant.ts";

const form = /^\d{16} /;
/** Tells nobody anything but us, and us only where to go on: what was there then may be gone. */
const cursor = z.string().transform((text, context): string => {
  const read = Buffer.from(text, "base64url").toString("utf8");
  if (form.test(read)) return read;
  context.addIssue({ code: "custom", message: "Must be the next_page_cursor of a page that came before" });
  return z.NEVER;
});

/** The members of a command that lists a page at a time, as Seam's do. */
export const pageParameters = {
  limit: z.int().min(1).max(500).default(500),
  page_cursor: cursor.nullish(),
};
interface Asked {
  /** Undefined: all. */
  readonly limit?: number | undefined;
  readonly page_cursor?: string | null | undefined;
}

/** What is listed, oldest first. */
interface Listed {
  readonly id: string;
  readonly createdAt: Instant;
}

/** A part of what is listed, and how to get the next. */
export function pageOf<T extends Listed>(
  all: readonly T[],
  { limit = Number.POSITIVE_INFINITY, page_cursor: after }: Asked,
): { readonly page: readonly T[]; readonly pagination: object } {
  const left = all
    .map((one) => ({ one, key: `${String(Math.max(one.createdAt, 0)).padStart(16, "0")} ${one.id}` }))
    .filter(({ key }) => after == null || key > after)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const shown = left.slice(0, limit);
  const last = left.length > limit ? shown.at(-1) : undefined;
  return {
    page: shown.map(({ one }) => one),
    pagination: {
      next_page_cursor: last ? Buffer.from(last.key).toString("base64url") : null,
      has_next_page: last !== undefined,
      next_page_url: null,
    },
  };
}
