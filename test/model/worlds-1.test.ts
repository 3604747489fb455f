import { playShard } from "./worlds.ts";

playShard(0);
