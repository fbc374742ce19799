import { expect, test, vi } from "vitest";

const { loaded } = vi.hoisted(() => ({ loaded: { jose: false } }));
vi.mock("jose", async (original) => {
  loaded.jose = true;
  return original();
});

test("jose is loaded by the first token, and by neither an import nor a constructor", async () => {
  const { JWKSVerifier } = await import("./index.ts");
  const verifier = new JWKSVerifier({
    jwksUri: "https://id.example.com/keys",
    issuer: "https://id.example.com",
    audience: "https://mcp.example.com/mcp",
  });
  expect(await verifier.verify("nonsense")).toEqual({ valid: false, error: "token_malformed" });
  expect(loaded.jose).toBe(false);
  expect(await verifier.verify("e30.e30.AA")).toEqual({ valid: false, error: "token_algorithm" });
  expect(loaded.jose).toBe(true);
});
