/** What people do on the pages of accounts, and what can be compared of the answers. */
import type { Page, PageForm, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import type { OAuthEvent } from "@sallyport/oauth-core";
import type { Mail } from "../src/index.ts";
import { RemoteMemory } from "./remote-memory.ts";
import { BASE_URL, PASSWORD, type World, type WorldOptions, world } from "./world.ts";

/** The address of a page. */
export const at = (path: string): string => `${BASE_URL}/oauth${path}`;

/** Another password that anybody may have. */
export const NEW_PASSWORD = "an entirely different passphrase";

/** A server over a storage that tells what it was asked. */
export function recorded(options: WorldOptions = {}): World & { readonly storage: RemoteMemory } {
  const clock: { on?: World } = {};
  const storage = new RemoteMemory(() => clock.on?.time ?? 0);
  const on = world({ ...options, server: { tokenStorage: storage, ...options.server } });
  clock.on = on;
  return Object.assign(on, { storage });
}

/** The verbs and kinds of the calls that something makes. */
export async function callsOf({ storage }: { readonly storage: RemoteMemory }, step: () => Promise<unknown>) {
  const before = storage.calls.length;
  await step();
  // Beside the requests, once a day, and a part of none of them.
  const calls = storage.calls.slice(before).filter((call) => !call.includes(" key-marks:"));
  return calls.map((call) => call.split(":", 1)[0] ?? "");
}

/** The form that says in `action` what is to be done. */
export function formFor(page: Page, action: string): PageForm {
  const form = page.forms.find(({ fields }) => fields.action === action);
  if (form === undefined) throw new Error(`There is no form for ${action} on ${page.url.pathname}: ${page.text}`);
  return form;
}

/** The ids on the buttons of a page's form. */
export function idsOn(page: Page, action: string): readonly string[] {
  const [, part = ""] = new RegExp(`name="action" value="${action}"(.*?)</form>`, "s").exec(page.html) ?? [];
  return [...part.matchAll(/name="id" value="([^"]*)"/g)].map(([, id = ""]) => id);
}

/** Signs in to the account itself, without any application. */
export async function toAccount(on: World, login: string, browser = on.browser(), password = PASSWORD): Promise<Page> {
  return browser.submit(await browser.open(at("/sign-in")), { login, password });
}

/** Does one thing on the page of the account. */
export async function act(
  browser: ScriptedBrowser,
  action: string,
  entries: Readonly<Record<string, string>> = {},
  page?: Page,
): Promise<Page> {
  const account = page ?? (await browser.open(at("/account")));
  return browser.submit(account, entries, formFor(account, action));
}

/** Changes the password on the page of the account. */
export function changePassword(browser: ScriptedBrowser, password: string, next = NEW_PASSWORD, repeated = next) {
  return act(browser, "change_password", { password, new_password: next, repeat_password: repeated });
}

/** Asks for a mail with a link for a new password. */
export async function forget(login: string, browser: ScriptedBrowser): Promise<Page> {
  return browser.submit(await browser.open(at("/reset-password")), { login });
}

/** Asks for an account. */
export async function register(email: string, browser: ScriptedBrowser): Promise<Page> {
  return browser.submit(await browser.open(at("/sign-up")), { email });
}

/** The last mail of a kind, when all that are under way have been sent. */
export async function mailOf({ accounts, mails }: World, kind: Mail["kind"]): Promise<Mail> {
  await accounts.settled();
  const mail = mails.findLast((each) => each.kind === kind);
  if (mail === undefined) throw new Error(`no mail: ${kind}`);
  return mail;
}

/** From the forgotten password to the page that the mail's link leads to. */
export async function toNewPassword(on: World, login: string, browser = on.browser()): Promise<Page> {
  await forget(login, browser);
  return browser.open((await mailOf(on, "reset_password")).url);
}

/** Types a new password, twice. */
export function choose(browser: ScriptedBrowser, page: Page, password = NEW_PASSWORD, name?: string): Promise<Page> {
  const typed = { new_password: password, repeat_password: password };
  return browser.submit(page, name === undefined ? typed : { ...typed, name });
}

/** A page as whoever does not know the random parts sees it: status, headers, text. */
export function seen({ status, headers, html }: Page): unknown {
  const fixed = (text: string) => text.replaceAll(/[A-Za-z0-9_-]{22,}/g, "…");
  return { status, headers: [...headers].map(([name, value]) => [name, fixed(value)]), html: fixed(html) };
}

export function eventsOf<T extends OAuthEvent["type"]>({ events }: World, type: T): Extract<OAuthEvent, { type: T }>[] {
  return events.filter((event): event is Extract<OAuthEvent, { type: T }> => event.type === type);
}
