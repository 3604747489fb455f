import { join } from "node:path";
import { Secret } from "../../../agent/domain/secret.ts";
import { slotName } from "../../../agent/domain/slot.ts";
import simulated from "../../../drivers/simulated/index.ts";
import { bareHost } from "../bare-host.ts";
import { slowLock } from "../house.ts";

/**
 * The limit of a wire: a simulated lock's driver, called by nobody but this loop, which writes one code after the other and
 * keeps nothing. Tells how many milliseconds that took, after some that run for the first time.
 */
const [, , folder = "", codes = "1", ms = "1"] = process.argv;
const warm = 20;
const directory = join(folder, "links", "simulated");
slowLock(folder, { link: "simulated", lock: "lock-1", ms: Number(ms), to: ["write"] });
const link = await simulated.open(simulated.options.parse({ slots: warm + Number(codes) }), bareHost(directory));
const { memory } = link.lock("lock-1");
if (!memory) throw new Error("the lock has no memory");
const { signal } = new AbortController();
let before = performance.now();
for (let code = 0; code < warm + Number(codes); code++) {
  if (code === warm) before = performance.now();
  const credential = { kind: "pin", digits: new Secret(String(100_000 + code)) } as const;
  const outcome = await memory.write(
    { credential, when: "always", label: `person-${code}` },
    slotName(String(code + 1)),
    signal,
  );
  if (outcome.result !== "stored") throw new Error(`the lock says ${outcome.result}`);
}
process.send?.({ took: performance.now() - before });
process.disconnect();
