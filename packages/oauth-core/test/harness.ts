/** A whole server in one process, with a clock of its own, a counted storage, an upstream that does as it is told, and a browser with cookies. */
import { randomBytes } from "node:crypto";
import type { UpstreamProvider } from "../src/domain/upstream-provider.ts";
import { type OAuthEvent, OAuthProxy, type OAuthProxyConfig, PKCEUtils } from "../src/index.ts";
import { MemoryTokenStorage } from "../src/state/memory-token-storage.ts";
import type { AtomicTokenStorage } from "../src/state/token-storage.ts";
import { defineUpstream, type UpstreamDescriptor } from "../src/upstream.ts";

export const BASE_URL = "https://mcp.example.com";
export const RESOURCE = `${BASE_URL}/mcp`;
export const REDIRECT_URI = "http://127.0.0.1:49152/callback";
export const UPSTREAM = "https://id.example.com";
export const SECRET = "kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA";

/** What the upstream answers to one token request. */
export interface UpstreamAnswer {
  readonly status?: number;
  readonly body: Readonly<Record<string, unknown>> | string;
  readonly contentType?: string;
}

export interface UpstreamRequest {
  readonly url: string;
  readonly form: URLSearchParams;
  readonly headers: Headers;
}

/** A storage that counts, and fails when it is told to. */
export class CountedStorage implements AtomicTokenStorage {
  readonly inner: AtomicTokenStorage;
  calls: string[] = [];
  /** Called before each call; may reject. */
  before: (verb: string, key: string) => Promise<void> | void = () => undefined;

  constructor(inner: AtomicTokenStorage) {
    this.inner = inner;
  }

  async #count(verb: string, key: string): Promise<void> {
    // Beside the requests, once a day, and a part of none of them.
    if (key.startsWith("key-marks:")) return;
    this.calls.push(`${verb} ${key.split(":", 1)[0]}`);
    await this.before(verb, key);
  }
  async get(key: string): Promise<unknown> {
    await this.#count("get", key);
    return this.inner.get(key);
  }
  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#count("save", key);
    return this.inner.save(key, value, ttl);
  }
  async delete(key: string): Promise<void> {
    await this.#count("delete", key);
    return this.inner.delete(key);
  }
  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.#count("claim", key);
    return this.inner.claim(key, value, ttl);
  }
  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    await this.#count("replace", key);
    return this.inner.replace(key, expected, value, ttl);
  }
  async cleanup(): Promise<void> {
    return this.inner.cleanup();
  }
}

/** The world around the servers of one test. */
export class World {
  now = 1_800_000_000;
  readonly storage: CountedStorage;
  readonly events: OAuthEvent[] = [];
  readonly upstreamRequests: UpstreamRequest[] = [];
  /** How the upstream answers token requests; replace it to break it. */
  answer: (request: UpstreamRequest) => UpstreamAnswer | Promise<UpstreamAnswer>;
  #tokens = 0;

  constructor() {
    this.storage = new CountedStorage(new MemoryTokenStorage({ now: () => this.now }));
    this.answer = () => this.tokens();
  }

  /** A usual answer: a bearer token for an hour and a refresh token. */
  tokens(more: Readonly<Record<string, unknown>> = {}): UpstreamAnswer {
    this.#tokens++;
    return {
      body: {
        access_token: `upstream-access-${this.#tokens}`,
        refresh_token: `upstream-refresh-${this.#tokens}`,
        token_type: "Bearer",
        expires_in: 3600,
        ...more,
      },
    };
  }

  /** One server of this world; several share its storage. `clock` is how far its clock is off. */
  server(config: Partial<OAuthProxyConfig> = {}, clock = 0): Server {
    return new Server(this, config, clock);
  }

  eventsOf<T extends OAuthEvent["type"]>(type: T): Extract<OAuthEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<OAuthEvent, { type: T }> => event.type === type);
  }
}

/** Cookies, as a browser keeps them. */
export class Browser {
  readonly cookies = new Map<string, string>();

