import { OAuthProxy } from "@sallyport/oauth-core";
import { describe, expect, test } from "vitest";
import { AUDIENCE, Issuer, newKey } from "../test/issuer.ts";

describe("as the option tokenVerifier of OAuthProxy, without token swap", () => {
  test("its tokens open the resource, and those that it refuses do not", async () => {
    const issuer = await Issuer.create("RS256");
    const auth = new OAuthProxy({
      baseUrl: "https://mcp.example.com",
      upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
      upstreamTokenEndpoint: "https://id.example.com/token",
      upstreamClientId: "client",
      upstreamClientSecret: "a client secret of at least 32 bytes",
      enableTokenSwap: false,
      tokenVerifier: issuer.verifier(),
      onEvent: () => undefined,
    });
    const call = (token: string) =>
      auth.protect(new Request(AUDIENCE, { method: "POST", headers: { authorization: `Bearer ${token}` } }));
    expect(await call(await issuer.token({ azp: "app", scope: "read" }))).toMatchObject({
      subject: "alice",
      clientId: "app",
      scopes: ["read"],
    });
    for (const token of [
      await issuer.token({ aud: "other" }),
      await issuer.token({}, {}, await newKey("one", "RS256")),
    ])
      expect(await call(token)).toMatchObject({ status: 401 });
  });
});
