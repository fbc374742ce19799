import { describe, expect, test } from "vitest";
import { isUnknownProxy } from "./proxy-watch.ts";

const request = (headers: Record<string, string> = {}) =>
  new Request("https://notes.example/oauth/sign-in", { headers });

describe("an address that is probably a proxy's", () => {
  test.each(["127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.0.9", "fd00::1", "fe80::1%eth0", "172.16.0.1"])(
    "%s, where the request says that it comes from somewhere else",
    (address) => {
      expect(isUnknownProxy(request({ "x-forwarded-for": "198.51.100.7" }), address)).toBe(true);
      expect(isUnknownProxy(request({ forwarded: "for=198.51.100.7" }), address)).toBe(true);
      expect(isUnknownProxy(request(), address)).toBe(false);
    },
  );

  test.each(["198.51.100.7", "2001:db8::1", "8.8.8.8", "no address", undefined])(
    "never %s: a header that anybody can send takes away no count of theirs",
    (address) => {
      expect(isUnknownProxy(request({ "x-forwarded-for": "203.0.113.9" }), address)).toBe(false);
    },
  );
});
