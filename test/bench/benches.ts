import type { Bench } from "./bench.ts";
import { intake } from "./rows/intake.ts";

/** Best first: what a sceptic would ask for first. */
export const benches: readonly Bench[] = [intake];
