import { defineDriver } from "../driver.ts";
import { Zigbee2mqttLink } from "./link.ts";
import { options } from "./options.ts";

/** Zigbee locks by way of zigbee2mqtt 2.x and its broker. A lock's address is its friendly name or its IEEE address. */
export default defineDriver({
  name: "zigbee2mqtt",
  options,
  async open(given, host) {
    const link = new Zigbee2mqttLink(given, host);
    await link.connect();
    return link;
  },
});
