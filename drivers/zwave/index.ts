import { defineDriver } from "../driver.ts";
import { linuxNames } from "../shared/port.ts";
import { loadLibrary } from "./library.ts";
import { ZwaveLink } from "./link.ts";
import { options } from "./options.ts";

/** Z-Wave locks by zwave-js, over a controller at a serial device. A lock's address is its node id. */
export default defineDriver({
  name: "zwave",
  options,
  async open(given, host) {
    const link = new ZwaveLink(given, host, { library: await loadLibrary(), names: linuxNames });
    await link.connect();
    return link;
  },
});
