import { Socket } from "node:net";
import { connectAsync } from "mqtt";

/** Takes the commands that latchd takes, keeps nothing of them, and replies to each what latchd replies. */
const [, , url = ""] = process.argv;
const base = "access/gateway-1";
const client = await connectAsync(url, {
  clientId: "latchd-gateway-1",
  clean: false,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600, receiveMaximum: 1_000 },
});
if (client.stream instanceof Socket) client.stream.setNoDelay();
const ok = JSON.stringify({ ok: true });
client.on("message", (_topic, payload) => {
  const { request_id: id }: { readonly request_id: string } = JSON.parse(payload.toString("utf8"));
  client.publish(`${base}/reply/${id}`, ok, { qos: 1 });
});
await client.subscribeAsync(`${base}/command/#`, { qos: 1 });
process.send?.({ ready: true });
