/** Whether a missing peer program fails the tests (as in CI) instead of skipping them. */
const required = process.env["LATCHD_REQUIRE_PEERS"] === "1";

/**
 * Says why tests against a peer program are left out, or fails where peers are required.
 *
 * @returns the reason, for `describe.skipIf`; undefined where the peer is there.
 */
export function skipReason(peer: string, isThere: boolean, cure: string): string | undefined {
  if (isThere) return undefined;
  const reason = `${peer} is not installed (${cure})`;
  if (required) throw new Error(`${reason}, and LATCHD_REQUIRE_PEERS=1 asks for it`);
  process.stderr.write(`skipped: ${reason}\n`);
  return reason;
}
