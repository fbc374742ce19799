/** Token revocation. RFC 7009. */

import type { Engine } from "../domain/engine.ts";
import { isLiving } from "../domain/grants.ts";
import { parseRefreshToken } from "../domain/refresh-token.ts";
import { parseClientCredentials } from "../protocol/client-authentication.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { parseRevocationRequest } from "../protocol/revocation-request.ts";
import { readForm } from "../transport/body.ts";
import { empty } from "../transport/reply.ts";
import type { Endpoint } from "./endpoint.ts";

export const revocation: Endpoint = async (request, engine) => {
  const form = await readForm(request);
  const client = await engine.clients.authenticate(
    parseClientCredentials(request.headers.get("authorization") ?? undefined, form),
  );
  const { token } = parseRevocationRequest(form);

  // RFC 7009 §2.2: an unknown token, or another client's, is answered like a known one, so that nobody can probe for live tokens.
  const grantId = await grantOf(engine, token);
  if (grantId === undefined) return empty(200);
  const entry = await engine.grants.get(grantId);
  if (entry === undefined || !isLiving(entry) || entry.value.clientId !== client.clientId) return empty(200);
  const proven = parseRefreshToken(token) === undefined || engine.grants.proves(token, entry.value);
  if (proven) await engine.upstreamSessions.end(grantId, entry, "client");
  return empty(200);
};

/** The grant that a token leads to. RFC 7009 §2.1: the hint is only a hint, and our tokens tell by themselves what they are. */
async function grantOf(engine: Engine, token: string): Promise<string | undefined> {
  const refreshToken = parseRefreshToken(token);
  if (refreshToken !== undefined) return refreshToken.grantId;
  try {
    return await engine.bearers.grantOf(token);
  } catch (error) {
    if (error instanceof OAuthProxyError && error.code === "invalid_token") return undefined;
    throw error;
  }
}
