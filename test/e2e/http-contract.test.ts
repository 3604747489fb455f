import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { documentUrl } from "../http/contracts.ts";
import { HttpSite } from "./support/http.ts";

test("GET /openapi.json is answered without a key, as it stands in agent/http/contract/; no other method is", async () => {
  const site = await HttpSite.start();
  const { status, headers, text } = await site.send("GET", "/openapi.json?_strict=true");
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect(headers["seam-request-id"]).toMatch(/./);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(documentUrl("openapi.json"), "utf8")));
  expect((await site.send("POST", "/openapi.json", { body: {} })).status).toBe(404);
  expect((await site.send("GET", "/devices/list")).status).toBe(401);
});
