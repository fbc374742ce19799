/** The token endpoint. RFC 6749 §3.2. */

import type { Engine } from "../domain/engine.ts";
import { redeemCode } from "../domain/grant-types/authorization-code.ts";
import { refresh } from "../domain/grant-types/refresh-token.ts";
import { parseClientCredentials } from "../protocol/client-authentication.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Parameters } from "../protocol/parameters.ts";
import { parseTokenRequest } from "../protocol/token-request.ts";
import type { TokenResponse } from "../protocol/token-response.ts";
import { readForm } from "../transport/body.ts";
import { json } from "../transport/reply.ts";
import type { Endpoint } from "./endpoint.ts";

export const token: Endpoint = async (request, engine) => {
  const form = await readForm(request);
  return json(200, await answerTokenRequest(engine, request.headers.get("authorization") ?? undefined, form));
};

/** Who asks comes first (RFC 6749 §3.2.1): a stranger learns nothing about a code or a token. */
export async function answerTokenRequest(
  engine: Engine,
  authorization: string | undefined,
  form: Parameters,
): Promise<TokenResponse> {
  const client = await engine.clients.authenticate(parseClientCredentials(authorization, form));
  const request = parseTokenRequest(form);
  if (!client.grantTypes.includes(request.grantType)) throw new OAuthProxyError("client_grant_type");
  return request.grantType === "authorization_code"
    ? redeemCode(engine, client, request)
    : refresh(engine, client, request);
}
