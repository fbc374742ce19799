import fc from "fast-check";
import { expect, test } from "vitest";
import { beginningsOf, GRANT_ID, grantIdOf } from "./grant-id.ts";
import { deriveKeys } from "./keys.ts";

const keysOf = (...secrets: string[]) =>
  deriveKeys({
    secrets,
    jwtSigningKey: undefined,
    encryptionKey: undefined,
    consentSigningKey: undefined,
    upstreamClientSecret: "",
    issuer: "https://mcp.example.com",
  })["grant-subject"];
const [OLD, FRESH] = ["the old secret, which is long enough", "the new secret, which is long enough"] as const;

test("all grants of a person begin alike, and no two codes have one name", () => {
  const keys = keysOf(OLD);
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, text, (subject, other, code, another) => {
      fc.pre(subject !== other && code !== another);
      const id = grantIdOf(keys, subject, code);
      const [beginning = ""] = beginningsOf(keys, subject);
      expect(id).toMatch(new RegExp(`^${GRANT_ID}$`));
      expect(id.startsWith(beginning)).toBe(true);
      expect(grantIdOf(keys, subject, another)).not.toBe(id);
      expect(grantIdOf(keys, other, code).startsWith(beginning)).toBe(false);
      expect(grantIdOf(keys, subject, code)).toBe(id);
    }),
  );
});

test("whoever has not got the key can't tell whose a grant is", () => {
  expect(beginningsOf(keysOf(OLD), "alice")).not.toEqual(beginningsOf(keysOf(FRESH), "alice"));
});

test("while secrets are rotated a person is found under each of them, the one that is used first of all", () => {
  const [old, fresh] = [beginningsOf(keysOf(OLD), "alice"), beginningsOf(keysOf(FRESH), "alice")];
  expect(beginningsOf(keysOf(FRESH, OLD), "alice")).toEqual([...fresh, ...old]);
  expect(grantIdOf(keysOf(FRESH, OLD), "alice", "code").startsWith(fresh[0] ?? "")).toBe(true);
});
