/** The authorization code grant: every check first, the code is spent last. RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 8707 §2.2. */
import { OAuthProxyError } from "../../protocol/errors.ts";
import { verifyCodeVerifier } from "../../protocol/pkce.ts";
import type { TokenRequest } from "../../protocol/token-request.ts";
import type { TokenResponse } from "../../protocol/token-response.ts";
import type { Client } from "../clients.ts";
import type { CodeRecord, GrantToBe, SignedIn } from "../codes.ts";
import type { Engine } from "../engine.ts";
import type { NewGrant } from "../grants.ts";
import { NotAllowed } from "../sign-ins.ts";
import { narrowResources } from "./narrow.ts";

type CodeRequest = Extract<TokenRequest, { grantType: "authorization_code" }>;

/** Redeems a code. @throws {OAuthProxyError} `invalid_grant`, `invalid_target`; nothing is spent unless every check has passed */
export async function redeemCode(engine: Engine, client: Client, request: CodeRequest): Promise<TokenResponse> {
  const { codes, grants, accountStanding, observe, issuance, clients } = engine;
  const record = await codes.find(request.code);

  // RFC 6749 §4.1.3: bound to the client that asked for it, or else a stolen code could be redeemed by registering a client of one's own.
  if (record.clientId !== client.clientId) throw new OAuthProxyError("code_invalid");
  // Where it is sent, it must be the one of the authorization request: it is what stops codes that were phished through another registered URI.
  if (request.redirectUri !== undefined && request.redirectUri !== record.redirectUri)
    throw new OAuthProxyError("redirect_uri_mismatch");
  // RFC 7636 §4.6: whoever saw the code in a log or a Referer has not seen the verifier.
  if (!verifyCodeVerifier(request.codeVerifier, record.codeChallenge)) throw new OAuthProxyError("code_verifier_wrong");
  const resources = narrowResources(request.resources, record.resources);

  // Before the code is spent: what can still fail afterwards would cost the client its tokens.
  await issuance.ready();
  await clients.used(client.clientId);
  const signedIn = record.signedIn ?? (await redeemUpstream(engine, request, record));
  const { grantId } = signedIn;
  const grant = await codes.spend(request.code, client.clientId, grantId, newGrant(engine, client, record, signedIn));

  const { scope, subject } = grant;
  const refreshToken = grant.refreshable ? grants.refreshToken(grantId, grant) : undefined;
  try {
    await accountStanding.confirm(grantId, grant);
    const response = await issuance.respond(grantId, grant, scope, resources, refreshToken);
    observe(
      { type: "code.redeemed", clientId: client.clientId, grant: grantId, subject, scopes: scope },
      record.traceId,
    );
    return response;
  } catch (error) {
    if (error instanceof OAuthProxyError && error.code === "temporarily_unavailable") codes.unanswered(grant);
    throw error;
  }
}

function newGrant(engine: Engine, client: Client, record: CodeRecord, signedIn: SignedIn): NewGrant {
  const { runtime, grants } = engine;
  const refreshable = client.grantTypes.includes("refresh_token");
  const now = runtime.now();
  const upstreamScope = signedIn.upstream?.scope ?? record.scope;
  return {
    clientId: client.clientId,
    clientName: client.clientName,
    subject: signedIn.subject,
    // What the upstream granted of what was asked of it, and what was granted here.
    scope: [...new Set([...record.scope.filter((word) => upstreamScope.includes(word)), ...record.resourceScope])],
    resources: record.resources,
    claims: signedIn.claims,
    upstream: signedIn.upstream,
    account: signedIn.account,
    refreshable,
    salt: Buffer.from(runtime.randomBytes(18)).toString("base64url"),
    generation: 0,
    firstUses: [],
    createdAt: now,
    expiresAt: now + grants.lifetime(refreshable),
    traceId: record.traceId,
  };
}

/** With `forwardPkce`: the upstream's code is redeemed by the client's verifier, once, after we have checked it ourselves. */
async function redeemUpstream(engine: Engine, request: CodeRequest, record: CodeRecord): Promise<GrantToBe> {
  const { upstreamCode } = record;
  if (upstreamCode === undefined) throw new OAuthProxyError("code_invalid");
  const { codes, signIns, identityProviders } = engine;
  const provider = identityProviders.find(upstreamCode.provider);
  if (provider === undefined) throw new OAuthProxyError("provider_missing");
  const { code, nonce } = upstreamCode;
  const answer = { code, nonce, codeVerifier: request.codeVerifier, scope: record.scope };
  try {
    const signedIn = await codes.once(request.code, () =>
      signIns.complete(provider, answer, record.clientId, record.traceId),
    );
    return await codes.keep(request.code, record, signedIn);
  } catch (error) {
    // RFC 6749 §5.2: `access_denied` is no word of the token endpoint, and the person's browser is no longer there to be told.
    throw error instanceof NotAllowed ? new OAuthProxyError("grant_not_allowed") : error;
  }
}
