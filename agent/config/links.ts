import { resolve } from "node:path";
import { z } from "zod";
import type { Driver } from "../../drivers/driver.ts";
import type { Report } from "./broker.ts";
import { didYouMean } from "./nearest.ts";
import { problemsOf } from "./problems.ts";

const links = z.object({ links: z.record(z.string(), z.unknown()).catch({}) }).catch({ links: {} });
const link = z.looseObject({ driver: z.string() });

/** Every link with its options as its driver's schema gives them back. What is wrong goes to `report`. */
export async function resolveLinks(
  raw: unknown,
  folder: string,
  drivers: Readonly<Record<string, () => Promise<Driver>>>,
  report: Report,
): Promise<ReadonlyMap<string, { readonly driver: string; readonly options: unknown }>> {
  const resolved = new Map<string, { driver: string; options: unknown }>();
  for (const [name, entry] of Object.entries(links.parse(raw).links)) {
    const parsed = link.safeParse(entry);
    if (!parsed.success) continue;
    const { driver: driverName, ...written } = parsed.data;
    const load = Object.hasOwn(drivers, driverName) ? drivers[driverName] : undefined;
    if (!load) {
      const text = `no driver is called "${driverName}"${didYouMean(driverName, Object.keys(drivers))}`;
      report({ path: ["links", name, "driver"], text });
      continue;
    }
    const { options: schema } = await load();
    const given = withPaths(written, folder);
    try {
      const options = schema.safeParse(given);
      if (options.success) resolved.set(name, { driver: driverName, options: options.data });
      else for (const problem of problemsOf(schema, given, ["links", name])) report(problem);
    } catch {
      // A check that fails at what it checks: a fault of the driver, but the operator can mend the options.
      report({ path: ["links", name], text: `the driver "${driverName}" cannot make sense of these options` });
    }
  }
  return resolved;
}

/** A driver does not know where the configuration is, so its files are made absolute here: every option called `…_file`. */
const withPaths = (options: Readonly<Record<string, unknown>>, folder: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) =>
      key.endsWith("_file") && typeof value === "string" ? [key, resolve(folder, value)] : [key, value],
    ),
  );
