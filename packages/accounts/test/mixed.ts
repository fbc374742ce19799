/** Accounts beside an upstream provider on one server, and people who have both. */
import { startUpstream, type Upstream, type UpstreamOptions } from "@sallyport/contracts/upstream";
import type { Page, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import type { RemoteMemory } from "./remote-memory.ts";
import { act, recorded } from "./visits.ts";
import { type Asked, ask, BASE_URL, PASSWORD, redeem, type SignedIn, type World, type WorldOptions } from "./world.ts";

/** A server with accounts and a provider called Acme. */
export interface MixedWorld extends World {
  readonly storage: RemoteMemory;
  readonly upstream: Upstream;
  readonly acme: UpstreamProvider;
}

/** Who signs in at Acme next. */
export const ACME_ALICE = { sub: "1234", email: "alice@acme.example", email_verified: true, name: "Alice at Acme" };

/** What is changed of the world, once it is known where Acme is. */
export interface MixedOptions extends WorldOptions {
  readonly upstream?: UpstreamOptions;
}

/** A world with one upstream; to be closed. */
export async function mixed({ upstream: upstreamOptions = {}, server = {}, ...options }: MixedOptions = {}) {
  const clock: { on?: World } = {};
  const now = () => clock.on?.time ?? 0;
  const upstream = await startUpstream({ person: ACME_ALICE, now, ...upstreamOptions });
  const { authorization, token, userinfo, revocation } = upstream.endpoints;
  const acme = defineUpstream({
    id: "acme",
    name: "Acme",
    clientId: "our-app",
    clientSecret: "the client secret of this test, which is long enough",
    scopes: ["openid", "profile", "email"],
    endpoints: { authorization, token, userinfo, revocation },
    issuer: upstream.issuer,
  });
  const on = recorded({ ...options, server: { providers: [acme], runtime: { now, fetch }, ...server } });
  clock.on = on;
  return Object.assign(on, { upstream, acme, [Symbol.asyncDispose]: () => upstream.close() });
}

/** What Acme answers to a browser that was sent there: the address of our callback. */
export async function answerOf({ upstream }: Pick<MixedWorld, "upstream">, there: Page): Promise<string> {
  if (!there.url.href.startsWith(upstream.issuer)) throw new Error(`not at Acme: ${there.url} ${there.text}`);
  return (await upstream.visit(there.url.href)).url;
}

/** Sets out to link an identity at Acme, and stops there. */
export function setOut(browser: ScriptedBrowser, provider = "acme"): Promise<Page> {
  return act(browser, "link", { provider });
}

/** Links what Acme says, all the way. */
export async function linkAcme(on: MixedWorld, browser: ScriptedBrowser): Promise<Page> {
  return browser.open(await answerOf(on, await setOut(browser)));
}

/** From the client's link over the choice of a provider to where that leads. */
export async function chooseProvider(browser: ScriptedBrowser, provider: string, asked: Asked): Promise<Page> {
  return browser.submit(await browser.open(asked.url), { provider });
}

/** Signs in to the client by Acme: where the browser ends. */
export async function byAcme(on: MixedWorld, browser = on.browser(), asked = ask()) {
  const back = await browser.open(await answerOf(on, await chooseProvider(browser, "acme", asked)));
  return { back, asked, browser };
}

/** The same, to the tokens. */
export async function signInByAcme(on: MixedWorld, browser = on.browser()): Promise<SignedIn> {
  const { back, asked } = await byAcme(on, browser);
  const { status, body } = await redeem(on, back, asked);
  if (status !== 200) throw new Error(`not signed in: ${back.url} ${back.text} ${JSON.stringify(body)}`);
  return { browser, accessToken: String(body.access_token), refreshToken: String(body.refresh_token) };
}

/** Signs in to the client by the password, where there is a choice. */
export async function signInByPassword(on: MixedWorld, login: string, browser = on.browser()): Promise<SignedIn> {
  const asked = ask();
  const page = await chooseProvider(browser, "accounts", asked);
  const back = page.form === undefined ? page : await browser.submit(page, { login, password: PASSWORD });
  const { status, body } = await redeem(on, back, asked);
  if (status !== 200) throw new Error(`not signed in: ${back.url} ${back.text} ${JSON.stringify(body)}`);
  return { browser, accessToken: String(body.access_token), refreshToken: String(body.refresh_token) };
}

/** Our callback for Acme. */
export const ACME_CALLBACK = `${BASE_URL}/oauth/callback/acme`;
