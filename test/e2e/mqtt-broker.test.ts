import { expect, onTestFinished, test } from "vitest";
import { openBroker } from "../../agent/mqtt/broker.ts";
import { client, listen, silent, until } from "./mqtt-support.ts";

async function opened(port = 0) {
  const broker = await openBroker({ port, log: silent });
  onTestFinished(() => broker.close());
  return broker;
}

test("openBroker() passes messages, and hangs up on its clients within a second", async () => {
  const broker = await opened();
  const heard = await listen(broker.url, "a/#");
  const publisher = await client(broker.url);
  await publisher.publishAsync("a/b", "hello", { qos: 1 });
  await until("heard", () => heard.length === 1);
  const from = Date.now();
  await broker.close();
  expect(Date.now() - from).toBeLessThan(1000);
  await until("the client noticed", () => !publisher.connected);
});

test("openBroker() on a taken port names the setting and a way out", async () => {
  const broker = await opened();
  const port = Number(new URL(broker.url).port);
  await expect(openBroker({ port, log: silent })).rejects.toMatchObject({
    name: "ConfigError",
    message: `broker.port: 127.0.0.1:${port} is in use, perhaps by another broker`,
    hint: expect.stringContaining("broker.url") as string,
  });
});

test.each(["0.0.0.0", "192.168.1.5", "::", "example.org"])("openBroker() refuses to listen on %s", async (host) => {
  await expect(openBroker({ host, port: 0, log: silent })).rejects.toThrow("broker.host");
});
