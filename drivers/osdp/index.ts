import { defineDriver } from "../driver.ts";
import { linuxNames } from "../shared/port.ts";
import { OsdpLink } from "./link.ts";
import { options } from "./options.ts";
import { scan } from "./scan.ts";

/** Readers that ask, by OSDP over RS-485. A lock's address is the reader's on the line. */
export default defineDriver({
  name: "osdp",
  options,
  async open(given, host) {
    const link = new OsdpLink(given, host, linuxNames);
    await link.connect();
    return link;
  },
  scan,
});
