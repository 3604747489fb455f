import { z } from "zod";
import { seeded } from "./faults.ts";
import type { OsdpPersona } from "./osdp.ts";
import { osdpAct, perform } from "./osdp-act.ts";
import type { OsdpReader } from "./osdp-reader.ts";
import { badWeather, calm, silent, weatherOf } from "./osdp-weather.ts";
import type { SimulatedSerialPort } from "./serial-port.ts";

const request = z.object({ id: z.union([z.string(), z.number()]).optional() });
const atReader = request.extend({ reader: z.string() }).loose();
const atLine = z.discriminatedUnion("act", [
  request.extend({ act: z.enum(["plug", "unplug", "cut", "calm"]) }).strict(),
  request.extend({ act: z.literal("weather"), is: badWeather, seed: z.int().default(1) }).strict(),
  request.extend({ act: z.literal("wires"), of: z.string(), cut: z.boolean() }).strict(),
]);

/** Does what a line of JSON asks for, and says what came of it: `id` comes back. Does not reject. */
export async function fulfil(
  line: string,
  persona: OsdpPersona,
  port: SimulatedSerialPort | undefined,
): Promise<object> {
  let id: string | number | undefined;
  try {
    const given: unknown = JSON.parse(line);
    ({ id } = request.parse(given));
    const { data } = atReader.safeParse(given);
    if (!data) {
      const act = atLine.parse(given);
      await toLine(act, persona, port);
      return { happened: "done", id, act: act.act };
    }
    const { reader: name, id: _, ...rest } = data;
    const act = osdpAct.parse(rest);
    const told = persona.act((now) => perform(readerOf(persona, name), act, now));
    return { happened: "done", id, reader: name, act: act.act, ...told };
  } catch (error) {
    return { happened: "error", id, error: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) };
  }
}

async function toLine(
  act: z.infer<typeof atLine>,
  persona: OsdpPersona,
  port: SimulatedSerialPort | undefined,
): Promise<void> {
  const { bus } = persona;
  switch (act.act) {
    case "plug":
      return port?.plugIn();
    case "unplug":
      return port?.pullOut();
    case "cut":
      bus.line.weather = silent;
      return;
    case "calm":
      bus.line.weather = calm;
      return;
    case "weather":
      bus.line.weather = weatherOf(act.is, seeded(act.seed));
      return;
    case "wires": {
      const reader = readerOf(persona, act.of);
      persona.act(() => (act.cut ? bus.leave(reader) : bus.join(reader)));
    }
  }
}

function readerOf(persona: OsdpPersona, name: string): OsdpReader {
  const reader = persona.readers.get(name);
  if (!reader) throw new Error(`no reader ${name}`);
  return reader;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
