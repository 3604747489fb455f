import { type Instant, later } from "../agent/domain/instant.ts";

const colours = ["black", "red", "green", "amber", "blue", "magenta", "cyan", "white"] as const;
export type Colour = (typeof colours)[number];

/** Times are in tenths of a second. */
export interface Blink {
  readonly on: number;
  readonly off: number;
  readonly onColour: number;
  readonly offColour: number;
}
export interface Beeps {
  readonly on: number;
  readonly off: number;
  /** 0: for ever. */
  readonly count: number;
}

interface Light {
  lasting: Blink & { readonly since: Instant };
  passing: (Blink & { readonly since: Instant; readonly until: Instant }) | undefined;
}

const tenth = 100;
const dark: Blink = { on: 1, off: 0, onColour: 0, offColour: 0 };

/** What a person sees and hears of a reader (reference 2.1: LED, BUZ, TEXT). Pure. */
export class Face {
  readonly #lights: readonly Light[];
  #beeps: (Beeps & { readonly since: Instant }) | undefined;
  #lasting = "";
  #passing: { readonly text: string; readonly until: Instant } | undefined;

  constructor(lights: number, now: Instant) {
    this.#lights = Array.from({ length: lights }, () => ({ lasting: { ...dark, since: now }, passing: undefined }));
  }

  /** Dark, quiet and empty, as it is when it gets power. */
  restart(now: Instant): void {
    for (const light of this.#lights) {
      light.lasting = { ...dark, since: now };
      light.passing = undefined;
    }
    this.#beeps = undefined;
    this.#lasting = "";
    this.#passing = undefined;
  }

  get lights(): number {
    return this.#lights.length;
  }

  light(number: number, blink: Blink, now: Instant): void {
    const light = this.#lights[number];
    if (light) light.lasting = { ...blink, since: now };
  }

  lightFor(number: number, blink: Blink, tenths: number, now: Instant): void {
    const light = this.#lights[number];
    if (light) light.passing = { ...blink, since: now, until: later(now, tenths * tenth) };
  }

  /** What was for a time is over. */
  endLight(number: number): void {
    const light = this.#lights[number];
    if (light) light.passing = undefined;
  }

  sound(beeps: Beeps | undefined, now: Instant): void {
    this.#beeps = beeps && { ...beeps, since: now };
  }

  write(text: string): void {
    this.#lasting = text;
  }

  writeFor(text: string, seconds: number, now: Instant): void {
    this.#passing = { text, until: later(now, seconds * 1_000) };
  }

  /** The colour of each light at this moment. */
  colours(now: Instant): readonly Colour[] {
    return this.#lights.map(({ lasting, passing }) => {
      const blink = passing && now < passing.until ? passing : lasting;
      return colours[isInOn(blink, now) ? blink.onColour : blink.offColour] ?? "black";
    });
  }

  isSounding(now: Instant): boolean {
    const beeps = this.#beeps;
    if (!beeps || !isInOn(beeps, now)) return false;
    const passed = Math.floor((now - beeps.since) / ((beeps.on + beeps.off) * tenth));
    return beeps.count === 0 || passed < beeps.count;
  }

  text(now: Instant): string {
    return this.#passing && now < this.#passing.until ? this.#passing.text : this.#lasting;
  }
}

function isInOn({ on, off, since }: Pick<Blink, "on" | "off"> & { since: Instant }, now: Instant): boolean {
  return (now - since) % ((on + off) * tenth) < on * tenth;
}
