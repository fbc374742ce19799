/** A real OpenID Connect provider at which any user name signs in. OpenID Connect Core, RFC 6749, RFC 7009, RFC 7636. */
import { generateKeyPair, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import Provider, { type Adapter, type ClientMetadata, type Configuration, interactionPolicy } from "oidc-provider";
import { accountOf } from "./accounts.ts";
import { memoryAdapter } from "./memory-adapter.ts";
import { errorPage, welcomePage } from "./pages.ts";
import { sendPage } from "./send-page.ts";
import { SIGN_IN_PATH, signIn } from "./sign-in.ts";

/** An application that may send people here. */
export interface IdentityProviderClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
  /** Default `client_secret_basic`. */
  readonly tokenEndpointAuthMethod?: "client_secret_basic" | "client_secret_post" | undefined;
  /** Shown on the sign-in page. Default: the client id. */
  readonly clientName?: string | undefined;
}

/** How to start the provider. Lifetimes are in seconds. */
export interface IdentityProviderOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  readonly clients: readonly IdentityProviderClient[];
  /** Default 3600. */
  readonly accessTokenTtl?: number | undefined;
  /** Default 3600. */
  readonly idTokenTtl?: number | undefined;
  /** Default 14 days. */
  readonly refreshTokenTtl?: number | undefined;
  /** Default 60. */
  readonly authorizationCodeTtl?: number | undefined;
  /**
   * Whether each refresh answers a new refresh token and spends the old one, whose second use ends the whole grant. Default true: the
   * strictest that real providers do.
   */
  readonly rotateRefreshTokens?: boolean | undefined;
  /**
   * Sees every request before the provider does, and may answer it, delay it or cut it off: `true` says that it was dealt with.
   */
  readonly intercept?: ((req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>) | undefined;
}

/** Where the provider's endpoints are; absolute URLs. */
export interface IdentityProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo: string;
  readonly revocation: string;
  readonly introspection: string;
  readonly jwks: string;
  readonly discovery: string;
}

/** A provider that is listening. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly endpoints: IdentityProviderEndpoints;
  /** Admits a client after the start, for one whose own address was not known before. A client of the same id is replaced. */
  addClient(client: IdentityProviderClient): Promise<void>;
  /** Stops listening and ends every connection, also those that are held up by `intercept`. */
  close(): Promise<void>;
}

const ROUTES = {
  authorization: "/authorize",
  token: "/token",
  userinfo: "/userinfo",
  revocation: "/revoke",
  introspection: "/introspect",
  jwks: "/jwks",
};

const DAY = 24 * 60 * 60;

function wireMetadata(client: IdentityProviderClient): ClientMetadata {
  return {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    client_name: client.clientName ?? client.clientId,
    redirect_uris: client.redirectUris,
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: client.tokenEndpointAuthMethod ?? "client_secret_basic",
  };
}

async function configuration(options: IdentityProviderOptions, clients: Adapter): Promise<Configuration> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const policy = interactionPolicy.base();
  // A person who is still signed in is asked all the same: in a demonstration the next sign-in is often another person's.
  policy
    .get("login")
    ?.checks.add(
      new interactionPolicy.Check("always", "every authorization asks who signs in", (ctx) =>
        ctx.oidc.result?.login === undefined
          ? interactionPolicy.Check.REQUEST_PROMPT
          : interactionPolicy.Check.NO_NEED_TO_PROMPT,
      ),
    );

  return {
    adapter: (model) => (model === "Client" ? clients : memoryAdapter()),
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "demo", use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    routes: ROUTES,
    // Lifetimes hold to the second, so that a test of an expired token need not wait for a tolerance as well.
    clockTolerance: 0,
    ttl: {
      AccessToken: options.accessTokenTtl ?? 3600,
      IdToken: options.idTokenTtl ?? 3600,
      RefreshToken: options.refreshTokenTtl ?? 14 * DAY,
      AuthorizationCode: options.authorizationCodeTtl ?? 60,
      Interaction: 3600,
      Session: DAY,
      Grant: 14 * DAY,
    },
    scopes: ["openid", "offline_access", "profile", "email"],
    claims: {
      openid: ["sub", "roles", "groups"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
    },
    // Like most providers that people meet: the ID token carries what the scopes ask for, and not the subject alone.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      // RFC 7009 §2.1 and RFC 7662 §2.1: a client asks about, and ends, its own tokens only.
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    },
    pkce: { required: () => true },
    rotateRefreshToken: options.rotateRefreshTokens ?? true,
    expiresWithSession: () => false,
    clientBasedCORS: () => false,
    interactions: { policy, url: (_ctx, interaction) => `${SIGN_IN_PATH}/${interaction.uid}` },
    findAccount: (_ctx, subject) => ({ accountId: subject, claims: () => ({ ...accountOf(subject) }) }),
    // Whoever signs in has thereby agreed to everything that the client asked for: asking again is the proxy's task.
    async loadExistingGrant(ctx) {
      const { provider, client, session, params } = ctx.oidc;
      const { accountId } = session ?? {};
      if (client === undefined || accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId });
      grant.addOIDCScope(String(params?.scope ?? ""));
      await grant.save();
      return grant;
    },
    renderError(ctx, out) {
      ctx.type = "html";
      ctx.body = errorPage(out.error_description ?? out.error);
    },
  };
}

function report(error: unknown, res: ServerResponse): void {
  console.error("demo identity provider:", error);
  if (res.headersSent) res.destroy();
  else sendPage(res, 500, errorPage("The identity provider failed."));
}

/**
 * Starts the provider and answers once it listens.
 *
 * The sign-in is plain HTTP, so that a script can do it as well as a browser: the authorization endpoint redirects to a page with one form,
 * whose fields are `username` and the buttons `action=sign-in` and `action=cancel`; what it is posted to redirects back to the client.
 *
 * It knows no passwords and keeps everything in memory: it is for demonstrations and tests, and for nothing else.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth OpenID Connect Core §3.1}
 */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const host = options.host ?? "127.0.0.1";
  const server = createServer();
  server.listen(options.port ?? 0, host);
  await once(server, "listening");

  // The port is known only now, and the issuer is made of it.
  const { port } = server.address() as AddressInfo;
  const issuer = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const clients = memoryAdapter();
  const addClient = (client: IdentityProviderClient) => clients.upsert(client.clientId, wireMetadata(client), 0);
  await Promise.all(options.clients.map(addClient));
  const provider = new Provider(issuer, await configuration(options, clients));
  const answer = provider.callback();

  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (await options.intercept?.(req, res)) return;
    const { pathname } = new URL(req.url ?? "/", issuer);
    if (pathname.startsWith(`${SIGN_IN_PATH}/`)) await signIn(provider, req, res);
    else if (pathname === "/") sendPage(res, 200, welcomePage(issuer));
    else await answer(req, res);
  };
  server.on("request", (req, res) => {
    serve(req, res).catch((error: unknown) => report(error, res));
  });

  return {
    issuer,
    endpoints: {
      authorization: issuer + ROUTES.authorization,
      token: issuer + ROUTES.token,
      userinfo: issuer + ROUTES.userinfo,
      revocation: issuer + ROUTES.revocation,
      introspection: issuer + ROUTES.introspection,
      jwks: issuer + ROUTES.jwks,
      discovery: `${issuer}/.well-known/openid-configuration`,
    },
    async addClient(client) {
      await addClient(client);
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
