/** What a stand-in answers at each endpoint. */
import { createHash } from "node:crypto";
import type {
  IdTokenParts,
  Members,
  UpstreamBehaviour,
  UpstreamEndpointName,
  UpstreamOptions,
  UpstreamReply,
  UpstreamRequest,
  UpstreamSession,
} from "./behaviour.ts";
import { Sessions } from "./sessions.ts";
import { TokenSigner } from "./token-signer.ts";

/** Below the issuer, where nothing else is said. */
const PATHS: Readonly<Record<UpstreamEndpointName, string>> = {
  authorization: "/authorize",
  token: "/token",
  userinfo: "/userinfo",
  revocation: "/revoke",
  jwks: "/jwks",
  discovery: "/.well-known/openid-configuration",
};

const ALICE: Members = {
  sub: "alice",
  name: "Alice Example",
  email: "alice@example.com",
  email_verified: true,
  picture: "https://id.example.com/alice.png",
};

/** The protocol, without a network. */
export class StandIn {
  readonly issuer: string;
  readonly endpoints: Readonly<Record<UpstreamEndpointName, string>>;
  readonly sessions = new Sessions();
  readonly signer: TokenSigner;
  readonly #options: UpstreamOptions;
  readonly #routes: ReadonlyMap<string, (request: UpstreamRequest) => UpstreamReply>;
  #behaviour: UpstreamBehaviour;

  constructor(options: UpstreamOptions, origin: string) {
    const { issuer = origin, endpoints = {}, routes = {}, algorithm = "RS256", clientSecret = "" } = options;
    this.issuer = issuer;
    this.#options = options;
    this.#behaviour = options;
    this.signer = new TokenSigner(algorithm, clientSecret);
    const below = (path: string) => issuer.replace(/\/$/, "") + path;
    const urlOf = (name: UpstreamEndpointName) => endpoints[name] || below(PATHS[name]);
    this.endpoints = {
      authorization: urlOf("authorization"),
      token: urlOf("token"),
      userinfo: urlOf("userinfo"),
      revocation: urlOf("revocation"),
      jwks: urlOf("jwks"),
      discovery: urlOf("discovery"),
    };
    const own: readonly [UpstreamEndpointName, (request: UpstreamRequest) => UpstreamReply][] = [
      ["authorization", (request) => this.#authorize(request)],
      ["token", (request) => this.#token(request)],
      ["userinfo", (request) => this.#userinfo(request)],
      ["revocation", (request) => this.#revoke(request)],
      ["jwks", (request) => this.#published("jwks", this.signer.keySet(), request)],
      ["discovery", (request) => this.#published("discovery", this.#document(), request)],
    ];
    this.#routes = new Map([
      ...own
        .filter(([name]) => endpoints[name] !== false)
        .map(([name, answer]) => [addressOf(this.endpoints[name]), answer] as const),
      ...Object.entries(routes).map(
        ([at, answer]) => [addressOf(at.startsWith("/") ? below(at) : at), answer] as const,
      ),
    ]);
  }

  behave(behaviour: UpstreamBehaviour): void {
    this.#behaviour = { ...this.#behaviour, ...behaviour };
  }

  answer(request: UpstreamRequest): UpstreamReply {
    return this.#routes.get(addressOf(request.url.href))?.(request) ?? { status: 404, json: { error: "not_found" } };
  }

  #authorize(request: UpstreamRequest): UpstreamReply {
    const { searchParams } = request.url;
    const back = searchParams.get("redirect_uri");
    if (back === null || searchParams.get("response_type") !== "code" || !this.#knows(searchParams.get("client_id")))
      return { status: 400, text: "This authorization request is not in order." };
    const { person = ALICE } = this.#options;
    const session: UpstreamSession = {
      person: typeof person === "function" ? person(searchParams) : person,
      scope: (searchParams.get("scope") ?? "").split(/[ ,]+/).filter((word) => word !== ""),
      authorization: searchParams,
    };
    const plain = { code: this.sessions.give("upstream-code", session), state: searchParams.get("state") ?? "" };
    const parameters = this.#behaviour.authorization?.(plain, { ...request, session }) ?? plain;
    if (searchParams.get("response_mode") === "form_post") return { text: formPage(back, parameters), headers: HTML };
    const url = new URL(back);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { status: 302, headers: { location: url.href } };
  }

  #token(request: UpstreamRequest): UpstreamReply {
    const { form } = request;
    const isRefresh = form.get("grant_type") === "refresh_token";
    const secret = form.get(isRefresh ? "refresh_token" : "code");
    const session = this.sessions.of(secret);
    const fault = this.#faultOf(request, session);
    if (session === undefined || fault !== undefined) {
      const answer = { error: fault ?? "invalid_grant" };
      const plain: UpstreamReply = { status: fault === "invalid_client" ? 401 : 400, json: answer };
      return this.#behaviour.refusal?.(answer, request) ?? plain;
    }
    const answer = this.#tokens(session, { ...request, session }, isRefresh);
    const reply = this.#behaviour.token?.(answer, { ...request, session }) ?? { json: answer };
    const { rotatesRefreshTokens = true } = this.#options;
    // A server that fails has spent nothing.
    const succeeds = typeof reply !== "string" && (reply.status ?? 200) < 300;
    if (succeeds && (!isRefresh || rotatesRefreshTokens)) this.sessions.spend(secret);
    return reply;
  }

  #tokens(session: UpstreamSession, request: UpstreamRequest, isRefresh: boolean): Members {
    const { accessTokenTtl = 3600, rotatesRefreshTokens = true } = this.#options;
    const { givesRefreshToken = () => true, accessToken } = this.#behaviour;
    const jwt = accessToken && this.signer.sign({ ...this.signer.header, typ: "at+jwt" }, accessToken(session));
    const refreshes = (!isRefresh || rotatesRefreshTokens) && givesRefreshToken(session);
    const idToken = session.scope.includes("openid") ? this.#idToken(session, request, isRefresh) : undefined;
    return {
      access_token: this.sessions.give("upstream-access", session, jwt),
      token_type: "Bearer",
      expires_in: accessTokenTtl,
      ...(refreshes ? { refresh_token: this.sessions.give("upstream-refresh", session) } : {}),
      ...(idToken === undefined ? {} : { id_token: idToken }),
    };
  }

  #idToken(
    { person, authorization }: UpstreamSession,
    request: UpstreamRequest,
    isRefresh: boolean,
  ): string | undefined {
    const { now = () => Math.floor(Date.now() / 1000) } = this.#options;
    const nonce = isRefresh ? null : authorization.get("nonce");
    const plain: IdTokenParts = {
      header: this.signer.header,
      claims: {
        ...person,
        iss: this.issuer,
        aud: authorization.get("client_id"),
        iat: now(),
        exp: now() + 3600,
        ...(nonce === null ? {} : { nonce }),
      },
    };
    const { idToken } = this.#behaviour;
    const token = idToken === undefined ? plain : idToken(plain, request);
    if (token === undefined || typeof token === "string") return token;
    return this.signer.sign(token.header, token.claims, token.key);
  }

  /** What is wrong with a token request, in the words of RFC 6749 §5.2. */
  #faultOf({ form, headers }: UpstreamRequest, session: UpstreamSession | undefined): string | undefined {
    if (!this.#isAuthentic(form, headers)) return "invalid_client";
    if (form.get("grant_type") === "refresh_token") return undefined;
    if (form.get("grant_type") !== "authorization_code") return "unsupported_grant_type";
    if (session === undefined) return undefined;
    const { authorization } = session;
    if (form.get("redirect_uri") !== authorization.get("redirect_uri")) return "invalid_grant";
    const challenge = authorization.get("code_challenge");
    const verified = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    return challenge !== null && challenge !== verified ? "invalid_grant" : undefined;
  }

  /** RFC 6749 §2.3.1. */
  #isAuthentic(form: URLSearchParams, headers: Headers): boolean {
    const { clientSecret, authMethod } = this.#options;
    const basic = /^Basic (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
    const [id, secret] =
      basic === undefined
        ? [form.get("client_id"), form.get("client_secret")]
        : Buffer.from(basic, "base64").toString().split(":", 2).map(decoded);
    const used = basic !== undefined ? "client_secret_basic" : secret === null ? "none" : "client_secret_post";
    if (authMethod !== undefined && authMethod !== used) return false;
    const isRight = clientSecret === undefined || authMethod === "none" || secret === clientSecret;
    return isRight && this.#knows(id ?? null);
  }

  #knows(clientId: string | null): boolean {
    return this.#options.clientId === undefined || this.#options.clientId === clientId;
  }

