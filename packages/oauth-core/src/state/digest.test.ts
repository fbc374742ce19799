import { expect, test } from "vitest";
import { digest } from "./digest.ts";

test("FIPS 180-4: a digest is the SHA-256 of the UTF-8, in base64url", () => {
  expect(digest("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  expect(digest("ö")).not.toBe(digest("o"));
});

test("a digest may stand in a key, a file name and a log line", () => {
  expect(digest("code/../../etc\u0000 secret")).toMatch(/^[A-Za-z0-9_-]{43}$/);
});
