import { playShard } from "./worlds.ts";

playShard(1);
