/**
 * The end of a query for some rows at most. Where a number is bound to a bare `LIMIT ?`, its plan may depend on it, and SQLite
 * prepares it anew each time: that takes several times as long as the query.
 */
export const limited = "LIMIT 0 + ?";
