import { z } from "zod";
import type { House } from "./house.ts";
import type { Step } from "./scenario.ts";
import type { SeenEvent } from "./watch.ts";

export type Expectation = NonNullable<Step["expect"]>;

/** What was found of what is expected, by the same names. */
export type Found = Readonly<Record<string, unknown>>;

const credential = z.looseObject({ state: z.string(), evidence: z.string().nullish(), reason: z.string().nullish() });
const got = z.object({ receipt: z.looseObject({ state: z.string(), credentials: z.array(credential) }) });
const looked = z.object({ slots: z.array(z.looseObject({ label: z.string(), opens: z.boolean() })) });
const devices = z.object({
  devices: z.array(
    z.looseObject({ device_id: z.string(), properties: z.looseObject({ battery_level: z.number().optional() }) }),
  ),
});

/**
 * What is so now, of what is expected.
 *
 * @param fresh events that have come since the step before.
 */
export async function look(expected: Expectation, house: House, fresh: readonly SeenEvent[]): Promise<Found> {
  return {
    ...(await receiptOf(expected, house)),
    ...(await insideOf(expected, house)),
    ...(await batteryOf(expected, house)),
    ...eventOf(expected, fresh),
  };
}

/** Whether all that is expected was found. */
export function isMet(
  { receipt, evidence, reason, opens, holds, event, battery_below: below }: Expectation,
  found: Found,
): boolean {
  const is = (name: string, wanted: unknown): boolean => wanted === undefined || found[name] === wanted;
  return (
    is("receipt", receipt) &&
    is("evidence", evidence) &&
    is("reason", reason) &&
    is("opens", opens) &&
    is("event", event) &&
    is("holds", holds && namesOf(holds)) &&
    (below === undefined || (typeof found["battery_below"] === "number" && found["battery_below"] <= below))
  );
}

async function receiptOf({ person, lock, receipt, evidence, reason }: Expectation, house: House): Promise<Found> {
  if (receipt === undefined && evidence === undefined && reason === undefined) return {};
  const reply = got.safeParse(await house.ask("access/get", { user_identity_id: person, device_id: lock })).data
    ?.receipt;
  if (!reply) return { receipt: "nobody answers" };
  const line = reply.credentials.find(({ state }) => state === reply.state) ?? reply.credentials[0];
  return { receipt: reply.state, evidence: line?.evidence ?? undefined, reason: line?.reason ?? undefined };
}

async function insideOf({ person, lock, opens, holds }: Expectation, house: House): Promise<Found> {
  if (opens === undefined && holds === undefined) return {};
  const inside = looked.safeParse(await house.ask("simulate/look", { lock })).data;
  if (!inside) return { holds: "nobody answers" };
  const { slots } = inside;
  return {
    ...(holds ? { holds: namesOf(slots.map(({ label }) => label)) } : {}),
    ...(opens === undefined ? {} : { opens: slots.some((slot) => slot.label === person && slot.opens) }),
  };
}

async function batteryOf({ lock, battery_below: below }: Expectation, house: House): Promise<Found> {
  if (below === undefined) return {};
  const all = devices.safeParse(await house.ask("devices/list", {})).data?.devices ?? [];
  return { battery_below: all.find(({ device_id: id }) => id === lock)?.properties.battery_level };
}

function eventOf({ person, lock, event }: Expectation, fresh: readonly SeenEvent[]): Found {
  if (event === undefined) return {};
  const isIt = ({ event_type: type, user_identity_id: who, device_id: where }: SeenEvent): boolean =>
    type === event && (person === undefined || who === person) && (lock === undefined || where === lock);
  return { event: fresh.some(isIt) ? event : undefined };
}

const namesOf = (names: readonly string[]): string => names.toSorted().join(", ");
