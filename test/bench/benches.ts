import type { Bench } from "./bench.ts";
import { bulk } from "./rows/bulk.ts";
import { cost } from "./rows/cost.ts";
import { delivery } from "./rows/delivery.ts";
import { door } from "./rows/door.ts";
import { intake } from "./rows/intake.ts";
import { latency } from "./rows/latency.ts";
import { many } from "./rows/many.ts";
import { memory } from "./rows/memory.ts";
import { osdp } from "./rows/osdp.ts";
import { restart } from "./rows/restart.ts";
import { zigbee } from "./rows/zigbee.ts";
import { zwave } from "./rows/zwave.ts";

/** Best first: what a sceptic would ask for first. */
export const benches: readonly Bench[] = [
  intake,
  latency,
  door,
  delivery,
  bulk,
  many,
  osdp,
  zwave,
  zigbee,
  restart,
  cost,
  memory,
];
