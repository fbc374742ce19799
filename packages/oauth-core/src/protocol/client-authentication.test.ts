import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseClientCredentials } from "./client-authentication.ts";
import { parseParameters } from "./parameters.ts";

const because = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });
const malformed = because("invalid_client", "client_credentials_malformed");
const several = because("invalid_request", "client_credentials_several");

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
const read = (authorization: string | undefined, form: Record<string, string> = {}) =>
  parseClientCredentials(authorization, parseParameters(new URLSearchParams(form).toString()));

describe("one method", () => {
  test("a client id alone is a public client", () => {
    expect(read(undefined, { client_id: "id" })).toEqual({ method: "none", candidates: [{ clientId: "id" }] });
  });

  test("an empty client_secret beside it is none", () => {
    expect(read(undefined, { client_id: "id", client_secret: "" }).method).toBe("none");
  });

  test("id and secret in the form", () => {
    expect(read(undefined, { client_id: "id", client_secret: "s:%41" })).toEqual({
      method: "client_secret_post",
      candidates: [{ clientId: "id", clientSecret: "s:%41" }],
    });
  });

  test.each(["Basic", "basic", "BASIC"])("RFC 9110 §11.1: the scheme %s has no case", (scheme) => {
    expect(read(`${scheme} ${btoa("id:secret")}`)).toEqual({
      method: "client_secret_basic",
      candidates: [{ clientId: "id", clientSecret: "secret" }],
    });
  });

  test("RFC 7617 §2: the first colon ends the id, and the secret may have more of them", () => {
    expect(read(basic("id:a:b:")).candidates).toEqual([{ clientId: "id", clientSecret: "a:b:" }]);
  });

  test("an empty secret in Basic is an attempt with an empty secret, and not a public client", () => {
    expect(read(basic("id:"))).toEqual({
      method: "client_secret_basic",
      candidates: [{ clientId: "id", clientSecret: "" }],
    });
  });

  test("RFC 6749 §2.3.1: raw credentials come first, percent-decoded ones second where they differ", () => {
    expect(read(basic("my%3Aid:a+b%25")).candidates).toEqual([
      { clientId: "my%3Aid", clientSecret: "a+b%25" },
      { clientId: "my:id", clientSecret: "a b%" },
    ]);
    expect(read(basic("id:plain-Secret_1")).candidates).toHaveLength(1);
  });

  test.each(["id:100%", "id:%zz", "id:%C3", "id:a%0Ab"])(
    "credentials that are not percent-encoded are read raw alone: %s",
    (pair) => {
      expect(read(basic(pair)).candidates).toEqual([{ clientId: "id", clientSecret: pair.slice(3) }]);
    },
  );
});

describe("none, or several", () => {
  test("nothing at all", () => {
    expect(() => read(undefined)).toThrow(because("invalid_client", "client_credentials_missing"));
  });

  test("a secret without an id", () => {
    expect(() => read(undefined, { client_secret: "secret" })).toThrow(malformed);
  });

  test.each([
    { client_secret: "secret" },
    { client_id: "id", client_secret: "secret" },
    { client_assertion: "a" },
    { client_assertion_type: "b" },
  ])("RFC 6749 §2.3: Basic and another method in one request are refused, even if they agree: %j", (form) => {
    expect(() => read(basic("id:secret"), form)).toThrow(several);
  });

  test("RFC 6749 §2.3: a secret and an assertion in one form are refused", () => {
    expect(() => read(undefined, { client_id: "id", client_secret: "s", client_assertion: "a" })).toThrow(several);
  });

  test("RFC 6749 §2.3: another client_id beside Basic is refused", () => {
    expect(() => read(basic("id:secret"), { client_id: "other" })).toThrow(several);
    expect(() => read("Bearer x", { client_secret: "s" })).toThrow(several);
  });

  test("the same client_id beside Basic keeps only the reading that it agrees with", () => {
    expect(read(basic("id:secret"), { client_id: "id" }).candidates).toHaveLength(1);
    expect(read(basic("my%3Aid:s"), { client_id: "my:id" }).candidates).toEqual([
      { clientId: "my:id", clientSecret: "s" },
    ]);
    expect(read(basic("my%3Aid:s"), { client_id: "my%3Aid" }).candidates).toEqual([
      { clientId: "my%3Aid", clientSecret: "s" },
    ]);
  });

  test("RFC 7521 §4.2: an assertion is not passed over as if the client were public", () => {
    const assertion = {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: "x.y.z",
    };
    expect(() => read(undefined, { client_id: "id", ...assertion })).toThrow(
      because("invalid_client", "client_auth_method"),
    );
  });
});

test.each([
  "",
  "Basic",
  "Basic ",
  "Basic !!!!",
  "Basic aWQ6cw==,",
  "Basic aWQ6cw== aWQ6cw==",
  "Basic aWQ6cw==, Basic aWQ6cw==",
  "Basic aWQ6c===",
  "Basicx aWQ6cw==",
  "Basic\taWQ6cw==",
  "Bearer token",
  "aWQ6cw==",
  basic("no colon"),
  basic(":secret"),
  basic("id:se\u0000cret"),
  basic("id:se\r\ncret"),
  "Basic //8=",
  "Basic aWQ6/w==",
  basic(`id:${"a".repeat(10_000)}`),
])("RFC 7617 §2: a malformed Authorization header is invalid_client and nothing worse: %j", (authorization) => {
  expect(() => read(authorization)).toThrow(malformed);
});

test("an id and a secret of any length are refused before anybody looks them up", () => {
  expect(() => read(undefined, { client_id: "a".repeat(8193) })).toThrow(malformed);
  expect(() => read(undefined, { client_id: "a", client_secret: "a".repeat(8192) })).toThrow(malformed);
});

test("what a conforming client encodes is among the readings, for any id and secret", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value));
  const encode = (value: string) => new URLSearchParams({ v: value }).toString().slice(2);

  fc.assert(
    fc.property(text, text, (clientId, clientSecret) => {
      const { candidates } = read(basic(`${encode(clientId)}:${encode(clientSecret)}`));
      expect(candidates).toContainEqual({ clientId, clientSecret });
    }),
  );
});
