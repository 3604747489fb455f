import type { Sight } from "../../../simulator/witness.ts";
import type { CloudEvent } from "../support/cloud.ts";

/** A code in a slot of a lock, from when until when. */
interface Stay {
  readonly lock: string;
  readonly whose: string | undefined;
  readonly from: number;
  readonly to: number;
}

interface Claims {
  /** Each event once. */
  readonly events: readonly CloudEvent[];
  /** The name of a lock is that of its device. */
  readonly sights: readonly Sight[];
  /** Whose a code is, or was. */
  readonly owners: ReadonlyMap<string, string>;
}

/**
 * What the agent has told the cloud and was not so.
 *
 * `access.live` of a pair: at that time a code of that person is in that lock. `access.gone` of a pair: from then on,
 * until the pair is granted again, no code of that person is in that lock.
 */
export function falseClaims({ events, sights, owners }: Claims): readonly string[] {
  const stays = staysOf(sights, owners);
  const inOrder = events.toSorted((a, b) => a.number - b.number);
  return inOrder.flatMap((event, index) => {
    const { event_type: type, user_identity_id: person, device_id: device, number, reason } = event;
    const said = `event ${number}, ${type}, of ${person} on ${device} (${event.evidence ?? reason})`;
    const at = timeOf(event);
    const theirs = stays.filter(({ lock, whose }) => lock === device && whose === person);
    if (type === "access.live") {
      return theirs.some(({ from, to }) => from <= at && to >= at) ? [] : [`${said}: no code of theirs is there`];
    }
    if (type !== "access.gone") return [];
    const again = inOrder.slice(index).find((later) => isGrantOf(later, event));
    const until = again ? timeOf(again) : Number.POSITIVE_INFINITY;
    const found = theirs.find(({ from, to }) => to > at && from < until);
    return found ? [`${said}: a code of theirs is there ${found.from - at} to ${found.to - at} ms later`] : [];
  });
}

const isGrantOf = (event: CloudEvent, of: CloudEvent): boolean =>
  event.event_type === "access.accepted" &&
  event.user_identity_id === of.user_identity_id &&
  event.device_id === of.device_id;

const timeOf = (event: CloudEvent): number => Date.parse(String(event["occurred_at"]));

function staysOf(sights: readonly Sight[], owners: ReadonlyMap<string, string>): readonly Stay[] {
  const changes = sights.filter(({ happened }) => happened !== "rewritten_blindly").toSorted((a, b) => a.at - b.at);
  return changes.flatMap((sight, index) => {
    if (sight.happened !== "stored") return [];
    const next = changes.slice(index + 1).find(({ lock, slot }) => lock === sight.lock && slot === sight.slot);
    const to = next?.at ?? Number.POSITIVE_INFINITY;
    return [{ lock: sight.lock, whose: owners.get(sight.code), from: sight.at, to }];
  });
}
