import type { MqttClient } from "mqtt";
import type { Clock, Log } from "../../drivers/driver.ts";

const again = 60_000;

/**
 * Subscribes at QoS 1; resolves with whether the broker granted it. With MQTT 5 `retain` comes as it was published, so
 * that a retained command can be told from a live one, and retained messages only where the subscription is new.
 */
async function attempt(client: MqttClient, filter: string, log: Log | undefined): Promise<boolean> {
  const { protocolVersion } = client.options;
  let reason = "only QoS 0 was granted, with which commands get lost";
  try {
    const [granted] = await client.subscribeAsync(filter, {
      qos: 1,
      ...(protocolVersion === 5 && { rap: true, rh: 1 }),
    });
    if (granted?.qos === 1) return true;
  } catch (cause) {
    if (!client.connected) return false;
    reason = cause instanceof Error ? cause.message : String(cause);
  }
  const hint = `let the agent read ${filter} (the broker's ACL); commands do not arrive until then`;
  log?.error({ topic: filter, reason, hint }, "the broker refuses the subscription to our commands");
  return false;
}

/**
 * Keeps trying until the broker grants it, or the connection ends. `answered` is called after the first try: true where
 * it was granted, and again with true once it is.
 */
export async function subscribe(
  client: MqttClient,
  filter: string,
  { log, clock }: { log: Log; clock: Clock },
  signal: AbortSignal,
  answered: (granted: boolean) => void,
): Promise<void> {
  let granted = await attempt(client, filter, log);
  answered(granted);
  while (!granted && client.connected) {
    await clock.sleep(again, signal).catch(() => {
      // The connection is over.
    });
    if (!client.connected) return;
    granted = await attempt(client, filter, undefined);
    if (granted) answered(true);
  }
}
