import { expect, test } from "vitest";
import type { Happening } from "../../../drivers/osdp/happening.ts";
import { Senses } from "../../../drivers/osdp/senses.ts";

const local = (tamper: boolean, power = false): Happening => ({ happening: "status", tamper, power });
const inputs = (...states: number[]): Happening => ({ happening: "inputs", states });
const heads = (...states: number[]): Happening => ({ happening: "readers", states });
const door = (open: boolean) => [{ event: "door", open }];
const told = (senses: Senses, ...happenings: Happening[]) => happenings.map((each) => senses.hear(each));
const tamper = { event: "tamper" };

test("that a case is opened, or a head behind it, is told once, and again when it was closed meanwhile", () => {
  const senses = new Senses(undefined);
  expect(told(senses, local(true), local(true), local(false), local(true))).toEqual([[tamper], [], [], [tamper]]);
  expect(told(senses, heads(0, 2), heads(0, 2), heads(0, 0), heads(1), heads(2))).toEqual([
    [tamper],
    [],
    [],
    [],
    [tamper],
  ]);
});

test("a supply that fails is an alarm, once", () => {
  const alarm = { event: "alarm", problem: expect.stringContaining("power supply") };
  expect(told(new Senses(undefined), local(false, true), local(false, true))).toEqual([[alarm], []]);
});

test("the contact of a door is at its input, and tells the door only while its wires are whole", () => {
  const senses = new Senses({ input: 1, open: "inactive" });
  const heard = told(senses, inputs(0), inputs(0, 1), inputs(1, 1), inputs(0, 2), inputs(0, 4), inputs(0, 0));
  expect(heard).toEqual([[], door(false), [], [], [], door(true)]);
  expect(told(new Senses(undefined), inputs(1, 1))).toEqual([[]]);
});
