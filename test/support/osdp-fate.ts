import { type Arbitrary, constantFrom } from "fast-check";
import { calm, type Weather } from "../../simulator/osdp-weather.ts";

const fates = ["whole", "lost", "damaged", "cut", "twice", "noise", "late"] as const;
type Fate = (typeof fates)[number];

/** What becomes of one frame. */
export const fate: Arbitrary<Fate> = constantFrom(...fates);

/** @param where in the frame, or how much: any number from 0 on. */
export function fated(said: Uint8Array, becomes: Fate, where: number): ReturnType<Weather> {
  const at = where % said.length;
  switch (becomes) {
    case "whole":
      return calm(said);
    case "lost":
      return [];
    case "damaged":
      return calm(said.map((byte, index) => (index === at ? byte ^ (1 << (where % 8)) : byte)));
    case "cut":
      return calm(said.subarray(0, at));
    case "twice":
      return [...calm(said), ...calm(said)];
    case "noise":
      return [...calm(Uint8Array.of(0x53, where % 256, 0x53)), ...calm(said)];
    case "late":
      return [{ bytes: said, after: where % 250 }];
  }
}
