import { z } from "zod";
import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { isTimeZone, TimeZone } from "../../agent/domain/time-zone.ts";
import type { Clock, DriverState } from "../driver.ts";
import { decode } from "../shared/decode.ts";
import { isClockDue } from "./codec-clock.ts";

const kept = z.object({
  zone: z.string().refine(isTimeZone).optional(),
  windowed: z.array(z.number()),
  lostAt: z.number().optional(),
});
type Kept = z.infer<typeof kept>;

/** A lock that has lost a window is given none for so long: its maker may have mended it. */
const mistrustedFor: Milliseconds = 30 * 24 * 3_600_000;
/** A clock that could not be looked at is left alone for so long, for the sake of the lock's batteries. */
const patience: Milliseconds = 3_600_000;

/**
 * What is to be known of one lock that keeps windows, beyond our end: the lock has one clock, without a time zone, and its
 * windows count by it.
 */
export class LockTime {
  /** Its identity. */
  readonly lock: string;
  readonly #state: DriverState;
  readonly #clock: Clock;
  readonly #key: string;
  #kept: Kept;
  #checkedAt: Instant | undefined;
  #triedAt: Instant | undefined;
  #zone: TimeZone | undefined;

  constructor(lock: string, state: DriverState, clock: Clock) {
    this.lock = lock;
    this.#state = state;
    this.#clock = clock;
    this.#key = `time.${lock}`;
    this.#kept = decode(state.get(this.#key)?.reveal() ?? "", kept) ?? { windowed: [] };
    if (this.#kept.zone !== undefined) this.#zone = new TimeZone(this.#kept.zone);
  }

  /** In which its clock runs: that of the windows that were written. Undefined before the first one. */
  get zone(): TimeZone | undefined {
    return this.#zone;
  }

  /** The time on its wall now. */
  wall(zone: TimeZone): Milliseconds {
    return zone.wallTime(this.#clock.now());
  }

  /** A zone, which may be that of its clock. */
  zoneOf(name: string): TimeZone {
    return this.#zone?.name === name ? this.#zone : new TimeZone(name);
  }

  /** Before its clock is set by another zone. */
  moveTo(zone: TimeZone): void {
    if (this.#zone === zone) return;
    this.doubt();
    this.#zone = zone;
    this.#keep({ zone: zone.name });
  }

  /** Whether its clock is to be looked at before a window is written. */
  get isDue(): boolean {
    if (!this.#zone) return false;
    return this.#checkedAt === undefined || isClockDue(this.#checkedAt, this.#zone, this.#clock.now());
  }

  /** Whether its clock is to be looked at by itself, where nothing else is to be done. */
  get isDueUnasked(): boolean {
    const now = this.#clock.now();
    const triedAt = this.#triedAt;
    return this.isDue && (triedAt === undefined || now < triedAt || now >= triedAt + patience);
  }

  /** Before it is looked at. */
  try(): void {
    this.#triedAt = this.#clock.now();
  }

  /** Its clock was read to be right. */
  check(): void {
    this.#checkedAt = this.#clock.now();
    this.#triedAt = undefined;
  }

  /** Its clock may have been set by others. */
  doubt(): void {
    this.#checkedAt = undefined;
    this.#triedAt = undefined;
  }

  /** Whether we may have left a window with a user. */
  hasWindow(user: number): boolean {
    return this.#kept.windowed.includes(user);
  }

  /** Before a window is set. */
  begin(user: number): void {
    if (!this.hasWindow(user)) this.#keep({ windowed: [...this.#kept.windowed, user] });
  }

  /** There is none any more. */
  end(user: number): void {
    if (this.hasWindow(user)) this.#keep({ windowed: this.#kept.windowed.filter((each) => each !== user) });
  }

  /** It was seen to lose a window, and is not to be trusted with one. */
  get losesWindows(): boolean {
    const at = this.#kept.lostAt;
    return at !== undefined && this.#clock.now() < at + mistrustedFor;
  }

  lose(): void {
    this.#keep({ lostAt: this.#clock.now() });
  }

  #keep(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    this.#state.set(this.#key, new Secret(JSON.stringify(this.#kept)));
  }
}
