import { z } from "zod";

export const paginationShape = z
  .strictObject({
    next_page_cursor: z.string().nullable().describe("What to give as page_cursor for the next page"),
    has_next_page: z.boolean(),
    next_page_url: z.string().nullable().describe("Always null: give page_cursor instead"),
  })
  .meta({ id: "pagination", description: "Where a list goes on" });
