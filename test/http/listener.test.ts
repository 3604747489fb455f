import { expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";
import { isPrivate } from "../../agent/http/listener.ts";

test("isPrivate() is so within this machine, and with TLS: only there codes are told", () => {
  const tls = { cert: "", key: new Secret("") };
  for (const from of ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"]) expect(isPrivate({}, from)).toBe(true);
  for (const from of ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "0.0.0.0", "", "localhost.example"]) {
    expect([from, isPrivate({}, from)]).toEqual([from, false]);
    expect(isPrivate({ tls }, from)).toBe(true);
  }
});
