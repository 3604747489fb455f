import { setTimeout as pause } from "node:timers/promises";
import { Child } from "./child.ts";
import { ownProgram } from "./own-program.ts";

/** What Node takes of the machine's memory with the packages that latchd runs with, when it has done nothing for so long: MB. */
export async function bareMemory(wait: number): Promise<number> {
  await using child = new Child([ownProgram("same-packages")]);
  await child.message();
  await pause(wait);
  return child.memory;
}
