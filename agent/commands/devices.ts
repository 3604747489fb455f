import { z } from "zod";
import { type Body, command } from "./command.ts";
import { deviceObject, typeOf } from "./device-object.ts";
import { pageOf, pageParameters } from "./page.ts";
import { device, plainText } from "./parameters.ts";
import type { Records } from "./records.ts";
import { deviceNotFound, invalidInput, Refused } from "./refusal.ts";
import { deviceShape } from "./shapes/device.ts";
import { paginationShape } from "./shapes/pagination.ts";

const which = z
  .object({ device_id: device.optional(), name: plainText.optional() })
  .refine((by) => by.device_id !== undefined || by.name !== undefined, "Either 'device_id' or 'name' is required")
  .refine((by) => by.device_id === undefined || by.name === undefined, "Give either device_id or name");

const some = z.object({
  device_ids: z.array(device).max(500).optional(),
  device_type: z.string().max(128).optional(),
  device_types: z.array(z.string().max(128)).max(100).optional(),
  search: z.string().max(256).optional(),
  ...pageParameters,
  // All of them, where nothing else is said.
  limit: z.int().min(1).max(500).optional(),
});

export const devices = [
  command({
    name: "devices/get",
    parameters: which,
    returns: { device: deviceShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, by) => ({ device: shown(records, by) }),
  }),
  command({
    name: "devices/list",
    parameters: some,
    returns: { devices: z.array(deviceShape), pagination: paginationShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: listed,
  }),
  // Every device of this agent is a lock. Seam's shape names each twice.
  command({
    name: "locks/get",
    parameters: which,
    returns: { lock: deviceShape, device: deviceShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, by) {
      const lock = shown(records, by);
      return { lock, device: lock };
    },
  }),
  command({
    name: "locks/list",
    parameters: some,
    returns: { locks: z.array(deviceShape), devices: z.array(deviceShape), pagination: paginationShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, asked) {
      const { devices: locks, pagination } = listed(records, asked);
      return { locks, devices: locks, pagination };
    },
  }),
];

function shown(records: Records, { device_id: id, name }: z.output<typeof which>): object {
  if (id !== undefined) {
    const found = records.device(id);
    if (!found) throw deviceNotFound(id);
    return deviceObject(found, records);
  }
  const [found, other] = records.devices().filter((each) => each.name === name);
  if (!found) throw new Refused("device_not_found", "No device of this name is configured on this agent", 404);
  // A door that is only perhaps the one that is meant is none.
  if (other) {
    const message = `Stands for more than one device: say which by its device_id, ${found.id} or ${other.id}`;
    throw invalidInput([{ code: "custom", path: ["name"], message, input: undefined }]);
  }
  return deviceObject(found, records);
}

function listed(records: Records, asked: z.output<typeof some>): Body {
  const { device_ids: ids, device_type: type, device_types: types, search } = asked;
  const found = records
    .devices()
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .filter((record) => type === undefined || typeOf(record) === type)
    .filter((record) => types === undefined || types.includes(typeOf(record)))
    .filter(({ id, name }) => search === undefined || `${name}\n${id}`.toLowerCase().includes(search.toLowerCase()))
    .map((record) => ({ ...record, createdAt: record.addedAt }));
  const { page, pagination } = pageOf(found, asked);
  return { devices: page.map((record) => deviceObject(record, records)), pagination };
}
