/** The refresh token grant. All simultaneous requests with one token get the same next one. RFC 6749 §6, RFC 9700 §4.14.2. */
import { OAuthProxyError } from "../../protocol/errors.ts";
import type { TokenRequest } from "../../protocol/token-request.ts";
import type { TokenResponse } from "../../protocol/token-response.ts";
import type { Client } from "../clients.ts";
import type { Engine } from "../engine.ts";
import { narrowResources, narrowScopeTo } from "./narrow.ts";

type RefreshRequest = Extract<TokenRequest, { grantType: "refresh_token" }>;

/** Refreshes. @throws {OAuthProxyError} `invalid_grant`, `invalid_target`, `invalid_scope`, `temporarily_unavailable`; the token stays good unless it was reused */
export async function refresh(engine: Engine, client: Client, request: RefreshRequest): Promise<TokenResponse> {
  const { grants, upstreamSessions, accountStanding, observe, issuance, clients } = engine;
  if (!client.grantTypes.includes("refresh_token")) throw new OAuthProxyError("client_grant_type");

  const opened = await grants.open(request.refreshToken, client.clientId);
  const { grantId } = opened;
  const resources = narrowResources(request.resources, opened.entry.value.resources);
  const scope = narrowScopeTo(request.scope, opened.entry.value.scope);

  // The upstream first: where it has ended the session, ours ends with it, and where it does not answer, nothing has moved yet.
  const refreshed = await upstreamSessions.fresh(grantId, opened.entry);
  const fresh = await accountStanding.renew(grantId, refreshed);
  await clients.used(client.clientId);
  // A token that moved on and was never answered looks like a reuse once its grace period is over.
  await issuance.ready();
  const { grant, retried } = await grants.rotate(grants.join(opened, fresh));
  observe(
    { type: "grant.refreshed", clientId: client.clientId, grant: grantId, subject: grant.subject, retried },
    grant.traceId,
  );
  return issuance.respond(grantId, grant, scope, resources, grants.refreshToken(grantId, grant));
}
