import { z } from "zod";
import type { House, Told } from "./house.ts";

const event = z.looseObject({
  number: z.int(),
  event_type: z.string(),
  device_id: z.string().nullish(),
  user_identity_id: z.string().nullish(),
  evidence: z.string().nullish(),
  reason: z.string().nullish(),
});
export type SeenEvent = z.output<typeof event>;
const events = z.object({ events: z.array(event) });

const receipt = z.looseObject({
  user_identity_id: z.string(),
  device_id: z.string(),
  state: z.string(),
  credentials: z.array(
    z.looseObject({ state: z.string(), evidence: z.string().nullish(), reason: z.string().nullish() }),
  ),
});
type SeenReceipt = z.output<typeof receipt>;
const receipts = z.object({ receipts: z.array(receipt) });

/** Looks at a house again and again, and tells what is new: its events, and what its receipts say. */
export class Watch {
  /** All that have come, in their order. */
  readonly events: SeenEvent[] = [];
  readonly #house: House;
  readonly #tell: (told: Told) => void;
  /** What was told last of each pair. */
  readonly #told = new Map<string, string>();

  constructor(house: House, tell: (told: Told) => void) {
    this.#house = house;
    this.#tell = tell;
  }

  async look(): Promise<void> {
    const fresh = events.safeParse(
      await this.#house.ask("events/list", { after: this.events.at(-1)?.number ?? 0 }),
    ).data;
    for (const one of fresh?.events ?? []) {
      this.events.push(one);
      this.#tell(eventTold(one));
    }
    const listed = receipts.safeParse(await this.#house.ask("access/list", {})).data;
    for (const one of listed?.receipts ?? []) this.#compare(one);
  }

  #compare(one: SeenReceipt): void {
    const told = receiptTold(one);
    const pair = JSON.stringify([one.user_identity_id, one.device_id]);
    if (this.#told.get(pair) === told.words) return;
    this.#told.set(pair, told.words);
    this.#tell(told);
  }
}

function eventTold({ event_type: type, user_identity_id: person, device_id: lock, evidence, reason }: SeenEvent): Told {
  const fields = {
    event_type: type,
    person: person ?? null,
    lock: lock ?? null,
    evidence: evidence ?? null,
    reason: reason ?? null,
  };
  return { kind: "event", words: words(type, person, lock, evidence, reason), fields };
}

function receiptTold({ user_identity_id: person, device_id: lock, state, credentials }: SeenReceipt): Told {
  const { evidence, reason } = credentials.find((one) => one.state === state) ?? {};
  const fields = { person, lock, state, evidence: evidence ?? null, reason: reason ?? null };
  return { kind: "receipt", words: words(state, person, lock, evidence, reason), fields };
}

const words = (
  what: string,
  person: string | null | undefined,
  lock: string | null | undefined,
  ...why: readonly (string | null | undefined)[]
): string => {
  const because = why.filter((word) => word).join(", ");
  return [what, person, lock, because && `(${because})`].filter((word) => word).join(" ");
};
