import type { AccessGrant } from "../commands/records.ts";
import { forceOf, hasEnded } from "../domain/force.ts";
import type { AccessGrantId, DeviceId, UserIdentityId } from "../domain/ids.ts";
import { type Instant, instant, later, type Milliseconds, toIso } from "../domain/instant.ts";
import { massExpiry } from "../domain/mass-expiry.ts";
import type { Window } from "../domain/schedule.ts";
import type { TimeZones } from "../domain/time-zone.ts";
import type { AccessGrants } from "./access-grants.ts";
import type { Choices } from "./choices.ts";
import type { ClockRecord } from "./clock-record.ts";
import type { Grants, Standing } from "./grants.ts";
import type { Journal } from "./journal.ts";
import type { PlacementLedger } from "./ledger.ts";

/** Grants that are looked at in one transaction: nothing else happens meanwhile. */
const atOnce = 100;
/** So long after the last look the agent was away, or the clock was set. */
const awayFor: Milliseconds = 10 * 60_000;
/** How often it is written down that somebody has looked. */
const notedEvery: Milliseconds = 5 * 60_000;
const heldFor: Milliseconds = 60_000;
const atOnceThen = instant(0);

interface Parts {
  readonly grants: Grants;
  readonly accessGrants: AccessGrants;
  readonly choices: Choices;
  readonly ledger: PlacementLedger;
  readonly zones: TimeZones;
  /** Of a device: its zone and how long before a window its codes are placed; undefined where it is not configured. */
  readonly settings: (device: DeviceId) => { readonly timeZone: string; readonly lead: Milliseconds } | undefined;
  readonly journal: Journal;
  readonly record: ClockRecord;
  /** The share of a device's codes that may end at once, where nobody has looked for a while. */
  readonly maxMassExpiry: number;
  /** Law 12: what depends on the time of day stays as it is while that is not known. */
  readonly isClockTrusted: () => boolean;
}

/** What became due as time went by. */
export interface Turn {
  readonly due: ReadonlySet<DeviceId>;
  /** When to come back; undefined where nothing will change by itself. */
  readonly next: Instant | undefined;
}

/** Opens and closes the windows of access grants: whether each is in force is a column, and so is when that changes. */
export class Windows {
  readonly #of: Parts;
  /** Devices of which more codes would end at once than is believed without a confirmation. */
  readonly #held = new Set<DeviceId>();
  #turned: Instant | undefined;
  #noted: Instant | undefined;

  constructor(parts: Parts) {
    this.#of = parts;
    this.#turned = parts.record.turned;
    this.#noted = this.#turned;
  }

  /** At start: the zones of the configuration may be others than they were. */
  begin(devices: Iterable<DeviceId>): void {
    const { grants, settings } = this.#of;
    for (const device of devices) grants.outdate(device, settings(device)?.timeZone ?? "");
  }

  /** An access grant is new, or says something else than before. The caller's transaction, as everywhere here. */
  apply(grant: AccessGrant, devices: readonly DeviceId[], now: Instant): void {
    const { grants, isClockTrusted } = this.#of;
    const standing = new Map(grants.ofAccessGrant(grant.id).map((each) => [each.device, each]));
    for (const device of devices) {
      const known = standing.get(device);
      if (known) this.#look(known, grant.window, now);
      // What has ended, and is changed without being put off, ends no second time.
      else if (!isClockTrusted() || !hasEnded(grant.window, now)) {
        const row = grants.addFor(grant.id, grant.identity, device, now);
        this.#look({ ...newly, row, accessGrantId: grant.id, identity: grant.identity, device }, grant.window, now);
      }
    }
  }

