import { z } from "zod";
import { command } from "./command.ts";
import { accessGrant, device, moment, plainText, userIdentity } from "./parameters.ts";
import { Refused } from "./refusal.ts";
import { eventShape } from "./shapes/event.ts";

const most = 500;
const types = z.array(plainText).max(most);
const ids = z.array(plainText).max(most);

const query = z
  .object({
    after: z.int().min(0).default(0),
    since: moment.optional(),
    between: z.tuple([moment, moment]).optional(),
    event_type: plainText.optional(),
    event_types: types.optional(),
    device_id: device.optional(),
    device_ids: z.array(device).max(most).optional(),
    user_identity_id: userIdentity.optional(),
    access_code_id: plainText.optional(),
    access_code_ids: ids.optional(),
    access_grant_id: accessGrant.optional(),
    access_grant_ids: ids.optional(),
    limit: z.int().min(1).max(most).default(most),
  })
  .refine(({ since, between }) => since === undefined || between === undefined, {
    path: ["between"],
    error: "Give either since or between",
  })
  .refine(({ between }) => between === undefined || between[0] <= between[1], {
    path: ["between"],
    error: "Must not end before it begins",
  });

export const events = [
  command({
    name: "events/get",
    parameters: z.object({ event_id: plainText }),
    returns: { event: eventShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, { event_id: id }) {
      const event = records.eventWith(id);
      if (!event) {
        throw new Refused("event_not_found", "There is no such event, or it is older than what is kept", 404);
      }
      return { event };
    },
  }),
  command({
    name: "events/list",
    parameters: query,
    returns: { events: z.array(eventShape), epoch: z.string() },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, asked) {
      const { after, limit, since, between } = asked;
      const found = records.eventsOf({
        after,
        limit,
        from: since ?? between?.[0],
        until: between?.[1],
        types: both(asked.event_type, asked.event_types),
        devices: both(asked.device_id, asked.device_ids),
        identities: both(asked.user_identity_id, undefined),
        accessCodes: both(asked.access_code_id, asked.access_code_ids),
        accessGrants: both(asked.access_grant_id, asked.access_grant_ids),
      });
      return { events: found, epoch: records.epoch };
    },
  }),
];

/** What is named one by one, and what is named as a list: one of them all. Undefined: any. */
const both = (one: string | undefined, list: readonly string[] | undefined): readonly string[] | undefined =>
  one === undefined ? list : [one, ...(list ?? [])];
