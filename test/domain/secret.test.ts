import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../agent/domain/secret.ts";

test("Secret does not print its value, however it is printed", () => {
  const secret = new Secret("493017562");
  const printed = [String(secret), JSON.stringify({ secret }), inspect({ deep: { secret } }), inspect(secret)];
  for (const text of printed) {
    expect(text).toContain("[secret]");
    expect(text).not.toContain("493017562");
  }
  expect(secret.reveal()).toBe("493017562");
});
