import { describe, expect, test } from "vitest";
import { readCookies, setCookie } from "./cookies.ts";

function read(header: string): Record<string, string> {
  return Object.fromEntries(readCookies(new Request("https://a.example/", { headers: { cookie: header } })));
}

describe("reading", () => {
  test.each([
    ["", {}],
    ["a=1", { a: "1" }],
    ["a=1; b=2;c=3 ;  d=4", { a: "1", b: "2", c: "3", d: "4" }],
    ["a=1=2==", { a: "1=2==" }],
    ["a=", { a: "" }],
    ["=x; ;; novalue; a=1", { a: "1" }],
    ["__proto__=x; constructor=y", { constructor: "y" }],
  ])("%j", (header, cookies) => {
    expect(read(header)).toMatchObject(cookies);
  });

  test("RFC 6265 §5.4: of two with one name the first counts", () => {
    expect(read("a=specific; a=planted")).toEqual({ a: "specific" });
  });

  test("a request without cookies has none", () => {
    expect(readCookies(new Request("https://a.example/")).size).toBe(0);
  });
});

describe("setting", () => {
  const cookie = { name: "__Host-x", value: "v", maxAge: 600 };

  test("out of reach for scripts, for other hosts and for other sites' forms", () => {
    expect(setCookie(cookie, true)).toEqual([
      "set-cookie",
      "__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure",
    ]);
  });

  test("without Secure only where there is no https", () => {
    expect(setCookie(cookie, false)[1]).toBe("__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=600");
  });
});
