import type { Runtime } from "@sallyport/oauth-core";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { AccessTokens } from "../../oauth-core/src/domain/access-tokens.ts";
import type { Grants } from "../../oauth-core/src/domain/grants.ts";
import type { Signer } from "../../oauth-core/src/domain/signer.ts";
import { Replicas, TOKEN_TTL } from "../test/replicas.ts";

const ISSUER = "https://mcp.example.com";
const RESOURCE = `${ISSUER}/mcp`;
const GRANT = { clientId: "client", subject: "alice", claims: { roles: ["admin"], kid: "x", alg: "none" } };

/** The access tokens of one server of the core, signed by one replica's keys. */
function accessTokens(replicas: Replicas, signer: Signer): AccessTokens {
  const runtime: Runtime = {
    now: () => replicas.now,
    randomBytes: (size) => Buffer.alloc(size, 7),
    pause: () => Promise.resolve(),
    fetch: () => Promise.reject(new Error("nothing is fetched")),
  };
  const grants: Pick<Grants, "isAlive"> = { isAlive: async () => true };
  return new AccessTokens({
    signer,
    grants: grants as Grants,
    runtime,
    issuer: ISSUER,
    accessTokenTtl: TOKEN_TTL,
  });
}

test("RFC 9068: the core's access tokens are signed by it, verified by another replica, and by a service that has jose and the key set", async () => {
  const replicas = new Replicas();
  const [one, two] = [replicas.replica(), replicas.replica()];
  const issued = accessTokens(replicas, one);
  const { token } = await issued.issue("g".repeat(44), GRANT as never, ["mcp:tools"], [RESOURCE]);

  expect((await accessTokens(replicas, two).verify(token, RESOURCE)).claims).toEqual(decodeJwt(token));
  const document: JSONWebKeySet = JSON.parse(JSON.stringify(await two.jwks()));
  const { payload } = await jwtVerify(token, createLocalJWKSet(document), {
    issuer: ISSUER,
    audience: RESOURCE,
    typ: "at+jwt",
    algorithms: ["ES256"],
    requiredClaims: ["exp", "sub", "client_id", "iat", "jti"],
    currentDate: new Date(replicas.now * 1000),
  });
  expect(payload).toMatchObject({ sub: "alice", scope: "mcp:tools", roles: ["admin"] });
});
