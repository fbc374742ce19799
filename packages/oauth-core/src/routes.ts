/** Which path leads to which endpoint. */
import type { Engine } from "./domain/engine.ts";
import { authorization } from "./endpoints/authorization.ts";
import { callback } from "./endpoints/callback.ts";
import { consent } from "./endpoints/consent.ts";
import { forPeople, forPrograms, type PageEndpoint, type PageSettings } from "./endpoints/endpoint.ts";
import { formPost } from "./endpoints/form-post.ts";
import { jwks } from "./endpoints/jwks.ts";
import { hasPages, homeOf, type OwnPages, ownPage } from "./endpoints/own-pages.ts";
import { registration } from "./endpoints/registration.ts";
import { revocation } from "./endpoints/revocation.ts";
import { token } from "./endpoints/token.ts";
import type { Settings } from "./options.ts";
import { ConfigurationError } from "./protocol/errors.ts";
import { formatResourceMetadata } from "./protocol/resource-metadata.ts";
import type { ServerMetadata } from "./protocol/server-metadata.ts";
import { wellKnownPath } from "./protocol/well-known.ts";
import { document } from "./transport/reply.ts";
import type { Handler, Route } from "./transport/router.ts";

/** The endpoints and the well-known documents. The latter never change, and are written once. */
export function createRoutes(
  settings: Settings,
  engine: Engine,
  pages: PageSettings,
  metadata: ServerMetadata,
): readonly Route[] {
  const { paths } = settings;
  const people = (name: string, endpoint: PageEndpoint) => forPeople(name, endpoint, engine, pages);
  const programs = (name: string, endpoint: Parameters<typeof forPrograms>[1]) => forPrograms(name, endpoint, engine);
  const authorize = people("authorization", authorization);
  const own = ownPages(settings, engine, pages);
  return [
    // No CORS where a browser's cookies count: RFC 9700 §2.6.
    { path: paths.authorize, methods: { GET: authorize, POST: authorize }, cors: false },
    { path: paths.consent, methods: { POST: people("consent", consent) }, cors: false },
    ...callbackRoutes(settings, engine, people, own),
    ...ownRoutes(settings, own, people),
    { path: paths.token, methods: { POST: programs("token", token) }, cors: true },
    { path: paths.revoke, methods: { POST: programs("revocation", revocation) }, cors: true },
    ...(settings.registration.enabled
      ? [{ path: paths.register, methods: { POST: programs("registration", registration) }, cors: true }]
      : []),
    ...(engine.publishingSigner === undefined
      ? []
      : [{ path: paths.jwks, methods: { GET: programs("jwks", jwks(engine.publishingSigner)) }, cors: true }]),
    ...wellKnownRoutes(settings, engine, pages.serverName, metadata),
  ];
}

/** One for each provider. */
function callbackRoutes(
  { providers }: Settings,
  { identityProviders }: Engine,
  people: (name: string, endpoint: PageEndpoint) => Handler,
  own: OwnPages | undefined,
): readonly Route[] {
  return providers.flatMap(({ provider: { id, formPost: posts }, callbackPath, redirectUri }) => {
    const provider = identityProviders.find(id);
    if (provider === undefined) return [];
    const GET = people("callback", callback(provider, own));
    return {
      path: callbackPath,
      methods: posts ? { GET, POST: people("callback", formPost(redirectUri)) } : { GET },
      cors: false,
    };
  });
}

/** The pages of accounts of ours, where there are some. */
function ownPages(settings: Settings, engine: Engine, pages: PageSettings): OwnPages | undefined {
  for (const provider of engine.identityProviders.all) {
    const { identityProvider } = provider;
    if (hasPages(identityProvider)) return identityProvider.open(homeOf(provider, engine, pages, settings.base));
  }
  return undefined;
}

function ownRoutes(
  { base, paths, providers }: Settings,
  own: OwnPages | undefined,
  people: (name: string, endpoint: PageEndpoint) => Handler,
): readonly Route[] {
  const taken = [...Object.values(paths), ...providers.map(({ callbackPath }) => callbackPath)];
  return (own?.pages ?? []).map(({ path: below, GET, POST }) => {
    const path = `${base.path}${below}`;
    if (taken.includes(path)) throw new ConfigurationError("redirectPath", "is already the path of a page");
    const name = below.slice(1);
    const methods = {
      ...(GET === undefined ? {} : { GET: people(name, ownPage(name, GET)) }),
      ...(POST === undefined ? {} : { POST: people(name, ownPage(name, POST)) }),
    };
    return { path, methods, cors: false };
  });
}

function wellKnownRoutes(
  { issuer, resources }: Settings,
  engine: Engine,
  resourceName: string,
  metadata: ServerMetadata,
): readonly Route[] {
  const documents = new Map<string, unknown>();
  for (const resource of resources) {
    const text = formatResourceMetadata({ resource, issuer, scopes: engine.scopes.baseline, resourceName });
    documents.set(wellKnownPath("oauth-protected-resource", resource), text);
    // RFC 9728 §3: a document at the root names one resource, and clients of the others would have to refuse it.
    if (resources.length === 1) documents.set("/.well-known/oauth-protected-resource", text);
  }
  // At the issuer's own location (RFC 8414 §3.1), and at the root for clients of the time when an issuer had no path.
  documents.set("/.well-known/oauth-authorization-server", metadata);
  documents.set(wellKnownPath("oauth-authorization-server", issuer), metadata);
  return [...documents].map(([path, value]) => {
    const reply = document(JSON.stringify(value));
    return { path, methods: { GET: reply }, cors: true };
  });
}
