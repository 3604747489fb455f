import type { Link } from "../drivers/driver.ts";
import type { Config } from "./config.ts";
import { deviceId } from "./domain/ids.ts";
import type { Store } from "./store/store.ts";
import { Doorman, type DoormanParts } from "./sync/doorman.ts";

/** Who answers the readers that ask, of the configured devices. */
export function doormanOf(
  { devices, unlockGoodFor }: Config,
  { doors: book }: Pick<Store, "doors">,
  {
    linkOf,
    ...parts
  }: Omit<DoormanParts, "doors" | "book" | "readerOf" | "goodFor"> & {
    readonly linkOf: (name: string) => Link | undefined;
  },
): Doorman {
  const asking = devices.flatMap(({ deviceId: id, doorman, parts: { reader } }) =>
    doorman && reader ? [{ id: deviceId(id), doorman, reader }] : [],
  );
  const readers = new Map(asking.map(({ id, reader }) => [id, reader]));
  return new Doorman({
    ...parts,
    doors: new Map(asking.map(({ id, doorman }) => [id, doorman])),
    book,
    goodFor: unlockGoodFor,
    readerOf(device) {
      const where = readers.get(device);
      return where && linkOf(where.link)?.lock(where.address).reader;
    },
  });
}
