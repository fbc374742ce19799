/** A server with users of its own, a client of it, and people with browsers: all in one process, and all of it real. */
import { createHash, randomBytes } from "node:crypto";
import { type Page, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { MemoryTokenStorage, type OAuthEvent } from "@sallyport/oauth-core";
import { Accounts, type AccountsConfig, type Mail, OAuthServer, type OAuthServerConfig } from "../src/index.ts";

export const BASE_URL = "https://notes.example";
export const CALLBACK = "https://client.example/callback";
export const CLIENT = {
  clientId: "demo_client",
  clientSecret: "demo_secret",
  clientName: "Demo",
  redirectUris: [CALLBACK],
};
export const PASSWORD = "correct horse battery staple";
export const SECRET = "a secret that the test has made up, of more than 32 bytes";

export interface World {
  readonly auth: OAuthServer;
  readonly accounts: Accounts;
  readonly events: OAuthEvent[];
  readonly mails: Mail[];
  /** The clock, in seconds; to be set forward. */
  time: number;
  /** A new browser, with nothing in it; `stopAt` names further redirects that it does not follow. */
  browser(address?: string, stopAt?: (url: URL) => boolean): ScriptedBrowser;
}

export interface WorldOptions {
  readonly accounts?: AccountsConfig;
  readonly server?: Partial<OAuthServerConfig>;
  /** Whether mails are delivered. Default: true. */
  readonly mail?: boolean;
}

/** A server of which nobody is a user yet. */
export function world({ accounts: accountsConfig = {}, server = {}, mail = true }: WorldOptions = {}): World {
  const events: OAuthEvent[] = [];
  const mails: Mail[] = [];
  const sendMail = (each: Mail) => {
    mails.push(each);
  };
  const self = { time: 1_700_000_000 };
  const accounts = new Accounts({ ...(mail ? { sendMail } : {}), ...accountsConfig });
  const now = () => self.time;
  const auth = new OAuthServer({
    baseUrl: BASE_URL,
    secret: SECRET,
    accounts,
    tokenStorage: new MemoryTokenStorage({ now }),
    scopes: ["notes:read", "notes:write"],
    serverName: "Notes",
    clients: [CLIENT],
    onEvent: (event) => events.push(event),
    runtime: { now },
    ...server,
  });
  const browser = (clientAddress = "192.0.2.7", stopAt: (url: URL) => boolean = () => false) =>
    new ScriptedBrowser({
      stopAt: (url) => url.href.startsWith(CALLBACK) || !url.href.startsWith(BASE_URL) || stopAt(url),
      fetch: async (request) => {
        const response = await auth.handle(request, { clientAddress });
        await handedOver(accounts);
        return response ?? new Response(null, { status: 404 });
      },
    });
  return Object.assign(self, { auth, accounts, events, mails, browser });
}

/** Mails are handed over once the page has been answered; nobody looks into their mail before that. One that hangs is waited for by nobody. */
async function handedOver(accounts: Accounts): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hanging = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 50);
  });
  await Promise.race([accounts.settled(), hanging]);
  clearTimeout(timer);
}

/** An authorization request as a client makes it. */
export interface Asked {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
}

export function ask(change: Readonly<Record<string, string>> = {}): Asked {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(8).toString("hex");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT.clientId,
    redirect_uri: CALLBACK,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    scope: "notes:read",
    ...change,
  });
  return { url: `${BASE_URL}/oauth/authorize?${query}`, verifier, state };
}

/** From the client's link over the consent to the sign-in page. */
export async function toSignIn(browser: ScriptedBrowser, asked: Asked = ask()): Promise<Page> {
  return browser.submit(await browser.open(asked.url), { action: "approve" });
}

/** What a token endpoint answers. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A form to the token endpoint, or another one, by the client with its secret; `false` for one without. */
export async function post(
  { auth }: World,
  path: string,
  form: Readonly<Record<string, string>>,
  credentials: string | false = `${CLIENT.clientId}:${CLIENT.clientSecret}`,
): Promise<TokenAnswer> {
  const headers = new Headers();
  if (credentials !== false) headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
  const response = await auth.fetch(
    new Request(`${BASE_URL}/oauth/${path}`, { method: "POST", headers, body: new URLSearchParams(form) }),
  );
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

/** The tokens for the code at a callback. */
export function redeem(on: World, { url }: Page, { verifier }: Asked): Promise<TokenAnswer> {
  const code = url.searchParams.get("code") ?? "";
  return post(on, "token", { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: CALLBACK });
}

/** Signs somebody in to the client, all the way. */
export async function signIn(on: World, login: string, password = PASSWORD, browser = on.browser()): Promise<SignedIn> {
  const asked = ask();
  const page = await toSignIn(browser, asked);
  // Where a session goes on, nothing is asked.
  const back = page.url.href.startsWith(CALLBACK) ? page : await browser.submit(page, { login, password });
  const { status, body } = await redeem(on, back, asked);
  if (status !== 200) throw new Error(`not signed in: ${back.url} ${back.text} ${JSON.stringify(body)}`);
  return { browser, accessToken: String(body.access_token), refreshToken: String(body.refresh_token) };
}

export interface SignedIn {
  readonly browser: ScriptedBrowser;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** What a guard says of a token. */
export async function accessOf({ auth }: World, token: string) {
  const request = new Request(`${BASE_URL}/mcp`, { headers: { authorization: `Bearer ${token}` } });
  return auth.protect(request);
}
