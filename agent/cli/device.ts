import { z } from "zod";
import { didYouMean } from "../config/nearest.ts";
import type { Door } from "./door.ts";
import { CommandError } from "./shell.ts";

const devices = z.object({
  ok: z.literal(true),
  devices: z.array(z.looseObject({ device_id: z.string(), display_name: z.string().optional() })),
});

export interface NamedDevice {
  readonly id: string;
  readonly name: string;
}

/** Every device of the agent, with the name that people use. */
export async function listDevices(door: Door): Promise<readonly NamedDevice[]> {
  const reply = await door.ask("devices/list", {}, devices);
  return reply.devices.map(({ device_id: id, display_name: name = id }) => ({ id, name }));
}

/** The device that an id or a name stands for. An id that is not configured any more goes to the agent as it is. */
export async function findDevice(door: Door, text: string): Promise<NamedDevice> {
  const all = await listDevices(door);
  const byId = all.find(({ id }) => id === text);
  if (byId) return byId;
  const [first, second] = all.filter(({ name }) => name.toLowerCase() === text.toLowerCase());
  if (first && second) {
    throw new CommandError(
      2,
      `more than one device is called "${text}": say which by its id, ${first.id} or ${second.id}`,
    );
  }
  if (first) return first;
  if (/^[0-9a-f-]{36}$/i.test(text)) return { id: text, name: text };
  const names = all.map(({ name }) => name);
  throw new CommandError(1, `the agent has no device "${text}"${didYouMean(text, names)}`);
}
