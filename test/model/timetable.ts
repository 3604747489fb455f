import type { World } from "../support/world.ts";

const minute = 60_000;
/** All windows begin and end at such times: so that all can come to rest in between. */
export const edgeEvery = 30 * minute;
export const edgeAfter = (at: number): number => at + edgeEvery - (at % edgeEvery);

interface Given {
  readonly id: string;
  readonly person: string;
  /** Doors by their number. */
  readonly doors: readonly number[];
  readonly startsAt: number;
  endsAt: number;
  /** Of each day, in minutes; the second is the earlier one where it is past midnight. */
  daily: readonly [from: number, to: number] | undefined;
  /** What somebody changes at the lock stands. */
  readonly isExternal: boolean;
}

/** What was granted for a time, as whoever granted it knows: by plain counting, in UTC. */
export class Timetable {
  readonly #given: Given[] = [];

  /** @param luck five numbers from 0 up to 1. */
  give(world: World, person: string, doors: readonly number[], luck: readonly number[]): void {
    const now = world.clock.now();
    const [startsAt, endsAt] = [edge(now, luck[0], 3), edge(now, luck[1], 12)];
    const daily = dailyAround(now, luck[2]);
    const isOpenEnded = (luck[3] ?? 0) < 0.3;
    const isExternal = (luck[4] ?? 0) < 0.2;
    const { ok, access_grant: grant } = world.ask("access_grants/create", {
      user_identity_id: person,
      device_ids: doors.map((at) => world.device(at)),
      starts_at: iso(startsAt),
      ends_at: isOpenEnded ? null : iso(Math.max(endsAt, startsAt + edgeEvery)),
      schedule: daily ? [scheduleOf(daily)] : null,
      allow_external_modification: isExternal,
    });
    if (!ok) return;
    world.count("given_for_a_time");
    if (isExternal) world.count("given_external");
    this.#given.push({
      id: idOf(grant),
      person,
      doors,
      startsAt: Math.max(startsAt, now),
      endsAt: isOpenEnded ? Number.POSITIVE_INFINITY : Math.max(endsAt, startsAt + edgeEvery),
      daily,
      isExternal,
    });
  }

  /** Another end, or other times of the day. */
  change(world: World, which: number, luck: readonly number[]): void {
    const grant = this.#given[which % Math.max(this.#given.length, 1)];
    if (!grant) return;
    const now = world.clock.now();
    if ((luck[0] ?? 0) < 0.5) {
      const endsAt = Math.max(edge(now, luck[1], 12) + edgeEvery, grant.startsAt + edgeEvery);
      if (world.ask("access_grants/update", { access_grant_id: grant.id, ends_at: iso(endsAt) }).ok)
        grant.endsAt = endsAt;
    } else {
      const daily = dailyAround(now, luck[2]);
      const schedule = daily ? [scheduleOf(daily)] : null;
      if (world.ask("access_grants/update", { access_grant_id: grant.id, schedule }).ok) grant.daily = daily;
    }
    world.count("time_changed");
  }

  take(world: World, which: number): void {
    const [grant] = this.#given.splice(which % Math.max(this.#given.length, 1), 1);
    if (grant && world.ask("access_grants/delete", { access_grant_id: grant.id }).ok) world.count("time_taken");
  }

  /** Who may use which door at a time: `person door`. */
  open(at: number): string[] {
    return pairsOf(
      this.#given.filter(({ startsAt, endsAt, daily }) => startsAt <= at && at < endsAt && isIn(daily, at)),
    );
  }

  /** Who has a grant for a door that has not ended, open or not. */
  standing(at: number): string[] {
    return pairsOf(this.#given.filter(({ endsAt }) => at < endsAt));
  }

  /** Whose code may be changed at the lock of which door, by some of their grants. */
  external(): string[] {
    return pairsOf(this.#given.filter(({ isExternal }) => isExternal));
  }
}

const pairsOf = (given: readonly Given[]): string[] =>
  given.flatMap(({ person, doors }) => doors.map((door) => `${person} ${door}`));

function isIn(daily: Given["daily"], at: number): boolean {
  if (!daily) return true;
  const [from, to] = daily;
  const shown = Math.floor(at / minute) % 1440;
  return to > from ? from <= shown && shown < to : from <= shown || shown < to;
}

/** One of the next edges, the one after `now` first. */
const edge = (now: number, luck = 0, most: number): number =>
  (Math.floor(now / edgeEvery) + Math.floor(luck * most)) * edgeEvery;

/** Some hours around this time of the day; undefined: always. */
function dailyAround(now: number, luck = 0): readonly [number, number] | undefined {
  if (luck < 0.4) return undefined;
  const here = Math.floor((now % (24 * 60 * minute)) / edgeEvery) * 30;
  const from = (here + 1440 + (Math.floor(luck * 1000) % 5) * 30 - 60) % 1440;
  const to = (from + 30 + (Math.floor(luck * 10_000) % 6) * 30) % 1440;
  return [from, to];
}

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const scheduleOf = ([from, to]: readonly [number, number]): object => ({
  days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
  from: clock(from),
  to: clock(to),
});
const iso = (at: number): string => new Date(at).toISOString();
const idOf = (grant: unknown): string =>
  typeof grant === "object" && grant !== null && "access_grant_id" in grant ? String(grant.access_grant_id) : "";
