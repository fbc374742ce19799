/** The whole journey of a person who has an account on this server, through an adapter: from the sign-up to the end of everything. RFC 6749, RFC 7636, RFC 7009. */
import { createHash, randomBytes } from "node:crypto";
import { Accounts, type Mail, OAuthServer } from "@sallyport/accounts";
import { type Page, type PageForm, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import type { TokenStorage } from "@sallyport/oauth-core";
import { expect } from "vitest";
import type { AdapterApp, AdapterSubject, MountedServer } from "../src/adapters.ts";

const CALLBACK = "https://client.example/callback";
const CLIENT = { clientId: "demo_client", clientSecret: "demo_secret", redirectUris: [CALLBACK] };
const EMAIL = "zoë@example.com";
/** One after the other. */
const PASSWORDS = ["first horse battery staple", "second horse battery staple", "third horse battery staple"] as const;

/** What the journey can be told of its surroundings. */
export interface AccountsSurroundings extends Pick<AdapterApp, "parsers" | "strippedPrefix"> {
  /** The public URL, where a proxy in front is what people talk to. Default: they talk to the server itself, over http. */
  readonly publicUrl?: string | undefined;
}

/** Makes the journey, with a real `OAuthServer` that keeps everything in `tokenStorage`. */
export async function accountsJourneyThrough(
  subject: AdapterSubject,
  tokenStorage: TokenStorage,
  { publicUrl, ...mounting }: AccountsSurroundings = {},
): Promise<void> {
  const reported: unknown[] = [];
  let auth: OAuthServer | undefined;
  const server = await subject.serve({
    ...mounting,
    auth: once(() => auth),
    onError: (error) => reported.push(error),
    routes: [
      {
        path: "/notes",
        requirement: { scopes: ["notes:read"] },
        answer: async ({ access }) => ({ body: String(access?.subject) }),
      },
    ],
  });
  const mails: Mail[] = [];
  const accounts = new Accounts({ signUp: true, sendMail: (mail) => void mails.push(mail) });
  const origin = `http://127.0.0.1:${server.port}`;
  const issuer = publicUrl ?? origin;
  auth = new OAuthServer({
    baseUrl: issuer,
    secret: "a secret that the journey has made up for itself",
    accounts,
    tokenStorage,
    scopes: ["notes:read"],
    clients: [CLIENT],
    onEvent: (event) => {
      if (event.type === "error") reported.push(event.cause);
    },
  });
  try {
    await makeJourney(new Road({ issuer, origin, accounts, mails }));
    expect(reported.map(String)).toEqual([]);
  } finally {
    await server.close();
    auth.destroy();
  }
}

/** A server whose address has to be known before it can be made. */
function once(made: () => OAuthServer | undefined): MountedServer {
  const there = (): OAuthServer => {
    const auth = made();
    if (auth === undefined) throw new Error("asked before there was a server");
    return auth;
  };
  return {
    handle: (request, options) => there().handle(request, options),
    protect: (request, requirement, options) => there().protect(request, requirement, options),
    corsHeaders: (request) => there().corsHeaders(request),
  };
}

async function makeJourney(road: Road): Promise<void> {
  // A sign-up in the middle of a sign-in, by the link of a mail, ends at the application.
  const laptop = road.browser();
  const first = await road.toSignIn(laptop);
  const signUp = await laptop.open(linkOf(first.page, "/sign-up"));
  const sent = await laptop.submit(signUp, { email: EMAIL });
  expect(sent.text).toContain("Check your mail");
  const rest = await laptop.open(await road.mailed("sign_up"));
  expect(rest.url.search).toBe("");
  const joined = await laptop.submit(rest, {
    name: "Zoë",
    new_password: PASSWORDS[0],
    repeat_password: PASSWORDS[0],
  });
  const early = await road.redeem(joined, first);
  const zoe = await road.subjectOf(early);
  expect(zoe).toBe((await road.accounts.findUserByLogin(EMAIL))?.id);
  expect(await road.subjectOf(await road.refresh(early))).toBe(zoe);

  // Signed out of the browser, and in again: not with another password, and not by the link that was used.
  await road.press(laptop, "/sign-out");
  expect((await road.toSignIn(road.browser())).page.text).toContain("Sign in to");
  const second = await road.toSignIn(laptop);
  const refused = await laptop.submit(second.page, { login: EMAIL, password: PASSWORDS[1] });
  expect(refused.status).toBe(422);
  const back = await laptop.submit(refused, { login: EMAIL, password: PASSWORDS[0] });
  const late = await road.redeem(back, second);
  expect(await road.subjectOf(late)).toBe(zoe);
  expect((await laptop.open(await road.mailed("sign_up"))).status).toBe(400);

  // The password is changed: whatever was out is over, but for this browser.
  const phone = await road.signIn(PASSWORDS[0]);
  const changed = await road.press(laptop, "change_password", {
    password: PASSWORDS[0],
    new_password: PASSWORDS[1],
    repeat_password: PASSWORDS[1],
  });
  expect(changed.text).toContain("Your password is changed.");
  for (const tokens of [early, late, phone.tokens]) await road.expectOver(tokens);
  expect((await phone.browser.open(road.url("/account"))).text).toContain("Sign in to");
  expect((await laptop.open(road.url("/account"))).text).toContain("You are signed in as Zoë");

  // It is forgotten after all: another browser, a mail, and a new one.
  const tablet = road.browser();
  const forgotten = await tablet.open(linkOf((await road.toSignIn(tablet)).page, "/reset-password"));
  await tablet.submit(forgotten, { login: EMAIL.toUpperCase() });
  const choice = await tablet.open(await road.mailed("reset_password"));
  const reset = await tablet.submit(choice, { new_password: PASSWORDS[2], repeat_password: PASSWORDS[2] });
  expect(reset.url.href).toContain(CALLBACK);
  expect((await laptop.open(road.url("/account"))).text).toContain("Sign in to");
  await expect(road.signIn(PASSWORDS[1])).rejects.toThrow("422");

  // Out everywhere, at once.
  const { browser, tokens } = await road.signIn(PASSWORDS[2]);
  expect(await road.subjectOf(tokens)).toBe(zoe);
  const everywhere = await road.press(browser, "sign_out_everywhere");
  expect(everywhere.text).toContain("Sign in to");
  await road.expectOver(tokens);
  expect(await road.accounts.listSessions(zoe)).toEqual([]);

  // And the last application gives its tokens back.
  const last = await road.signIn(PASSWORDS[2]);
  expect((await road.accounts.listSessions(zoe))?.length).toBe(1);
  expect((await road.ask("revoke", { token: last.tokens.refresh_token })).status).toBe(200);
  await road.expectOver(last.tokens);
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** An authorization that is under way, in a browser that came as far as this page. */
interface UnderWay {
  readonly page: Page;
  readonly state: string;
  readonly verifier: string;
}

interface World {
  readonly issuer: string;
  /** Where it listens: what stands in place of the issuer. */
  readonly origin: string;
  readonly accounts: Accounts;
  readonly mails: readonly Mail[];
}

/** The ways between a person, their browsers, a client and the server. */
class Road {
  readonly accounts: Accounts;
  readonly #world: World;
  readonly #basic = `Basic ${Buffer.from(`${CLIENT.clientId}:${CLIENT.clientSecret}`).toString("base64")}`;

  constructor(world: World) {
    this.accounts = world.accounts;
    this.#world = world;
  }

  /** A page of the server. */
  url(path: string): string {
    return `${this.#world.issuer}/oauth${path}`;
  }

  browser(): ScriptedBrowser {
    return new ScriptedBrowser({
      stopAt: (url) => url.href.startsWith(CALLBACK),
      fetch: async (request) => {
        const { url, method, headers } = request;
        const body = method === "POST" ? await request.text() : null;
        const answer = await fetch(this.#there(url), { method, headers, body, redirect: "manual" });
        this.#expectCookies(answer);
        return answer;
      },
    });
  }

  /** From the client's link over the consent to whatever comes then. */
  async toSignIn(browser: ScriptedBrowser): Promise<UnderWay> {
    const [state, verifier] = [random(), random()];
    const query = new URLSearchParams({
      response_type: "code",
      client_id: CLIENT.clientId,
      redirect_uri: CALLBACK,
      state,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    const consent = await browser.open(`${this.url("/authorize")}?${query}`);
    return { page: await browser.submit(consent, { action: "approve" }), state, verifier };
  }

  /** All the way, in a browser of its own. */
  async signIn(password: string) {
    const browser = this.browser();
    const underWay = await this.toSignIn(browser);
    const back = await browser.submit(underWay.page, { login: EMAIL, password });
    if (!back.url.href.startsWith(CALLBACK)) throw new Error(`${back.status}: ${back.text}`);
    return { browser, tokens: await this.redeem(back, underWay) };
  }

  /** Sends a form of the account's page: that of an action, or the one that leads to a path. */
  async press(browser: ScriptedBrowser, form: string, entries: Readonly<Record<string, string>> = {}): Promise<Page> {
    const account = await browser.open(this.url("/account"));
    const isMeant = ({ action, fields }: PageForm) => fields["action"] === form || action.pathname.endsWith(form);
    return browser.submit(account, entries, account.forms.find(isMeant));
  }

  /** The link of the last mail of this kind. */
  async mailed(kind: Mail["kind"]): Promise<string> {
    await this.accounts.settled();
    return this.#world.mails.findLast((mail) => mail.kind === kind)?.url ?? "";
  }

  async redeem({ url }: Page, { state, verifier }: UnderWay): Promise<Tokens> {
    expect(url.href.startsWith(`${CALLBACK}?`)).toBe(true);
    expect(url.searchParams.get("state")).toBe(state);
    const code = url.searchParams.get("code") ?? "";
    const grant = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: CALLBACK };
    return tokensOf(await this.ask("token", grant));
  }

  async refresh({ refresh_token }: Tokens): Promise<Tokens> {
    return tokensOf(await this.ask("token", { grant_type: "refresh_token", refresh_token }));
  }

  /** Whom the guarded route takes the bearer for. */
  async subjectOf({ access_token }: Tokens): Promise<string> {
    const answer = await this.#call(access_token);
    expect(answer.status).toBe(200);
    return answer.text();
  }

  /** Neither call nor refresh is possible any more. */
  async expectOver({ access_token, refresh_token }: Tokens): Promise<void> {
    const answers = [
      await this.#call(access_token),
      await this.ask("token", { grant_type: "refresh_token", refresh_token }),
    ];
    expect(await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]))).toEqual([
      [401, expect.any(String)],
      [400, expect.stringContaining('"invalid_grant"')],
    ]);
  }

  /** A form of the client's, with its secret. */
  ask(endpoint: "token" | "revoke", form: Readonly<Record<string, string>>): Promise<Response> {
    const headers = { authorization: this.#basic };
    return fetch(this.#there(this.url(`/${endpoint}`)), { method: "POST", headers, body: new URLSearchParams(form) });
  }

  #call(accessToken: string): Promise<Response> {
    const headers = { authorization: `Bearer ${accessToken}` };
    return fetch(this.#there(`${this.#world.issuer}/notes`), { headers });
  }

  #there(url: string): string {
    return this.#world.origin + url.slice(this.#world.issuer.length);
  }

  /** Those of https can't be planted by anybody else; those of http would be refused by browsers under such a name. */
  #expectCookies({ headers }: Response): void {
    const isSecure = this.#world.issuer.startsWith("https:");
    for (const cookie of headers.getSetCookie()) {
      expect(cookie.startsWith("__Host-")).toBe(isSecure);
      expect(/; secure/i.test(cookie)).toBe(isSecure);
      expect(cookie).toMatch(/; httponly/i);
    }
  }
}

function linkOf(page: Page, path: string): string {
  const [, href = ""] = new RegExp(`href="([^"]*${path}[^"]*)"`).exec(page.html) ?? [];
  return href.replaceAll("&amp;", "&");
}

async function tokensOf(answer: Response): Promise<Tokens> {
  expect(answer.status).toBe(200);
  return (await answer.json()) as Tokens;
}

function random(): string {
  return randomBytes(32).toString("base64url");
}
