import { describe, expect, test } from "vitest";
import { document, empty, json, page, redirect, toResponse, withHeaders } from "./reply.ts";

test("RFC 9111 §5.2.2.5: everything but a fixed document is nobody's to keep", () => {
  const cacheOf = (reply: ReturnType<typeof json>) => toResponse(reply, Response).headers.get("cache-control");
  expect(
    [json(200, {}), empty(204), redirect(302, "https://a.example/"), page(200, "", "'x'", [])].map(cacheOf),
  ).toEqual(Array(4).fill("no-store"));
  expect(cacheOf(document("{}"))).toBe("public, max-age=3600");
});

describe("page", () => {
  test("CSP Level 3: no script, nothing from anywhere, no frame, and forms only to where they have to go", () => {
    const policyOf = (targets: string[]) =>
      toResponse(page(200, "<p>", "'sha256-x'", targets), Response).headers.get("content-security-policy");
    expect(policyOf([])).toBe(
      "default-src 'none'; style-src 'sha256-x'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(policyOf(["'self'", "https://a.example"])).toContain("form-action 'self' https://a.example;");
  });
});

describe("toResponse", () => {
  test("a header may stand more than once", () => {
    const reply = withHeaders(empty(200, [["set-cookie", "a=1"]]), [["set-cookie", "b=2"]]);
    expect(toResponse(reply, Response).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("RFC 9110 §9.3.2: HEAD has the headers and no body", async () => {
    const response = toResponse(json(400, { error: "x" }), Response, "HEAD");
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      400,
      "application/json",
      "",
    ]);
  });

  test("a runtime may bring its own Response", () => {
    class Light extends Response {}
    expect(toResponse(json(200, {}), Light)).toBeInstanceOf(Light);
  });

  test("an answer that is given again and again is not changed by what is added to one of them", () => {
    const fixed = document("{}");
    withHeaders(fixed, [["x-a", "1"]]);
    toResponse(fixed, Response).headers.set("x-b", "2");
    expect(fixed.headers).toHaveLength(2);
  });
});
