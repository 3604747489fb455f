import type { z } from "zod";
import type { fileShape } from "./shape.ts";

const simulated = (address: string) => ({ link: "simulated", address });

/** A place to try things at: what `latchd run` runs where no configuration is named. */
export const embeddedDefaults: z.input<typeof fileShape> = {
  broker: "embedded",
  links: { simulated: { driver: "simulated" } },
  devices: [
    {
      device_id: "054765c8-a2fc-4599-b486-14c19f462c45",
      name: "Front door",
      time_zone: "UTC",
      at: simulated("front-door"),
    },
    {
      device_id: "7c1f0a54-3d0e-4c1b-9f57-2b0d8f6a91e3",
      name: "Back door",
      time_zone: "UTC",
      at: simulated("back-door"),
    },
    {
      device_id: "e2a96b7d-58c4-4f0a-8e11-6d35c0b47f92",
      name: "Workshop",
      time_zone: "UTC",
      at: simulated("workshop"),
    },
  ],
};
