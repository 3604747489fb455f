import { z } from "zod";
import { didYouMean } from "./nearest.ts";
import { type Path, type Problem, pathText } from "./problems.ts";

const maybeText = z.string().optional().catch(undefined);
const maybePlace = z.object({ link: maybeText, address: maybeText }).optional().catch(undefined);
const parts = z.object({ memory: maybePlace, reader: maybePlace, bolt: maybePlace }).optional().catch(undefined);
const names = z
  .union([z.string().transform((name) => [name]), z.array(maybeText)])
  .optional()
  .catch([]);
const device = z.object({ device_id: maybeText, was: names, at: maybePlace, parts }).catch({});

/**
 * As much of the configuration as can be made out, however broken the rest is: so that one run names all that is wrong,
 * and not only the first layer.
 */
const outline = z
  .object({
    agent_id: z.unknown().optional(),
    broker: z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]).catch("embedded"),
    mqtt: z.object({ commands: z.array(maybeText).catch([]) }).catch({ commands: [] }),
    links: z.record(z.string(), z.unknown()).catch({}),
    devices: z.array(device).catch([]),
  })
  .catch({ agent_id: undefined, broker: "embedded", mqtt: { commands: [] }, links: {}, devices: [] });
type Outline = z.output<typeof outline>;
type Place = z.output<typeof maybePlace>;

/** What is wrong between the parts of the configuration: names that name nothing, and names that are there twice. */
export function referenceProblems(raw: unknown, commands: readonly string[]): Problem[] {
  const seen = outline.parse(raw);
  return [...agentProblems(seen), ...commandProblems(seen, commands), ...deviceProblems(seen)];
}

function agentProblems({ agent_id: agentId, broker }: Outline): Problem[] {
  if (agentId !== undefined || broker === "embedded") return [];
  const why = "two gateways with one name would push each other off the broker";
  return [{ path: ["agent_id"], text: `is missing: with a broker of your own, name this gateway (${why})` }];
}

function commandProblems({ mqtt }: Outline, commands: readonly string[]): Problem[] {
  const groups = new Set(commands.map((command) => `${command.split("/")[0]}/*`));
  const known = new Set([...commands, ...groups, "*"]);
  return mqtt.commands.flatMap((command, index) => {
    if (command === undefined || known.has(command)) return [];
    const text = `MQTT has no command "${command}"${didYouMean(command, [...known])}`;
    return [{ path: ["mqtt", "commands", index], text }];
  });
}

function deviceProblems({ devices, links }: Outline): Problem[] {
  const ids = new Map<string, Path>();
  const places = new Map<string, Path>();
  const former = new Map<string, Path>();
  return devices.flatMap((entry, index) => {
    const path = ["devices", index];
    const at = placesOf(entry, path);
    return [
      ...twice(ids, entry.device_id, [...path, "device_id"], `device_id "${entry.device_id}"`),
      ...(entry.was ?? []).flatMap((name) => formerName(name, devices, former, [...path, "was"])),
      ...at.flatMap(({ place: { link }, path: where }) => missingLink(link, Object.keys(links), where)),
      ...at.flatMap(({ place: { link, address }, part, path: where }) =>
        link === undefined || address === undefined
          ? []
          : twice(places, JSON.stringify([part, link, address]), where, `the lock "${address}" on link "${link}"`),
      ),
    ];
  });
}

interface Placed {
  readonly part: string;
  readonly place: NonNullable<Place>;
  readonly path: Path;
}

/** A lock in one piece takes all the parts at its address: no other device may share it. */
function placesOf({ at, parts: of }: Outline["devices"][number], path: Path): Placed[] {
  if (at) return ["memory", "reader", "bolt"].map((part) => ({ part, place: at, path: [...path, "at"] }));
  return Object.entries(of ?? {}).flatMap(([part, place]) =>
    place ? [{ part, place, path: [...path, "parts", part] }] : [],
  );
}

function missingLink(link: string | undefined, links: readonly string[], path: Path): Problem[] {
  if (link === undefined || links.includes(link)) return [];
  const text = `no link is called "${link}"${links.length === 0 ? '; "links" is empty' : didYouMean(link, links)}`;
  return [{ path: [...path, "link"], text }];
}

/** A former name must be nobody's name now, and have one successor. */
function formerName(
  name: string | undefined,
  devices: Outline["devices"],
  seen: Map<string, Path>,
  path: Path,
): Problem[] {
  const holder = devices.findIndex(({ device_id: id }) => id !== undefined && id === name);
  if (holder < 0) return twice(seen, name, path, `the former name "${name}"`);
  return [{ path, text: `"${name}" is still the device_id of ${pathText(["devices", holder])}` }];
}

/** Remembers a name's first place, and complains at the second. */
function twice(seen: Map<string, Path>, name: string | undefined, path: Path, what: string): Problem[] {
  if (name === undefined) return [];
  const first = seen.get(name);
  if (first) return [{ path, text: `${what} is taken by ${pathText(first.slice(0, 2))}` }];
  seen.set(name, path);
  return [];
}