  header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      if (attributes.includes("Max-Age=0")) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

/** What a client knows. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret?: string;
}

/** What an authorization left in the client's hands. */
export interface Authorized {
  readonly client: RegisteredClient;
  readonly code: string;
  readonly verifier: string;
  readonly location: URL;
}

export type Tokens = Readonly<Record<string, unknown>> & {
  readonly access_token: string;
  readonly refresh_token: string;
};

/** The one upstream of servers that are told of no other. */
const ONE_UPSTREAM = {
  upstreamAuthorizationEndpoint: `${UPSTREAM}/authorize`,
  upstreamTokenEndpoint: `${UPSTREAM}/token`,
  upstreamClientId: "our-app",
  upstreamClientSecret: "upstream-client-secret-0123456789abcdef",
  scopes: ["read"],
} as const;

/** A provider at `https://ID.example`, of which the world's upstream plays the endpoints. */
export function providerAt(id: string, change: Partial<UpstreamDescriptor> = {}): UpstreamProvider {
  const host = `https://${id}.example`;
  return defineUpstream({
    id,
    name: id.toUpperCase(),
    clientId: `our-app-at-${id}`,
    clientSecret: `upstream-client-secret-of-${id}-0123456789`,
    scopes: ["profile", "email"],
    endpoints: { authorization: `${host}/authorize`, token: `${host}/token`, revocation: `${host}/revoke` },
    issuer: host,
    ...change,
  });
}

export class Server {
  readonly auth: OAuthProxy;
  readonly world: World;

  constructor(world: World, config: Partial<OAuthProxyConfig>, clock: number) {
    this.world = world;
    this.auth = new OAuthProxy({
      baseUrl: BASE_URL,
      ...(config.provider === undefined && config.providers === undefined ? ONE_UPSTREAM : {}),
      secret: SECRET,
      tokenStorage: world.storage,
      onEvent: (event) => world.events.push(event),
      ...config,
      runtime: {
        now: () => world.now + clock,
        pause: () => new Promise((resolve) => setImmediate(resolve)),
        fetch: async (url, init) => {
          const request = {
            url,
            form: new URLSearchParams(String(init.body ?? "")),
            headers: new Headers(init.headers),
          };
          world.upstreamRequests.push(request);
          const { status = 200, body, contentType = "application/json" } = await world.answer(request);
          return new Response(typeof body === "string" ? body : JSON.stringify(body), {
            status,
            headers: { "content-type": contentType },
          });
        },
        ...config.runtime,
      },
    });
  }

  get(url: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.auth.fetch(new Request(url.startsWith("/") ? BASE_URL + url : url, { headers }));
  }

  post(
    path: string,
    form: Readonly<Record<string, string>> | string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const body = typeof form === "string" ? form : new URLSearchParams(form).toString();
    return this.auth.fetch(
      new Request(BASE_URL + path, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      }),
    );
  }

