import { getEventListeners } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { orAbort } from "../../drivers/shared/or-abort.ts";
import { untilAny } from "../../drivers/shared/until-any.ts";
import { never } from "./bench.ts";

const forever = new Promise<never>(() => undefined);
const enders = (): readonly AbortController[] => [new AbortController(), new AbortController()];
const signalsOf = (controllers: readonly AbortController[]): readonly AbortSignal[] =>
  controllers.map(({ signal }) => signal);
const listeners = (controllers: readonly AbortController[]): number =>
  signalsOf(controllers).flatMap((signal) => getEventListeners(signal, "abort")).length;

test.each([0, 1])("work ends with whichever signal is aborted, for its reason: number %i", async (which) => {
  const controllers = enders();
  const work = untilAny(signalsOf(controllers), (until) => orAbort(forever, until));
  controllers[which]?.abort(new Error("closed"));
  await expect(work).rejects.toThrow("closed");
  expect(listeners(controllers)).toBe(0);
});

test("of one that is aborted before, work is told at once", async () => {
  const closed = AbortSignal.abort(new Error("closed"));
  const told = untilAny([new AbortController().signal, closed], async (until) => until.reason);
  expect(await told).toBe(closed.reason);
});

test("when it is done, or has failed, nothing of it is left, and the signals know nothing of it", async () => {
  const controllers = enders();
  let during: AbortSignal | undefined;
  const work = async (until: AbortSignal): Promise<string> => {
    during = until;
    expect(until.aborted).toBe(false);
    return "done";
  };
  expect(await untilAny(signalsOf(controllers), work)).toBe("done");
  expect(during?.aborted).toBe(true);
  const failed = untilAny(signalsOf(controllers), async () => Promise.reject(new Error("no")));
  await expect(failed).rejects.toThrow("no");
  expect(listeners(controllers)).toBe(0);
});

test("as many locks as a link has may be asked at once, and Node warns of nothing", async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  const closing = new AbortController();
  const asked = Array.from({ length: 100 }, () =>
    untilAny([closing.signal, never()], (until) => orAbort(forever, until)),
  );
  // Warnings are told in a turn of their own.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  closing.abort(new Error("closed"));
  await Promise.allSettled(asked);
  expect(warnings).toEqual([]);
});
