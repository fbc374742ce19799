/** How the pages of accounts look: on every size and in every light they fit, and are accessible. WCAG 2.2. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { expectAccessible } from "./accessible-page.ts";
import { type AccountsSite, PASSWORD, startAccountsSite } from "./accounts-site.ts";
import { CallbackListener } from "./callback-listener.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { Upstream } from "./upstream.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);

/** What a Chromium without a window calls itself otherwise is nothing that people have. */
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const LONG_NAME = "Ödön-Christophe Wolfeschlegelsteinhausenbergerdorff-Österreicher-Montmorency שלום";

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let upstream: Upstream;
  let site: AccountsSite;
  let browser: Browser;
  let listener: CallbackListener;
  /** Of the policy of the pages, which forbids every script, also the one that looks them over. */
  let context: BrowserContext;
  beforeAll(async () => {
    [upstream, browser, listener] = await Promise.all([
      Upstream.start(),
      startChromium(executablePath ?? ""),
      CallbackListener.start(),
    ]);
    site = await startAccountsSite({}, upstream);
    await site.accounts.createUser({
      username: "alice",
      email: "alice@example.com",
      password: PASSWORD,
      name: "Alice",
    });
    await site.accounts.createUser({ username: "victim", password: PASSWORD });
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([site.close(), listener.close()]);
    await upstream.close();
  });
  beforeEach(async () => {
    context = await browser.newContext({ bypassCSP: true, userAgent: CHROME });
  });
  afterEach(() => context.close());

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const knock = async () => (await new StrictClient(site.mcpUrl, "none", listener.url).knock()).href;

  async function tab(url: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async function toSignIn(): Promise<Page> {
    const page = await tab(await knock());
    await button(page, "Continue with your password").click();
    await page.getByLabel("Password").waitFor();
    return page;
  }

  async function signIn(page: Page, login = "alice", password = PASSWORD): Promise<void> {
    await page.getByLabel("Username or e-mail address").fill(login);
    await page.getByLabel("Password").fill(password);
    await button(page, "Sign in").click();
  }

  async function askForMail(path: string, label: string, address: string): Promise<Page> {
    const page = await tab(site.url(path));
    await page.getByLabel(label).fill(address);
    await page.getByRole("button").click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    return page;
  }

  const newPasswords = async (page: Page, password: string) => {
    for (const label of ["New password", "New password, again"])
      await page.getByLabel(label, { exact: true }).fill(password);
  };

  const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();

  test("the choice on the consent page", async () => {
    await expectAccessible(await tab(await knock()), "consent with accounts");
  });

  test("sign-in, a wrong password, and too many of them", async () => {
    const page = await toSignIn();
    await expectAccessible(page, "accounts sign-in");
    const wrong = async () => {
      const answer = page.waitForResponse((response) => response.request().method() === "POST");
      await signIn(page, "victim", "wrong horse battery staple");
      return (await answer).status();
    };
    expect(await wrong()).toBe(422);
    await page.getByRole("alert").waitFor();
    await expectAccessible(page, "wrong password");
    // Each wait is longer than the one before: the next attempt comes too soon, however slow this browser is.
    while ((await wrong()) !== 429);
    await heading(page, "Too many attempts");
    await expectAccessible(page, "too many attempts");
  });

  test("sign-up, its mail, and the rest of it", async () => {
    const typo = await tab(site.url("/sign-up"));
    await expectAccessible(typo, "sign-up");
    await typo.getByLabel("E-mail address").fill("carol@example");
    await typo.getByRole("button").click();
    await typo.getByRole("alert").waitFor();
    await expectAccessible(typo, "sign-up with a typo");
    const sent = await askForMail("/sign-up", "E-mail address", "carol@example.com");
    await expectAccessible(sent, "sign-up mail sent");
    const page = await tab(await site.mailed("sign_up", "carol@example.com"));
    await expectAccessible(page, "finish sign-up");
    await page.getByLabel("Your name").fill(LONG_NAME);
    await newPasswords(page, "carol@example");
    await page.getByRole("button").click();
    await page.getByRole("alert").waitFor();
    await expectAccessible(page, "finish sign-up with a guess");
  });

  test("a forgotten password, its mail, a new one, and the link afterwards", async () => {
    await expectAccessible(await tab(site.url("/reset-password")), "forgotten password");
    const sent = await askForMail("/reset-password", "Username or e-mail address", "alice@example.com");
    await expectAccessible(sent, "reset mail sent");
    const link = await site.mailed("reset_password", "alice@example.com");
    const page = await tab(link);
    await expectAccessible(page, "new password");
    await newPasswords(page, PASSWORD);
    await page.getByRole("button").click();
    await heading(page, "Your account at Notes server");
    const over = await tab(link);
    await heading(over, "This link does not work any more");
    await expectAccessible(over, "link over");
  });

  async function toAccount(): Promise<Page> {
    const page = await tab(site.url("/sign-in"));
    await signIn(page);
    await heading(page, "Your account at Notes server");
    return page;
  }

  test("the account, and nobody's any more", async () => {
    const page = await toAccount();
    await expectAccessible(page, "account");
    await button(page, "Sign out").click();
    await heading(page, "You are signed out");
    await expectAccessible(page, "signed out");
  });

  test("the account with everything that there can be, and with something wrong in it", async () => {
    const page = await toAccount();
    // An application, a second browser, a linked sign-in, and a name that does not fit.
    const client = new StrictClient(site.mcpUrl, "none", listener.url);
    await button(await tab((await client.knock()).href), "Continue with your password").click();
    await client.finish(await listener.nth(1));
    const other = await browser.newContext({ userAgent: FIREFOX });
    const elsewhere = await other.newPage();
    await elsewhere.goto(site.url("/sign-in"));
    await signIn(elsewhere);
    await button(page, "Link Demo").click();
    await page.getByLabel("User name").fill("alice");
    await button(page, "Sign in").click();
    await page.getByRole("status").waitFor();
    await page.getByLabel("Your name").fill(LONG_NAME);
    await button(page, "Change the name").click();
    await page.getByText("Your name is changed.").waitFor();
    await expectAccessible(page, "account with everything");

    await page.getByLabel("Current password").fill("wrong horse battery staple");
    await newPasswords(page, "another horse battery staple");
    await button(page, "Change the password").click();
    await page.getByRole("alert").waitFor();
    await expectAccessible(page, "account with a wrong password");
    await other.close();
  });
});
