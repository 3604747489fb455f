import { z } from "zod";
import type { Instant } from "../agent/domain/instant.ts";
import type { OsdpReader } from "./osdp-reader.ts";

/** What can be done to a reader, or happens at it. */
export const osdpAct = z.discriminatedUnion("act", [
  z.strictObject({
    act: z.literal("card"),
    bits: z.string().regex(/^\d{1,4}:([0-9a-f]{2})+$/),
    format: z.int().min(0).max(255).default(1),
  }),
  z.strictObject({ act: z.literal("type"), digits: z.string().regex(/^[0-9*#]{1,255}$/) }),
  z.strictObject({ act: z.literal("tamper"), open: z.boolean() }),
  z.strictObject({ act: z.literal("input"), input: z.int().min(0), state: z.int().min(0).max(5) }),
  z.strictObject({ act: z.literal("supply"), failed: z.boolean() }),
  z.strictObject({ act: z.literal("power"), on: z.boolean() }),
  z.strictObject({ act: z.literal("install"), on: z.boolean() }),
  z.strictObject({ act: z.literal("behave"), as: z.record(z.string(), z.unknown()) }),
  z.strictObject({ act: z.literal("look") }),
]);
export type OsdpAct = z.input<typeof osdpAct>;

/** Does it; what is to be told of it. Keys are in nothing that is told. */
export function perform(reader: OsdpReader, act: z.output<typeof osdpAct>, now: Instant): object {
  const { device } = reader;
  reader.tick(now);
  switch (act.act) {
    case "card":
      return { kept: reader.present({ report: "card", format: act.format, bits: act.bits }, now) };
    case "type":
      return { kept: reader.type(act.digits, now) };
    case "tamper":
      device.tamper(act.open);
      return {};
    case "input":
      device.setInput(act.input, act.state);
      return {};
    case "supply":
      device.failPower(act.failed);
      return {};
    case "power":
      reader.power(act.on, now);
      return {};
    case "install":
      reader.keyring.install(act.on);
      return {};
    case "behave":
      reader.behave(act.as);
      return {};
    case "look":
      return look(reader, now);
  }
}

const look = ({ address, baud, isSecure, keyring, device }: OsdpReader, now: Instant): object => ({
  address,
  baud,
  secure: isSecure,
  installs: keyring.installs,
  outputs: device.outputs.on,
  lights: device.face.colours(now),
  sounds: device.face.isSounding(now),
  text: device.face.text(now),
  waiting: device.waiting,
});
