import { describe, expect, test } from "vitest";
import { answerOf } from "../../test/answers.ts";
import { Browser, RESOURCE, World } from "../../test/harness.ts";
import { PKCEUtils } from "../pkce-utils.ts";
import { refusalOf, type TokenVerificationResult } from "./token-verifier.ts";

const NOT_NOW: TokenVerificationResult = {
  valid: false,
  error: "keys_unavailable",
  temporary: true,
  cause: new Error("no keys"),
};

describe("what is not valid", () => {
  test.each<[TokenVerificationResult, string]>([
    [{ valid: false }, "token_signature"],
    [{ valid: false, error: "token_expired" }, "token_expired"],
    [{ valid: false, error: "token_audience" }, "token_audience"],
    [{ valid: false, error: "a word of the verifier's own" }, "token_signature"],
    // A verifier's word for something else than a token must not become an answer to something else.
    [{ valid: false, error: "code_replayed" }, "token_signature"],
    [{ valid: false, error: "__proto__" }, "token_signature"],
    [{ valid: false, error: "token_expired", temporary: false }, "token_expired"],
    [NOT_NOW, "upstream_unavailable"],
  ])("%j is refused as %s", (result, reason) => {
    expect(refusalOf(result)).toMatchObject({ reason, cause: result.cause ?? result.error });
  });
});

describe("where it can not be known right now", () => {
  test("with enableTokenSwap: false the answer is 503 and no reason to sign in again, and then all goes on", async () => {
    const world = new World();
    let found: TokenVerificationResult = NOT_NOW;
    const server = world.server({ enableTokenSwap: false, tokenVerifier: { verify: async () => found } });
    const call = () =>
      server.auth.protect(new Request(RESOURCE, { headers: { authorization: "Bearer upstream-access-1" } }));
    const refused = (await call()) as Response;
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([503, null]);
    expect(world.eventsOf("access.refused").map(({ reason }) => reason)).toEqual(["upstream_unavailable"]);

    found = { valid: false, error: "token_expired" };
    expect(((await call()) as Response).status).toBe(401);
    expect(world.eventsOf("access.refused").at(-1)?.reason).toBe("token_expired");
    found = { valid: true, claims: { sub: "alice", exp: world.now + 60, scope: "read" } };
    expect(await call()).toMatchObject({ subject: "alice" });
  });

  test("a sign-in fails for now and not for good, and the client is told which", async () => {
    const world = new World();
    const asked: string[] = [];
    let found: TokenVerificationResult = NOT_NOW;
    const verify = async (token: string) => {
      asked.push(token);
      return found;
    };
    const server = world.server({ tokenVerifier: { verify } });
    const signIn = async () => {
      const browser = new Browser();
      const url = server.authorizationUrl(await server.register(), PKCEUtils.generatePair().challenge);
      const upstream = await server.consent(url, browser);
      return answerOf(await server.callback(upstream.headers.get("location") ?? "", browser));
    };
    expect(await signIn()).toMatchObject({ error: "temporarily_unavailable" });
    expect(world.eventsOf("sign_in.failed").map(({ reason }) => reason)).toEqual(["upstream_unavailable"]);
    expect(asked).toEqual(["upstream-access-1"]);
    found = { valid: false, error: "token_audience" };
    expect(await signIn()).toMatchObject({ error: "server_error" });
    found = { valid: true };
    expect(await signIn()).toHaveProperty("code");
  });
});
