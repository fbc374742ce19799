/** The authorization endpoint: checks what a client asks for, and asks the person. RFC 6749 §3.1, §4.1.1. */

import type { ClientRedirect } from "../domain/client-redirect.ts";
import type { Client } from "../domain/clients.ts";
import type { OfferedProvider } from "../domain/identity-providers.ts";
import { selectUpstream } from "../domain/scope-policy.ts";
import type { NamedTransaction, Transaction } from "../domain/transactions.ts";
import { parseAuthorizationRequest, parseAuthorizationTarget } from "../protocol/authorization-request.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { type Parameters, parseParameters } from "../protocol/parameters.ts";
import { isLoopbackRedirectUri } from "../protocol/redirect-uri.ts";
import { selectResources } from "../protocol/resource.ts";
import { readForm } from "../transport/body.ts";
import { readCookies } from "../transport/cookies.ts";
import { type Reply, redirect } from "../transport/reply.ts";
import { queryOf } from "../transport/router.ts";
import { showPage } from "./consent-page.ts";
import type { PageContext, PageEndpoint } from "./endpoint.ts";
import { redirectUpstream } from "./upstream-redirect.ts";

/** GET and POST (RFC 6749 §3.1). */
export const authorization: PageEndpoint = async (request, context) => {
  const parameters = request.method === "POST" ? await readForm(request) : parseParameters(queryOf(request.url));
  return authorize(parameters, request, context);
};

/** The same for parameters that were read elsewhere. */
export async function authorize(parameters: Parameters, request: Request, context: PageContext): Promise<Reply> {
  const { engine, trace } = context;
  const target = parseAuthorizationTarget(parameters);

  // RFC 6749 §4.1.2.1: until client and redirect URI are proven, whatever is wrong is said on a page. Redirecting would make this server a
  // redirector to anywhere.
  const client = await engine.clients.find(target.clientId);
  const clientRedirect = engine.clients.proveRedirect(client, target.redirectUri, target.state, engine.issuer);
  let begun: NamedTransaction;
  try {
    begun = await begin(parameters, client, clientRedirect, target.state, context);
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    engine.observe(
      { type: "request.refused", endpoint: "authorization", reason: error.reason, cause: error.cause },
      trace.id,
    );
    return redirect(302, clientRedirect.failure(error));
  }
  const provider = providerWithoutAsking(request, begun.transaction, context);
  return provider === undefined
    ? showPage(client, begun, request, context)
    : redirectUpstream(begun, provider, 302, request, context);
}

async function begin(
  parameters: Parameters,
  client: Client,
  { redirectUri }: ClientRedirect,
  clientState: string | undefined,
  { engine, trace }: PageContext,
): Promise<NamedTransaction> {
  const asked = parseAuthorizationRequest(parameters);
  // RFC 8707 §2: a token is for what it was asked for and nothing else; a token for everything would open every door when it leaks from one.
  const resources = selectResources(asked.resources, engine.resources);
  const providers = engine.identityProviders.all;
  const { scope, resourceScope } = engine.scopes.select(asked.scope, providers);
  const scopeBy =
    providers.length === 1
      ? undefined
      : Object.fromEntries(providers.map((provider) => [provider.id, selectUpstream(asked.scope, provider)]));
  const { clientId } = client;
  const { codeChallenge } = asked;
  const traceId = trace.id;
  return engine.transactions.begin(
    {
      clientId,
      redirectUri,
      clientState,
      codeChallenge,
      scope,
      scopeBy,
      resourceScope,
      resources,
      unasked: isUnasked(engine.consentRequired, client, redirectUri) ? true : undefined,
      traceId,
    },
    engine.forwardPkce,
  );
}

/** Whether nobody has to be asked for consent, by the operator's word. */
function isUnasked(consentRequired: boolean, client: Client, redirectUri: string): boolean {
  // Any program on the person's computer can listen on a loopback address and claim to be the client that is trusted.
  return !consentRequired || (client.trusted && !isLoopbackRedirectUri(redirectUri));
}

/**
 * The provider to go to straight away, where there is nothing to ask: neither for consent nor which one. Else because the person said yes to just this before,
 * in this browser, of their own accord.
 */
function providerWithoutAsking(
  request: Request,
  transaction: Transaction,
  { engine: { identityProviders, approvals } }: PageContext,
): OfferedProvider | undefined {
  if (transaction.unasked === true && identityProviders.only !== undefined) return identityProviders.only;
  // A link on another site would ride on the approval (the attacker's own client, state and challenge in it). The browser says where it came from.
  const site = request.headers.get("sec-fetch-site");
  if (site !== "none" && site !== "same-origin") return undefined;
  return approvals.remembered(readCookies(request), transaction);
}