  /** Takes an access grant away everywhere. */
  remove(id: AccessGrantId, now: Instant): void {
    for (const grant of this.#of.grants.ofAccessGrant(id)) this.#end(grant, now);
  }

  /** The direct grant was taken away. */
  settle(identity: UserIdentityId, device: DeviceId, paused: string | undefined, now: Instant): void {
    const { grants, ledger } = this.#of;
    if (grants.rank(identity, device) === undefined) ledger.release(identity, device, now, paused);
  }

  /** When a window opens or closes next; undefined where none will, or the time is not known. */
  next(): Instant | undefined {
    return this.#of.isClockTrusted() ? this.#of.grants.nextChange() : undefined;
  }

  /** What time has changed since it was last asked: a look-up and as much work as changes, `atOnce` grants at most. */
  turn(now: Instant, isConfirmed: boolean): Turn {
    const { grants, accessGrants } = this.#of;
    const due = new Set<DeviceId>();
    this.#hold(now, isConfirmed);
    for (const grant of grants.changing(now, atOnce)) {
      if (grant.inForce && this.#held.has(grant.device)) {
        grants.putOff(grant.row, later(now, heldFor));
        continue;
      }
      const known = grant.accessGrantId === undefined ? undefined : accessGrants.get(grant.accessGrantId);
      if (!known) this.#end(grant, now);
      else this.#look(grant, known.window, now);
      due.add(grant.device);
    }
    return { due, next: this.next() };
  }

  /** Whether there is anything to do, or to note. */
  isDue(now: Instant): boolean {
    if (!this.#of.isClockTrusted()) return false;
    const next = this.next();
    if (next !== undefined && next <= now) return true;
    this.#turned = now;
    return this.#noted === undefined || Math.abs(now - this.#noted) > notedEvery;
  }

  /** Many codes that end together after a time in which nobody looked may end because the clock is wrong. */
  #hold(now: Instant, isConfirmed: boolean): void {
    const { grants, journal, record, maxMassExpiry } = this.#of;
    if (isConfirmed) this.#held.clear();
    else if (this.#turned !== undefined && now - this.#turned > awayFor) {
      for (const { device, ending, all } of grants.ending(now)) {
        if (this.#held.has(device) || massExpiry(all, ending, maxMassExpiry) === "go") continue;
        this.#held.add(device);
        const fields = { device_id: device, reason: "mass_expiry", codes: all, ending, since: toIso(now) };
        journal.event("clock.untrusted", fields, now);
      }
    }
    this.#turned = now;
    if (this.#noted !== undefined && Math.abs(now - this.#noted) <= notedEvery) return;
    // Where a device is held, the gap is to be seen again after a restart.
    if (this.#held.size > 0) return;
    this.#noted = now;
    record.turn(now);
  }

  #look(grant: Standing, window: Window, now: Instant): void {
    const { grants, choices, zones, settings, isClockTrusted } = this.#of;
    const { row, identity, device, inForce: was } = grant;
    if (!isClockTrusted()) {
      // It stays as it is, and is looked at as soon as the time is known, whatever it is then.
      grants.setForce(
        row,
        { inForce: was, changesAt: atOnceThen, opensAt: grant.opensAt, openings: 0 },
        grant.zone ?? "",
      );
      return;
    }
    if (hasEnded(window, now)) {
      this.#end(grant, now);
      return;
    }
    const { timeZone, lead } = settings(device) ?? { timeZone: grant.zone || "UTC", lead: 0 };
    const force = forceOf(window, zones.named(timeZone), { lead: lead * shareOf(identity, device), now });
    grants.setForce(row, force, timeZone);
    if (force.inForce === was) return;
    if (force.inForce) choices.due(device, identity);
    else this.settle(identity, device, undefined, now);
  }

  #end(grant: Standing, now: Instant): void {
    this.#of.grants.close(grant.row, now);
    this.settle(grant.identity, grant.device, grant.paused, now);
  }
}

const newly = { inForce: false, opensAt: undefined, zone: undefined, paused: undefined };

/** Above 0, up to 1, the same each time for a person at a door: so that a lock does not get all its codes at one moment. */
function shareOf(identity: UserIdentityId, device: DeviceId): number {
  let sum = 7;
  for (const char of `${identity}\t${device}`) sum = (Math.imul(sum, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  return ((sum % 1000) + 1) / 1000;
}
