import { z } from "zod";
import { command } from "./command.ts";
import { deviceObject } from "./device-object.ts";

export const devices = [
  command({
    name: "devices/list",
    parameters: z.object({}),
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records) => ({ devices: records.devices().map((record) => deviceObject(record, records)) }),
  }),
];
