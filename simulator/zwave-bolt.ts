import { setTimeout } from "node:timers";
import {
  type CommandClass,
  DoorLockCCOperationGet,
  DoorLockCCOperationReport,
  DoorLockCCOperationSet,
  DoorLockMode,
} from "@zwave-js/cc";
import { Duration } from "@zwave-js/core";
import type { MockNodeResponse } from "@zwave-js/testing";
import type { Milliseconds } from "../agent/domain/instant.ts";
import type { Fate } from "./faults.ts";
import type { ZwaveMode } from "./zwave-answers.ts";

export type Place = "locked" | "unlocked";

/** How a lock treats a command to its bolt. */
export interface Temper {
  readonly mode: ZwaveMode;
  readonly strikes: Fate["strikes"];
}

/** The bolt of a lock, which takes its time. A lock that says yes says so when it begins to move. */
export class ZwaveBolt {
  /** How long it travels. */
  travel: Milliseconds = 300;
  readonly #moved: (to: Place) => void;
  #place: Place;
  #under: { readonly way: NodeJS.Timeout; readonly to: Place; readonly until: Milliseconds } | undefined;

  /** @param moved it has come to a place where it was not. */
  constructor(place: Place, moved: (to: Place) => void) {
    this.#place = place;
    this.#moved = moved;
  }

  get place(): Place {
    return this.#place;
  }

  /** From one moment to the next, by a hand or a code: nothing is told. */
  put(place: Place): void {
    clearTimeout(this.#under?.way);
    this.#under = undefined;
    this.#place = place;
  }

  /** What it says to a command: undefined where that is not about a bolt. */
  answer(cc: CommandClass, nodeId: number, { mode, strikes }: Temper): MockNodeResponse | undefined {
    if (cc instanceof DoorLockCCOperationGet) return { action: "sendCC", cc: this.report(nodeId) };
    if (!(cc instanceof DoorLockCCOperationSet)) return undefined;
    if (mode === "reject" || strikes.has("refuses")) return { action: "fail" };
    const isIdle = mode === "lie" || strikes.has("says_yes_stores_nothing");
    if (!isIdle) this.#go(cc.mode === DoorLockMode.Secured ? "locked" : "unlocked");
    return { action: strikes.has("says_no_and_stores") ? "fail" : "ok" };
  }

  report(nodeId: number): CommandClass {
    const left = this.#under ? Math.max(this.#under.until - Date.now(), 0) : 0;
    return new DoorLockCCOperationReport({
      nodeId,
      currentMode: modes[this.#place],
      targetMode: modes[this.#under?.to ?? this.#place],
      duration: new Duration(Math.ceil(left / 1000), "seconds"),
      outsideHandlesCanOpenDoor: handles,
      insideHandlesCanOpenDoor: handles,
    });
  }

  #go(to: Place): void {
    clearTimeout(this.#under?.way);
    const way = setTimeout(() => {
      this.#under = undefined;
      if (this.#place === to) return;
      this.#place = to;
      this.#moved(to);
    }, this.travel);
    this.#under = { way, to, until: Date.now() + this.travel };
  }
}

const modes = { locked: DoorLockMode.Secured, unlocked: DoorLockMode.Unsecured } as const;
const handles: [boolean, boolean, boolean, boolean] = [true, true, true, true];
