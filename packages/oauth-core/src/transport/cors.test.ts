import { describe, expect, test } from "vitest";
import { Origins, originCors, PUBLIC_CORS, publicPreflight } from "./cors.ts";

describe("Origins", () => {
  const origins = new Origins(["https://app.example"]);

  test.each([
    null,
    "https://app.example",
    "http://localhost",
    "http://localhost:1",
    "http://127.0.0.1:65535",
    "http://[::1]",
  ])("%s is admitted", (origin) => {
    expect(origins.admits(origin)).toBe(true);
  });

  test.each([
    "",
    "null",
    "https://app.example.evil.example",
    "https://APP.example",
    "http://app.example",
    "https://localhost",
    "http://localhost:",
    "http://localhost:123456",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.2",
    "http://localhost:1/",
    "http://localhost\n",
    "http://[::1]:1@evil.example",
  ])("%j is not", (origin) => {
    expect(origins.admits(origin)).toBe(false);
  });
});

test("Fetch, CORS protocol: what is open to all is never open with credentials, and every answer exposes the challenge", () => {
  const open = Object.fromEntries(publicPreflight("POST, OPTIONS"));
  expect(open).toMatchObject(Object.fromEntries(PUBLIC_CORS));
  expect(open).toMatchObject({ "access-control-allow-origin": "*", "access-control-allow-methods": "POST, OPTIONS" });
  expect(Object.keys(open).join()).not.toContain("credentials");
  expect(originCors("https://app.example")).toEqual({
    "access-control-allow-origin": "https://app.example",
    "access-control-expose-headers": "www-authenticate, mcp-session-id, mcp-protocol-version",
    vary: "Origin",
  });
});