  #userinfo(request: UpstreamRequest): UpstreamReply {
    if (request.session === undefined) return { status: 401, json: { error: "invalid_token" } };
    const { person } = request.session;
    return this.#behaviour.userinfo?.(person, request) ?? { json: person };
  }

  #revoke(request: UpstreamRequest): UpstreamReply {
    const reply = this.#behaviour.revocation?.(request);
    if (reply !== undefined) return reply;
    if (!this.#isAuthentic(request.form, request.headers)) return { status: 401, json: { error: "invalid_client" } };
    this.sessions.spend(request.form.get("token"));
    return { json: {} };
  }

  #published(name: "jwks" | "discovery", document: Members, request: UpstreamRequest): UpstreamReply {
    return this.#behaviour[name]?.(document, request) ?? { json: document };
  }

  #document(): Members {
    const { endpoints = {}, authMethod, algorithm = "RS256" } = this.#options;
    const there = (name: UpstreamEndpointName) => (endpoints[name] === false ? undefined : this.endpoints[name]);
    return {
      issuer: this.issuer,
      authorization_endpoint: there("authorization"),
      token_endpoint: there("token"),
      userinfo_endpoint: there("userinfo"),
      revocation_endpoint: there("revocation"),
      jwks_uri: there("jwks"),
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [algorithm],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported:
        authMethod === undefined ? ["client_secret_basic", "client_secret_post"] : [authMethod],
    };
  }
}

/** A URL without its query: what a route is found by. */
export function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

const HTML = { "content-type": "text/html; charset=utf-8" };

/** OAuth 2.0 Form Post Response Mode §2: a form that the browser sends on by itself. */
function formPage(action: string, parameters: Readonly<Record<string, string>>): string {
  const fields = Object.entries(parameters).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<!doctype html><form method="post" action="${escaped(action)}">${fields.join("")}</form>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

function decoded(text: string): string {
  return new URLSearchParams(`x=${text}`).get("x") ?? "";
}
