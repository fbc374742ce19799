import { expect, test } from "vitest";
import { cookieName } from "./named-cookie.ts";

test("RFC 6265bis §4.1.3.2: a name begins with __Host- over https, so that no sibling domain can plant the cookie", () => {
  expect(cookieName("session", true)).toBe("__Host-sallyport-session");
});

test("a name does not where a browser would refuse it, on plain-http loopback", () => {
  expect(cookieName("session", false)).toBe("sallyport-session");
});
