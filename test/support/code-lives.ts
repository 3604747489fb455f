import { codeOf, codeOnDevice } from "../../agent/domain/access-code.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { standing } from "../../agent/domain/receipt.ts";

type Life = "away" | "ahead" | "set";
interface Told {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** In which life of a code an event may be told of it, and to which life it brings it. */
const lives: Readonly<Record<string, { readonly from: readonly Life[]; readonly to: Life | undefined }>> = {
  scheduled_on_device: { from: ["away"], to: "ahead" },
  set_on_device: { from: ["away", "ahead"], to: "set" },
  failed_to_set_on_device: { from: ["away", "ahead", "set"], to: undefined },
  delay_in_setting_on_device: { from: ["away", "ahead"], to: undefined },
  deleted_external_to_seam: { from: ["ahead", "set"], to: "away" },
  modified_external_to_seam: { from: ["ahead", "set"], to: "away" },
  failed_to_remove_from_device: { from: ["ahead", "set"], to: undefined },
  removed_from_device: { from: ["ahead", "set"], to: "away" },
};
const prefix = "access_code.";

/** Follows every access code through the events that are told of it, over all restarts. */
export class CodeLives {
  readonly #lives = new Map<string, Life>();

  /** What cannot be so, if anything. `placements`: as they were committed with the event. */
  hear({ type, fields }: Told, placements: readonly Placement[]): string | undefined {
    if (type === "device.renamed") this.#renamed(fields, placements);
    const what = type.startsWith(prefix) ? lives[type.slice(prefix.length)] : undefined;
    if (!what) return undefined;
    const id = String(fields["access_code_id"]);
    const life = this.#lives.get(id) ?? "away";
    this.#lives.set(id, what.to ?? life);
    if (!what.from.includes(life)) return `${type} of a code that is ${life}`;
    if (what.to === "set" && !placements.some((each) => codeOf(each) === id && standing(each).state === "live")) {
      return `${type} of a code that is not live`;
    }
    return undefined;
  }

  /** What was told while nobody listened: how the placements were then is not known. */
  missed({ type, fields }: Told): void {
    const to = type.startsWith(prefix) ? lives[type.slice(prefix.length)]?.to : undefined;
    if (to) this.#lives.set(String(fields["access_code_id"]), to);
  }

  /** At rest: what was told to be on a device, and is in no placement any more. */
  forgotten(placements: readonly Placement[]): readonly string[] {
    const there = new Set(placements.map((placement) => String(codeOf(placement))));
    return [...this.#lives].flatMap(([id, life]) =>
      life === "away" || there.has(id) ? [] : [`the code ${id} was told to be ${life}, and never to leave`],
    );
  }

  /** A PIN on a device is called by the two of them. */
  #renamed({ device_id: is, was }: Told["fields"], placements: readonly Placement[]): void {
    for (const { credential } of placements) {
      const before = codeOnDevice(credential, deviceId(String(was)));
      const life = this.#lives.get(before);
      if (life === undefined) continue;
      this.#lives.delete(before);
      this.#lives.set(codeOnDevice(credential, deviceId(String(is))), life);
    }
  }
}
