import { monitorEventLoopDelay } from "node:perf_hooks";

/** Runs in the agent's process before it: how late the event loop comes to what is due, told when it is asked for. */
const everyMs = 5;
const delays = monitorEventLoopDelay({ resolution: everyMs });
delays.enable();
process.on("message", ({ ask }: { readonly ask?: string }) => {
  if (ask === "forget") delays.reset();
  if (ask !== "delays") return;
  // What it records is the time from one look to the next.
  const p99 = Math.max(0, delays.percentile(99) / 1e6 - everyMs);
  delays.reset();
  process.send?.({ p99 });
});
// Whoever asks has no say in how long the agent lives.
process.channel?.unref();
