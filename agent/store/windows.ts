import type { AccessGrant } from "../commands/records.ts";
import type { MemoryLimits } from "../domain/abilities.ts";
import { type Access, accessAsItWas, accessOf } from "../domain/access.ts";
import { forceOf, hasEnded, type Keeping } from "../domain/force.ts";
import type { AccessGrantId, DeviceId, UserIdentityId } from "../domain/ids.ts";
import { type Instant, instant, later, type Milliseconds, toIso } from "../domain/instant.ts";
import { keptWindow, type When } from "../domain/lock-window.ts";
import { massExpiry } from "../domain/mass-expiry.ts";
import type { Wish } from "../domain/placement.ts";
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
  /** What the lock at a device last said that it can hold. */
  readonly memoryOf: (device: DeviceId) => MemoryLimits | undefined;
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
    const standing = new Set(grants.ofAccessGrant(grant.id).map(({ device }) => device));
    for (const device of devices) {
      if (!standing.has(device)) {
        // What has ended, and is changed without being put off, ends no second time.
        if (isClockTrusted() && hasEnded(grant.window, now)) continue;
        grants.addFor(grant.id, grant.identity, device, now);
      }
      this.changed(grant.identity, device, now);
    }
  }

  /** Takes an access grant away everywhere. */
  remove(id: AccessGrantId, now: Instant): void {
    for (const grant of this.#of.grants.ofAccessGrant(id)) {
      this.#of.grants.close(grant.row, now);
      this.changed(grant.identity, grant.device, now, grant);
    }
  }

  /**
   * The grants of a person on a device are others than before: each may mean something else for what is on the lock.
   *
   * @param ended one of them that has.
   */
  changed(identity: UserIdentityId, device: DeviceId, now: Instant, ended?: Ended): void {
    const known = this.#known(identity, device);
    const isLookedAt = this.#lookAtAll(device, known, now).length > 0;
    const standing = isLookedAt ? this.#known(identity, device) : known;
    if (standing.some(isInForce)) this.#of.choices.due(device, identity);
    const wasInForce = ended?.inForce === true || known.some(isInForce);
    this.#settle(identity, device, { was: { inForce: wasInForce, paused: ended?.paused }, standing }, now);
  }

  /** What the grants in force of a person on a device say of all that opens it for them. */
  wishOf(identity: UserIdentityId, device: DeviceId, now: Instant): Wish {
    return this.#wishOf(device, this.#known(identity, device), now);
  }

  #wishOf(device: DeviceId, known: readonly Known[], now: Instant): Wish {
    const inForce = known.filter(isInForce);
    return {
      when: known.some(isDirect) ? "always" : this.#keeping(device, known, now).when,
      dormant: inForce.every(({ grant }) => grant.dormant),
      external: inForce.every(({ external }) => external),
    };
  }

  /** Whether a person may open a device, as far as the time is known there (Law 12). */
  accessOf(identity: UserIdentityId, device: DeviceId, now: Instant): Access {
    const { zones, settings, isClockTrusted } = this.#of;
    const known = this.#known(identity, device).map(({ grant, name, window }) => ({
      accessGrantId: grant.accessGrantId,
      name,
      window,
      wasOpen: grant.inForce && !grant.dormant,
    }));
    if (!isClockTrusted() || this.#held.has(device)) return accessAsItWas(known);
    return accessOf(known, zones.named(settings(device)?.timeZone ?? "UTC"), now);
  }

  /** When a window opens or closes next; undefined where none will, or the time is not known. */
  next(): Instant | undefined {
    return this.#of.isClockTrusted() ? this.#of.grants.nextChange() : undefined;
  }

  /** What time has changed since it was last asked: a look-up and as much work as changes, `atOnce` grants at most. */
  turn(now: Instant, isConfirmed: boolean): Turn {
    const { grants } = this.#of;
    const due = new Set<DeviceId>();
    this.#hold(now, isConfirmed);
    const pairs = new Map<string, Standing>();
    for (const grant of grants.changing(now, atOnce)) {
      if (this.#isHeld(grant)) grants.putOff(grant.row, later(now, heldFor));
      else pairs.set(`${grant.identity}\t${grant.device}`, grant);
    }
    for (const { identity, device } of pairs.values()) {
      this.#turnPair(identity, device, now);
      due.add(device);
    }
    return { due, next: this.next() };
  }

  /** All grants of a pair at once: where one window opens as another closes, nothing has changed for who has both. */
  #turnPair(identity: UserIdentityId, device: DeviceId, now: Instant): void {
    const known = this.#known(identity, device);
    const was = {
      inForce: known.some(isInForce),
      paused: known.find(({ grant }) => grant.paused !== undefined)?.grant.paused,
    };
    // Where one has ended, another grant of the pair may be kept in another way from now on.
    if (this.#lookAtAll(device, known, now).includes("ended")) this.changed(identity, device, now, was);
    else this.#settle(identity, device, { was, standing: this.#known(identity, device) }, now);
  }

  /** What became of those that have a window. */
  #lookAtAll(device: DeviceId, known: readonly Known[], now: Instant): readonly ("stands" | "ended")[] {
    if (known.every(({ window }) => window === undefined)) return [];
    const { by } = this.#keeping(device, known, now);
    return known.flatMap(({ grant, window }) =>
      window && !this.#isHeld(grant) ? [this.#look(grant, window, by, now)] : [],
    );
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
      for (const { device, ending: due, all } of grants.ending(now)) {
        if (this.#held.has(device) || massExpiry(all, due, maxMassExpiry) === "go") continue;
        // What is due may also open, or stay as it is.
        const ending = grants.of({ device }).filter((grant) => this.#isEnding(grant, now)).length;
        if (massExpiry(all, ending, maxMassExpiry) === "go") continue;
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

  #look(grant: Standing, window: Window, keeping: Keeping, now: Instant): "stands" | "ended" {
    const { grants, choices, zones, settings, isClockTrusted } = this.#of;
    const { row, identity, device, inForce: was, dormant, opensAt } = grant;
    // What is for always is so at any time.
    if (!isClockTrusted() && !isForAlways(window)) {
      // It stays as it is, and is looked at as soon as the time is known, whatever it is then.
      const asIs = { inForce: was, dormant, changesAt: atOnceThen, opensAt, openings: 0 };
      grants.setForce(row, asIs, grant.zone ?? "");
      return "stands";
    }
    if (hasEnded(window, now)) {
      grants.close(row, now);
      return "ended";
    }
    const { timeZone, lead } = settings(device) ?? { timeZone: grant.zone || "UTC", lead: 0 };
    const force = forceOf(window, zones.named(timeZone), { lead: lead * shareOf(identity, device), now, keeping });
    grants.setForce(row, force, timeZone);
    if (force.inForce && !was) choices.due(device, identity);
    return "stands";
  }

  /** What is on the lock follows from what is in force now. `was`: before, in whole or in part. */
  #settle(
    identity: UserIdentityId,
    device: DeviceId,
    { was, standing }: { readonly was: Ended; readonly standing: readonly Known[] },
    now: Instant,
  ): void {
    const { ledger } = this.#of;
    if (standing.some(isInForce)) ledger.rest(identity, device, this.#wishOf(device, standing, now), now);
    else if (was.inForce || standing.length === 0) ledger.release(identity, device, now, was.paused);
  }

  /** Whether time takes its code away from the lock, or has it suspended there. */
  #isEnding(grant: Standing, now: Instant): boolean {
    const { identity, device, inForce, dormant, zone } = grant;
    const window = inForce ? this.#windowOf(grant) : undefined;
    if (!window) return false;
    const { by: keeping } = this.#keeping(device, this.#known(identity, device), now);
    const { timeZone, lead } = this.#of.settings(device) ?? { timeZone: zone || "UTC", lead: 0 };
    const force = forceOf(window, this.#of.zones.named(timeZone), { lead, now, keeping });
    return hasEnded(window, now) || !force.inForce || (force.dormant && !dormant && keeping !== "lock");
  }

  /** More codes of the device would end at once than is believed without a confirmation. */
  #isHeld({ inForce, device }: Standing): boolean {
    return inForce && this.#held.has(device);
  }

  #known(identity: UserIdentityId, device: DeviceId): readonly Known[] {
    const { grants, accessGrants } = this.#of;
    return grants.of({ identity, device }).map((grant) => {
      const known = grant.accessGrantId === undefined ? undefined : accessGrants.get(grant.accessGrantId);
      return { grant, name: known?.name, window: known?.window, external: known?.allowsExternalChanges ?? false };
    });
  }

  #windowOf({ accessGrantId }: Standing): Window | undefined {
    return accessGrantId === undefined ? undefined : this.#of.accessGrants.get(accessGrantId)?.window;
  }

  #keeping(device: DeviceId, known: readonly Known[], now: Instant): { readonly by: Keeping; readonly when: When } {
    const { settings, zones, memoryOf } = this.#of;
    const memory = memoryOf(device);
    const zone = settings(device)?.timeZone;
    const windows = known.flatMap(({ window }) => window ?? []);
    const isKept = memory && zone && !known.some(isDirect);
    const when = isKept ? keptWindow(memory.windows, windows, zones.named(zone), now) : undefined;
    if (when) return { by: "lock", when };
    return { by: memory?.suspends ? "suspended" : "agent", when: "always" };
  }
}

const isForAlways = ({ startsAt, endsAt, weekly }: Window): boolean =>
  startsAt === undefined && endsAt === undefined && weekly === undefined;

/** Of a grant: whether it was in force, and if not the evidence that no code of it was left, where that was told. */
type Ended = Pick<Standing, "inForce" | "paused">;

/** A grant of a pair, with what it says; a direct one has no window. */
interface Known {
  readonly grant: Standing;
  readonly name: string | undefined;
  readonly window: Window | undefined;
  readonly external: boolean;
}

const isInForce = ({ grant }: Known): boolean => grant.inForce;
/** What is granted directly is granted for always. */
const isDirect = ({ grant }: Known): boolean => grant.accessGrantId === undefined;

/** Above 0, up to 1, the same each time for a person at a door: so that a lock does not get all its codes at one moment. */
function shareOf(identity: UserIdentityId, device: DeviceId): number {
  let sum = 7;
  for (const char of `${identity}\t${device}`) sum = (Math.imul(sum, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  return ((sum % 1000) + 1) / 1000;
}
