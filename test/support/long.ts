/**
 * LATCHD_LONG=1 plays the campaigns in their full numbers, and what differs in one point only from what is played always; an
 * ordinary run plays a share of them, which is done while somebody waits.
 */
export const isLong = process.env["LATCHD_LONG"] !== undefined;
