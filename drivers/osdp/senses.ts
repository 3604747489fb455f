import type { LinkEvent } from "../driver.ts";
import type { Happening } from "./happening.ts";
import type { ReaderOptions } from "./options.ts";

/** What a reader tells, without where and when. */
export type Told = LinkEvent extends infer Each
  ? Each extends LinkEvent
    ? Omit<Each, "at" | "address">
    : never
  : never;

/** Of RSTATR (reference 2.2): the head was opened, or taken off. */
const headTampered = 2;
/** Of ISTATR (reference 2.2). What is wrong with the wires of an input says nothing of the door. */
const inputStates: ReadonlyMap<number | undefined, "inactive" | "active"> = new Map([
  [0, "inactive"],
  [1, "active"],
]);

/** What a reader feels by itself; each change is told once. */
export class Senses {
  readonly #contact: ReaderOptions["contact"];
  #isOpened = false;
  #isHeadOpened = false;
  #isFailing = false;
  #isDoorOpen: boolean | undefined;

  constructor(contact: ReaderOptions["contact"]) {
    this.#contact = contact;
  }

  hear(happening: Happening): readonly Told[] {
    if (happening.happening === "readers") return this.#case(this.#isOpened, happening.states.includes(headTampered));
    if (happening.happening === "inputs") return this.#door(happening.states);
    if (happening.happening !== "status") return [];
    return [...this.#case(happening.tamper, this.#isHeadOpened), ...this.#supply(happening.power)];
  }

  #case(isOpened: boolean, isHeadOpened: boolean): readonly Told[] {
    const isNews = (isOpened && !this.#isOpened) || (isHeadOpened && !this.#isHeadOpened);
    this.#isOpened = isOpened;
    this.#isHeadOpened = isHeadOpened;
    return isNews ? [{ event: "tamper" }] : [];
  }

  #supply(isFailing: boolean): readonly Told[] {
    const isNews = isFailing && !this.#isFailing;
    this.#isFailing = isFailing;
    return isNews ? [{ event: "alarm", problem: "the reader says that its power supply fails" }] : [];
  }

  #door(states: readonly number[]): readonly Told[] {
    const state = this.#contact && inputStates.get(states[this.#contact.input]);
    if (!this.#contact || state === undefined) return [];
    const open = state === this.#contact.open;
    if (open === this.#isDoorOpen) return [];
    this.#isDoorOpen = open;
    return [{ event: "door", open }];
  }
}
