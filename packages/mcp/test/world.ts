/** A server of ours with an upstream that knows everybody, people who sign in at once, and clients that remember. */
import { EventEmitter, once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AtomicTokenStorage,
  MemoryTokenStorage,
  type OAuthEvent,
  OAuthProxy,
  type OAuthProxyConfig,
  PKCEUtils,
} from "@sallyport/oauth-core";

export const UPSTREAM = "https://id.example.com";
export const REDIRECT_URI = "http://127.0.0.1:49152/callback";

/** Roles by the name of the person who has them. */
const ROLES: Readonly<Record<string, readonly string[]>> = { ada: ["admin"] };

/** Everything about one server of a test. */
export class World {
  readonly events: OAuthEvent[] = [];
  readonly auth: OAuthProxy;
  /** What the upstream was called with, by the tools. */
  readonly storage: AtomicTokenStorage = new MemoryTokenStorage();
  /** Puts the storage out of order. */
  storageIsDown = false;
  readonly #baseUrl: string;

  constructor(baseUrl = "https://mcp.example.com", config: Partial<OAuthProxyConfig> = {}) {
    this.#baseUrl = baseUrl;
    this.auth = new OAuthProxy({ ...this.configuration(baseUrl), ...config });
  }

  /** The options of the server, for whoever makes one of their own. */
  configuration(baseUrl: string): OAuthProxyConfig {
    return {
      baseUrl,
      upstreamAuthorizationEndpoint: `${UPSTREAM}/authorize`,
      upstreamTokenEndpoint: `${UPSTREAM}/token`,
      upstreamClientId: "our-app",
      upstreamClientSecret: "upstream-client-secret-0123456789abcdef",
      scopes: ["openid"],
      resourceScopes: ["mcp:tools", "notes:read", "notes:write", "notes:admin"],
      defaultScopes: ["mcp:tools"],
      scopeHierarchy: { "notes:admin": ["notes:write"], "notes:write": ["notes:read"] },
      revocationCheckTtl: 0,
      tokenStorage: this.#watched(),
      onEvent: (event) => this.events.push(event),
      runtime: { fetch: async (_, init) => World.upstream(new URLSearchParams(String(init.body ?? ""))) },
    };
  }

  get resource(): string {
    return `${this.#baseUrl}/mcp`;
  }

  /** An access token of somebody, through a client of that name. */
  async token(person: string, scope = "openid mcp:tools", clientName = "a client"): Promise<string> {
    const ask = (path: string, init?: RequestInit) => this.auth.fetch(new Request(`${this.#baseUrl}${path}`, init));
    const registered = await ask("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        redirect_uris: [REDIRECT_URI],
        client_name: clientName,
        token_endpoint_auth_method: "none",
      }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const { verifier, challenge } = PKCEUtils.generatePair();
    const query = new URLSearchParams({
      response_type: "code",
      client_id,
      redirect_uri: REDIRECT_URI,
      code_challenge: challenge,
      code_challenge_method: "S256",
      scope,
    });
    const callback = await new Person(person, (request) => this.auth.fetch(request)).signIn(
      new URL(`${this.#baseUrl}/oauth/authorize?${query}`),
    );
    const answer = await ask("/oauth/token", {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id,
        redirect_uri: REDIRECT_URI,
        code: callback.searchParams.get("code") ?? "",
        code_verifier: verifier,
      }),
    });
    if (!answer.ok) throw new Error(`no token: ${await answer.text()}`);
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  /** The upstream's token endpoint: whoever the code names is signed in, and the ID token says which roles they have. */
  static async upstream(form: URLSearchParams): Promise<Response> {
    const [person = "", nonce = ""] = (form.get("code") ?? form.get("refresh_token") ?? "nobody").split("~");
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const claims = {
      iss: UPSTREAM,
      aud: "our-app",
      sub: person,
      exp,
      iat: exp - 3600,
      nonce,
      roles: ROLES[person] ?? [],
    };
    return Response.json({
      access_token: `upstream-token-of-${person}`,
      id_token: `${part({ alg: "RS256" })}.${part(claims)}.c2ln`,
      refresh_token: person,
      token_type: "Bearer",
      expires_in: 3600,
    });
  }

  #watched(): AtomicTokenStorage {
    return new Proxy(this.storage, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (this.storageIsDown) return Promise.reject(new Error("the storage is down"));
          return Reflect.apply(member, target, args);
        };
      },
    });
  }
}

/** A person who allows everything, with a browser that keeps cookies. */
export class Person {
  readonly #name: string;
  readonly #send: (request: Request) => Promise<Response>;
  readonly #cookies = new Map<string, string>();

  constructor(name: string, send: (request: Request) => Promise<Response> = (request) => fetch(request)) {
    this.#name = name;
    this.#send = send;
  }

  /** Allows the client and signs in; the callback that the client is to have. */
  async signIn(authorizationUrl: URL): Promise<URL> {
    const page = await this.#go(authorizationUrl);
    const html = await page.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
    if (action === undefined) throw new Error(`no consent page: ${page.status} ${html}`);
    const form = new URLSearchParams({ action: "approve" });
    for (const [, name = "", value = ""] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g))
      form.set(name, value);
    const upstream = locationOf(await this.#go(new URL(action, authorizationUrl), form));
    const back = new URL(upstream.searchParams.get("redirect_uri") ?? "");
    back.search = new URLSearchParams({
      code: `${this.#name}~${upstream.searchParams.get("nonce") ?? ""}`,
      state: upstream.searchParams.get("state") ?? "",
    }).toString();
    return locationOf(await this.#go(back));
  }

  async #go(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie, "sec-fetch-site": form === undefined ? "none" : "same-origin" };
    const init: RequestInit = form === undefined ? { headers } : { headers, method: "POST", body: form };
    const response = await this.#send(new Request(url, { ...init, redirect: "manual" }));
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      this.#cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return response;
  }
}

function locationOf(response: Response): URL {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`no redirect: ${response.status}`);
  return new URL(location);
}

/** An HTTP server on a free port, before anybody knows what it serves. */
export async function listening(): Promise<{
  readonly baseUrl: string;
  serve(listener: RequestListener): void;
  close(): Promise<void>;
}> {
  const server: Server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (listener) => server.on("request", listener),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Holds calls back until as many have come as were asked for, so that they are sure to overlap. */
export class Barrier {
  readonly #size: number;
  readonly #arrivals = new EventEmitter().setMaxListeners(0);
  #waiting = 0;

  constructor(size: number) {
    this.#size = size;
  }

  async pass(): Promise<void> {
    this.#waiting++;
    if (this.#waiting === this.#size) this.#arrivals.emit("complete");
    else await once(this.#arrivals, "complete");
  }
}
