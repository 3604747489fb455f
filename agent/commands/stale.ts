import { type AsOf, ageOf, isFarAhead, markAfter, toWire } from "../domain/as-of.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { type Instant, toIso } from "../domain/instant.ts";
import type { Records } from "./records.ts";
import { invalidInput, Refused } from "./refusal.ts";

/**
 * Takes note of how new a command is that says so. A grant that is older than the newest which its pair has seen is
 * refused; a revoke is carried out whatever it says (WIRE, "Stale commands").
 *
 * @throws Refused `superseded`; `invalid_input` where the age of a grant cannot be judged.
 */
export function noteAge(
  command: "grant" | "revoke",
  records: Pick<Records, "mark" | "keepMark">,
  pair: { readonly identity: UserIdentityId; readonly device: DeviceId },
  asOf: AsOf | undefined,
  now: Instant,
): void {
  const mark = records.mark(pair.identity, pair.device);
  if (command === "grant" && asOf !== undefined) {
    if (isFarAhead(asOf, now)) throw unfit(`Is more than a day ahead of this gateway, where it is ${toIso(now)}`);
    const age = ageOf(asOf, mark);
    if (mark && age === "incomparable") {
      const hint = "to change the kind, revoke with the new one first";
      throw unfit(
        `Cannot be compared with ${toWire(mark.highest)}, the newest of this person on this device (${hint})`,
      );
    }
    if (mark && age === "superseded") throw superseded(asOf, mark.highest);
  }
  const after = markAfter(command, asOf, mark);
  if (after) records.keepMark(pair.identity, pair.device, after, command === "grant");
}

const unfit = (message: string): Refused =>
  invalidInput([{ code: "custom", path: ["as_of"], message, input: undefined }]);

const superseded = (asOf: AsOf, newest: AsOf): Refused =>
  new Refused(
    "superseded",
    asOf === newest
      ? `This person's access to this device was revoked as of ${toWire(newest)}: only what is newer grants it again. Nothing was changed`
      : `A command as of ${toWire(newest)} was carried out for this person on this device, which is newer than ${toWire(asOf)}. Nothing was changed`,
    409,
    { newest_as_of: toWire(newest) },
  );
