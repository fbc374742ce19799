/** A server with one provider, the provider's stand-in, and a person who signs in: everything between registration and tokens, in one process. */
import { createHash, randomBytes } from "node:crypto";
import { startUpstream, type Upstream, type UpstreamOptions } from "@sallyport/contracts/upstream";
import { MemoryTokenStorage, type OAuthEvent, type OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { onTestFinished } from "vitest";

export const BASE_URL = "https://mcp.example.com";
export const CLIENT_ID = "our-app";
export const CLIENT_SECRET = "upstream-client-secret-0123456789abcdef";
const RESOURCE = `${BASE_URL}/mcp`;
const CALLBACK = "http://127.0.0.1:49152/callback";
const SECRET = "kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA";

/** What every preset of these tests is given; the rest is the test's. */
export interface Common extends PresetConfig {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
}

type Members = Readonly<Record<string, unknown>>;

/** How a sign-in ended: with tokens, or with a refusal that the client or the person saw. */
export interface Outcome {
  /** Of the last answer: a page's, a redirect's or the token endpoint's. */
  readonly status: number;
  readonly tokens: Tokens | undefined;
  /** The claims of our access token. */
  readonly claims: Members;
  /** What the client was told, at its redirect URI or by the token endpoint. */
  readonly error: string | undefined;
  /** Our own word for what went wrong first, from the events. */
  readonly reason: string | undefined;
  /** Everything that client and person were shown of the ending. */
  readonly shown: string;
}

/** Starts a stand-in and a server in front of it. Both end with the test. */
export async function open(upstream: UpstreamOptions, make: (common: Common) => OAuthProxy): Promise<World> {
  const clock = { now: 1_800_000_000 };
  const standIn = await startUpstream({
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    now: () => clock.now,
    ...upstream,
  });
  onTestFinished(() => standIn.close());
  return new World(standIn, clock, make);
}

export class World {
  readonly upstream: Upstream;
  readonly auth: OAuthProxy;
  readonly events: OAuthEvent[] = [];
  readonly #clock: { now: number };
  #clientId: string | undefined;
  #cookie = "";
  #tokens: Tokens | undefined;

  constructor(upstream: Upstream, clock: { now: number }, make: (common: Common) => OAuthProxy) {
    this.upstream = upstream;
    this.#clock = clock;
    this.auth = make({
      baseUrl: BASE_URL,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      secret: SECRET,
      tokenStorage: new MemoryTokenStorage({ now: () => clock.now }),
      onEvent: (event) => this.events.push(event),
      runtime: { now: () => clock.now, fetch: upstream.fetch },
    });
  }

  get now(): number {
    return this.#clock.now;
  }

  pass(seconds: number): void {
    this.#clock.now += seconds;
  }

  /** Where the browser is sent once the person has approved: the provider's authorization request. `choose` picks a provider where there are several. */
  async begin(
    request: Readonly<Record<string, string>> = {},
    choose?: string,
  ): Promise<{ url: URL; verifier: string }> {
    const { answer, verifier } = await this.#approve(request, choose);
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`consent: ${answer.status} ${await answer.text()}`);
    return { url: new URL(location), verifier };
  }

  async #approve(
    request: Readonly<Record<string, string>>,
    choose: string | undefined,
  ): Promise<{ answer: Response; verifier: string }> {
    this.#clientId ??= await this.#register();
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.#clientId,
      redirect_uri: CALLBACK,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: RESOURCE,
      state: "client-state",
      ...request,
    });
    const page = await this.#browse(`/oauth/authorize?${query}`);
    const fields = [...(await page.text()).matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
    const form = new URLSearchParams(fields.map(([, name = "", value = ""]): [string, string] => [name, value]));
    form.set("action", "approve");
    if (choose !== undefined) form.set("provider", choose);
    return { answer: await this.#browse("/oauth/consent", form), verifier };
  }

  /** From the authorization request to tokens, or to whatever came instead. */
  async signIn(request: Readonly<Record<string, string>> = {}, choose?: string): Promise<Outcome> {
    const seen = this.events.length;
    const { answer, verifier } = await this.#approve(request, choose);
    const location = answer.headers.get("location");
    const back = location === null ? answer : await this.#callback(new URL(location));
    if (!(back instanceof URL)) return this.#outcome(seen, { status: back.status, shown: await back.text() });
    const code = back.searchParams.get("code");
    if (code === null)
      return this.#outcome(seen, { status: 302, shown: back.href, error: back.searchParams.get("error") ?? undefined });
    return this.#token(seen, {
      grant_type: "authorization_code",
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    });
  }

  /** Uses the refresh token of the last answer. */
  async refresh(): Promise<Outcome> {
    return this.#token(this.events.length, {
      grant_type: "refresh_token",
      refresh_token: this.#tokens?.refresh_token ?? "",
    });
  }

  /** Ends the grant, as a client does that signs out. */
  async revoke(): Promise<Response> {
    return this.#post("/oauth/revoke", { token: this.#tokens?.refresh_token ?? "", client_id: this.#clientId ?? "" });
  }

  /** The provider's tokens behind our last access token. */
  async upstreamTokens(): ReturnType<OAuthProxy["loadUpstreamTokens"]> {
    return this.auth.loadUpstreamTokens(this.#tokens?.access_token);
  }

  async #callback(authorizationUrl: URL): Promise<URL | Response> {
    const { url, form } = await this.upstream.visit(authorizationUrl.href);
    let answer = await this.#browse(url, form);
    // A posted callback (`form_post`) comes without our cookie, and goes on as a GET that has it.
    const again = answer.headers.get("location");
    if (form !== undefined && again?.startsWith(BASE_URL)) answer = await this.#browse(again);
    const location = answer.headers.get("location");
    return location === null ? answer : new URL(location);
  }

  async #token(seen: number, form: Readonly<Record<string, string>>): Promise<Outcome> {
    const answer = await this.#post("/oauth/token", { client_id: this.#clientId ?? "", ...form });
    const text = await answer.text();
    const body = JSON.parse(text) as Members;
    if (answer.status !== 200)
      return this.#outcome(seen, { status: answer.status, shown: text, error: String(body["error"]) });
    this.#tokens = body as unknown as Tokens;
    return this.#outcome(seen, { status: 200, shown: text, tokens: this.#tokens });
  }

  #outcome(
    seen: number,
    { tokens, status, error, shown }: Pick<Outcome, "status" | "shown"> & Partial<Pick<Outcome, "tokens" | "error">>,
  ): Outcome {
    const [failure] = this.events.slice(seen).filter((event) => "reason" in event);
    return { status, tokens, claims: claimsOf(tokens?.access_token), error, reason: failure?.reason, shown };
  }

  async #register(): Promise<string> {
    const answer = await this.auth.fetch(
      new Request(`${BASE_URL}/oauth/register`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ redirect_uris: [CALLBACK], client_name: "Test client" }),
      }),
    );
    return String(((await answer.json()) as Members)["client_id"]);
  }

  async #browse(url: string, form?: URLSearchParams): Promise<Response> {
    const target = new URL(url, BASE_URL);
    const headers = { cookie: this.#cookie };
    const answer = await this.auth.fetch(new Request(target, form === undefined ? { headers } : posted(form, headers)));
    const cookies = new Map(
      this.#cookie.split("; ").map((pair): [string, string] => [pair.split("=", 1).join(), pair]),
    );
    for (const line of answer.headers.getSetCookie()) {
      const pair = line.split(";", 1).join();
      cookies.set(pair.split("=", 1).join(), pair);
    }
    this.#cookie = [...cookies.values()].join("; ");
    return answer;
  }

  #post(path: string, form: Readonly<Record<string, string>>): Promise<Response> {
    return this.auth.fetch(new Request(BASE_URL + path, posted(new URLSearchParams(form))));
  }
}

function posted(form: URLSearchParams, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: form.toString(),
  };
}

function claimsOf(jwt: string | undefined): Members {
  const part = jwt?.split(".")[1];
  return part === undefined ? {} : (JSON.parse(Buffer.from(part, "base64url").toString()) as Members);
}