  async register(
    metadata: Readonly<Record<string, unknown>> = {},
  ): Promise<RegisteredClient & { response: Record<string, unknown> }> {
    const body = JSON.stringify({ redirect_uris: [REDIRECT_URI], client_name: "Test client", ...metadata });
    const answer = await this.auth.fetch(
      new Request(`${BASE_URL}/oauth/register`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      }),
    );
    if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${await answer.text()}`);
    const response = (await answer.json()) as Record<string, unknown>;
    return {
      response,
      clientId: String(response.client_id),
      ...(response.client_secret === undefined ? {} : { clientSecret: String(response.client_secret) }),
    };
  }

  authorizationUrl(
    client: RegisteredClient,
    challenge: string,
    parameters: Readonly<Record<string, string | undefined>> = {},
  ): string {
    const url = new URL(`${BASE_URL}/oauth/authorize`);
    const all: Record<string, string | undefined> = {
      response_type: "code",
      client_id: client.clientId,
      redirect_uri: REDIRECT_URI,
      state: "client-state",
      code_challenge: challenge,
      code_challenge_method: "S256",
      ...parameters,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
    return url.href;
  }

  /** Opens the authorization URL and answers the page: by its action, or by the provider that is chosen. */
  async consent(
    url: string,
    browser: Browser,
    action: string | { readonly provider: string } = "approve",
  ): Promise<Response> {
    const shown = await this.get(url, { cookie: browser.header(), "sec-fetch-site": "none" });
    browser.keep(shown);
    if (shown.status !== 200) return shown;
    const answered = await this.post(
      "/oauth/consent",
      { ...formOf(await shown.text()), ...(typeof action === "string" ? { action } : action) },
      { cookie: browser.header() },
    );
    browser.keep(answered);
    return answered;
  }

  /** The upstream sends the browser back to where it was told. */
  async callback(
    upstreamUrl: string,
    browser: Browser,
    parameters: Readonly<Record<string, string>> = { code: "upstream-code" },
  ): Promise<Response> {
    const asked = new URL(upstreamUrl).searchParams;
    const query = new URLSearchParams({ ...parameters, state: asked.get("state") ?? "" });
    const answer = await this.get(`${asked.get("redirect_uri") ?? ""}?${query}`, { cookie: browser.header() });
    browser.keep(answer);
    return answer;
  }

  /** From registration to the code. */
  async authorize(
    options: {
      client?: RegisteredClient;
      parameters?: Readonly<Record<string, string | undefined>>;
      browser?: Browser;
      provider?: string;
    } = {},
  ): Promise<Authorized> {
    const client = options.client ?? (await this.register());
    const browser = options.browser ?? new Browser();
    const { verifier, challenge } = PKCEUtils.generatePair();
    const url = this.authorizationUrl(client, challenge, options.parameters);
    const { provider } = options;
    const upstream = await this.consent(url, browser, provider === undefined ? "approve" : { provider });
    const answer = await this.callback(upstream.headers.get("location") ?? "", browser);
    const location = new URL(answer.headers.get("location") ?? `${BASE_URL}/none`);
    const code = location.searchParams.get("code");
    if (code === null) throw new Error(`no code: ${answer.status} ${location.search} ${await answer.text()}`);
    return { client, code, verifier, location };
  }

  redeem(
    { client, code, verifier }: Pick<Authorized, "client" | "code" | "verifier">,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return this.post("/oauth/token", {
      grant_type: "authorization_code",
      client_id: client.clientId,
      code,
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
      ...more,
    });
  }

  refresh(
    client: RegisteredClient,
    refreshToken: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return this.post("/oauth/token", {
      grant_type: "refresh_token",
      client_id: client.clientId,
      refresh_token: refreshToken,
      ...more,
    });
  }

  /** From registration to tokens. */
  async signIn(
    options: Parameters<Server["authorize"]>[0] = {},
  ): Promise<{ client: RegisteredClient; tokens: Tokens; authorized: Authorized }> {
    const authorized = await this.authorize(options);
    const answer = await this.redeem(authorized);
    if (answer.status !== 200) throw new Error(`token: ${answer.status} ${await answer.text()}`);
    return { client: authorized.client, tokens: (await answer.json()) as Tokens, authorized };
  }

  /** The status of a call to the protected resource. */
  async call(accessToken: string | undefined, scopes: readonly string[] = []): Promise<number> {
    const headers: Record<string, string> = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
    const result = await this.auth.protect(new Request(RESOURCE, { method: "POST", headers }), { scopes });
    return result instanceof Response ? result.status : 200;
  }
}

/** The hidden fields of a page. */
export function formOf(page: string): Record<string, string> {
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
  return Object.fromEntries(fields.map(([, name = "", value = ""]) => [name, value]));
}

/** An unsigned ID token; the upstream hands it over directly, so nobody checks its signature. */
export function idToken(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.${randomBytes(8).toString("base64url")}`;
}

export async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}
