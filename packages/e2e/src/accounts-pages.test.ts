/** The pages of accounts in a real browser: what people do there, and what nobody can do to them. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type AccountsSite, PASSWORD, startAccountsSite } from "./accounts-site.ts";
import { CallbackListener } from "./callback-listener.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { startTlsTerminator } from "./tls-terminator.ts";
import { subjectOf, whoIs } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);
const terminator = executablePath === undefined ? undefined : await startTlsTerminator();

const WRONG = "wrong horse battery staple";
const OTHER = "another horse battery staple";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0";
const PRIVATE = "com.example.notes:/callback";
const LOGIN = "Username or e-mail address";

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let upstream: Upstream;
  /** With accounts alone. */
  let site: AccountsSite;
  /** With an upstream beside them. */
  let mixed: AccountsSite;
  let browser: Browser;
  let context: BrowserContext;
  let listener: CallbackListener;
  /** What the browser complained about, but for the status of a page: among it every violation of a Content-Security-Policy. */
  let complaints: string[];
  /** Somebody new for each test, so that no test slows down another. */
  let person: { readonly id: string; readonly username: string; readonly email: string };
  let count = 0;

  beforeAll(async () => {
    [upstream, browser] = await Promise.all([Upstream.start(), startChromium(executablePath ?? "")]);
    [site, mixed] = await Promise.all([
      startAccountsSite({ allowedRedirectUriPatterns: [PRIVATE] }),
      startAccountsSite({}, upstream),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([site.close(), mixed.close()]);
    await upstream.close();
    expect([...site.errors, ...mixed.errors]).toEqual([]);
  });
  beforeEach(async () => {
    complaints = [];
    listener = await CallbackListener.start();
    context = await newContext();
    count += 1;
    person = await newPerson(site);
  });
  afterEach(async () => {
    await context.close();
    await listener.close();
  });

  async function newPerson(at: AccountsSite) {
    const username = `person-${count}`;
    const email = `${username}@example.com`;
    const { id } = await at.accounts.createUser({ username, email, password: PASSWORD, name: `Person ${count}` });
    return { id, username, email };
  }

  async function newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const created = await browser.newContext(options);
    created.on("console", (message) => {
      const text = message.text();
      if (message.type() !== "error" && message.type() !== "warning") return;
      if (!/the server responded with a status of 4\d\d/.test(text)) complaints.push(text);
    });
    created.on("weberror", (error) => complaints.push(String(error.error())));
    return created;
  }

  const newClient = (at = site) => new StrictClient(at.mcpUrl, "none", listener.url);
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

  async function tab(url: string, inContext = context): Promise<Page> {
    const page = await inContext.newPage();
    await page.goto(url);
    return page;
  }

  /** A tab on the sign-in page that a client's link leads to. */
  async function toSignIn(client: StrictClient, inContext = context): Promise<Page> {
    const page = await tab((await client.knock()).href, inContext);
    await button(page, "Continue").click();
    await page.getByLabel("Password").waitFor();
    return page;
  }

  async function signIn(page: Page, { login = person.username, password = PASSWORD } = {}): Promise<void> {
    await page.getByLabel(LOGIN).fill(login);
    await page.getByLabel("Password").fill(password);
    await button(page, "Sign in").click();
  }

  /** A tab on the account's page. */
  async function toAccount(inContext = context, at = site): Promise<Page> {
    const page = await tab(at.url("/sign-in"), inContext);
    await signIn(page);
    await heading(page, "Your account at Notes server");
    return page;
  }

  async function chooseNew(page: Page, password: string): Promise<void> {
    for (const label of ["New password", "New password, again"])
      await page.getByLabel(label, { exact: true }).fill(password);
  }

  async function askForReset(page: Page): Promise<string> {
    await page.getByLabel(LOGIN).fill(person.email);
    await button(page, "Send the link").click();
    await heading(page, "Check your mail");
    return site.mailed("reset_password", person.email);
  }

  /** The callback is a sign-in of this client by this person. */
  async function expectSignedIn(client: StrictClient, callback: Promise<URL>, id = person.id): Promise<void> {
    await client.finish(await callback);
    expect(subjectOf(await client.call("whoami"))).toBe(id);
  }

  const focusedName = (page: Page) =>
    page.evaluate("document.activeElement.getAttribute('name') ?? document.activeElement.textContent.trim()");

  describe("signing in", () => {
    test("CSP form-action: leads over our callback to the client at another origin", async () => {
      const client = newClient();
      await signIn(await toSignIn(client));

      await expectSignedIn(client, listener.nth(1));
      expect(complaints).toEqual([]);
    });

    test("CSP form-action, RFC 8252 §7.1: leads to an application with a private scheme", async () => {
      const client = new StrictClient(site.mcpUrl, "none", PRIVATE);
      const page = await toSignIn(client);
      // Nobody here handles the scheme; what the policy refuses is not even requested.
      const left = page.waitForEvent("request", (request) => request.url().startsWith(PRIVATE));
      await signIn(page);

      await client.finish(new URL((await left).url()));
      expect(subjectOf(await client.call("whoami"))).toBe(person.id);
    });

    test("WCAG 2.1.1, 2.4.7: the keyboard is enough, and shows where it is", async () => {
      const client = newClient();
      const page = await tab((await client.knock()).href);
      const outline = () => page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByLabel("Password").waitFor();
      const seen: unknown[] = [];
      for (const typed of [person.username, PASSWORD, "", "", ""]) {
        seen.push(await focusedName(page));
        expect(await outline()).toBe("solid");
        await page.keyboard.type(typed);
        await page.keyboard.press("Tab");
      }
      expect(seen).toEqual(["login", "password", "Sign in", "Forgot your password?", "Create an account"]);
      await page.getByLabel("Password").focus();
      await page.keyboard.press("Enter");

      await expectSignedIn(client, listener.nth(1));
    });

    test("without scripts it is the same", async () => {
      const client = newClient();
      await signIn(await toSignIn(client, await newContext({ javaScriptEnabled: false })));

      await expectSignedIn(client, listener.nth(1));
    });

    test("WCAG 3.3.1: a wrong password brings the page back, with the reason, the name and no password", async () => {
      const client = newClient();
      const page = await toSignIn(client);
      await signIn(page, { password: WRONG });
      await page.getByRole("alert").waitFor();

      expect(await page.title()).toBe("Error: Sign in to Notes server");
      expect(await focusedName(page)).toBe("login");
      expect(await page.getByLabel(LOGIN).inputValue()).toBe(person.username);
      expect(await page.getByLabel("Password").inputValue()).toBe("");
      const described = await page.getByLabel("Password").getAttribute("aria-describedby");
      expect(await page.locator(`#${described}`).textContent()).toContain("is not right");
      await signIn(page);
      await expectSignedIn(client, listener.nth(1));
      expect(complaints).toEqual([]);
    });

    test("a page whose cookie is gone signs nobody in, says so, and leads to the application after all", async () => {
      const client = newClient();
      const page = await toSignIn(client);
      await context.clearCookies({ name: /sallyport-browser$/ });
      await signIn(page);
      await page.getByRole("alert").getByText("This page was out of date").waitFor();
      expect(await site.accounts.listSessions(person.id)).toEqual([]);
      expect(await focusedName(page)).toBe("login");

      await signIn(page);
      await expectSignedIn(client, listener.nth(1));
      expect(complaints).toEqual([]);
    });

    test("a posted page that is loaded again posts again, and is answered as before", async () => {
      const page = await toSignIn(newClient());
      await signIn(page, { password: WRONG });
      await page.getByRole("alert").waitFor();
      const again = await page.reload();

      expect(again?.status()).toBe(422);
      await page.getByRole("alert").waitFor();
      expect(await page.getByLabel("Password").inputValue()).toBe("");
    });

    test("RFC 6585 §4: whoever guesses too often has to wait; the browser that the person used before need not", async () => {
      const known = await toAccount();
      await button(known, "Sign out").click();
      await heading(known, "You are signed out");
      const stranger = await newContext();
      const page = await tab(site.url("/sign-in"), stranger);
      const guess = async () => {
        const answer = page.waitForResponse((response) => response.request().method() === "POST");
        await signIn(page, { password: WRONG });
        return answer;
      };
      let answer = await guess();
      while (answer.status() === 422) answer = await guess();
      expect(answer.status()).toBe(429);
      expect(Number(answer.headers()["retry-after"])).toBeGreaterThan(0);
      await heading(page, "Too many attempts");

      await known.getByRole("link", { name: "Sign in again" }).click();
      await signIn(known);
      await heading(known, "Your account at Notes server");
    });

    test("two tabs at once don't disturb each other", async () => {
      const clients = [newClient(), newClient()] as const;
      const pages = [await toSignIn(clients[0]), await toSignIn(clients[1])] as const;
      await signIn(pages[1]);
      await expectSignedIn(clients[1], listener.nth(1));
      await signIn(pages[0]);
      await expectSignedIn(clients[0], listener.nth(2));
      expect(complaints).toEqual([]);
    });

    test("a second application in the same browser asks for no password", async () => {
      const [first, second] = [newClient(), newClient()];
      await signIn(await toSignIn(first));
      await expectSignedIn(first, listener.nth(1));
      await button(await tab((await second.knock()).href), "Continue").click();
      await expectSignedIn(second, listener.nth(2));
    });

    test("going back after a sign-in shows no form that could sign in somebody else, and says what to do", async () => {
      const client = newClient();
      const page = await toSignIn(client);
      await signIn(page);
      await expectSignedIn(client, listener.nth(1));
      await page.goBack();

      expect(page.url().startsWith(site.auth.issuer)).toBe(true);
      expect(await page.getByRole("main").textContent()).toMatch(/start to sign in again|again from your application/i);
      expect(await page.locator("input[type=password]").count()).toBe(0);
      // What was signed in stays so.
      expect(subjectOf(await client.call("whoami"))).toBe(person.id);
      expect(listener.received).toHaveLength(1);
    });
  });

  describe("mails", () => {
    test("a sign-up in the middle of a sign-in ends at the application", async () => {
      const client = newClient();
      const page = await toSignIn(client);
      const email = `new-${person.email}`;
      await page.getByRole("link", { name: "Create an account" }).click();
      await page.getByLabel("E-mail address").fill(email);
      await page.keyboard.press("Enter");
      await heading(page, "Check your mail");
      const rest = await tab(await site.mailed("sign_up", email));
      expect(new URL(rest.url()).search).toBe("");
      await rest.getByLabel("Your name").fill("Nina");
      await chooseNew(rest, OTHER);
      await button(rest, "Create the account").click();
      const callback = await listener.nth(1);

      const made = await site.accounts.findUserByLogin(email);
      await expectSignedIn(client, Promise.resolve(callback), made?.id);
      expect(complaints).toEqual([]);
    });

    test("a link that is opened in another browser makes the account, and ends at its page", async () => {
      const page = await tab(site.url("/sign-up"));
      const email = `new-${person.email}`;
      await page.getByLabel("E-mail address").fill(email);
      await page.keyboard.press("Enter");
      await heading(page, "Check your mail");
      const elsewhere = await tab(await site.mailed("sign_up", email), await newContext());
      await elsewhere.getByLabel("Your name").fill("Nina");
      await chooseNew(elsewhere, OTHER);
      await button(elsewhere, "Create the account").click();

      await heading(elsewhere, "Your account at Notes server");
      expect(complaints).toEqual([]);
    });

    test("a forgotten password in the middle of a sign-in: the new one leads to the application, and the link is over", async () => {
      const client = newClient();
      const page = await toSignIn(client);
      await page.getByRole("link", { name: "Forgot your password?" }).click();
      const link = await askForReset(page);
      const reset = await tab(link);
      await chooseNew(reset, "short");
      // The browser itself refuses to send it.
      await button(reset, "Save the password").click();
      expect(new URL(reset.url()).pathname).toBe("/oauth/reset-password/finish");
      await chooseNew(reset, OTHER);
      await button(reset, "Save the password").click();

      await expectSignedIn(client, listener.nth(1));
      const over = await tab(link);
      await heading(over, "This link does not work any more");
      expect(complaints).toEqual([]);
    });

    test("a page of a link that is loaded again, and one that was come back to, still works", async () => {
      const link = await askForReset(await tab(site.url("/reset-password")));
      const page = await tab(link);
      await page.reload();
      await chooseNew(page, OTHER);
      await page.goto(site.url("/sign-in"));
      await page.goBack();
      await chooseNew(page, OTHER);
      await button(page, "Save the password").click();

      await heading(page, "Your account at Notes server");
      expect(complaints).toEqual([]);
    });
  });

  describe("the account", () => {
    test("a changed password signs out the other browser and the application, and this browser stays", async () => {
      const client = newClient();
      await signIn(await toSignIn(client));
      await expectSignedIn(client, listener.nth(1));
      const page = await tab(site.url("/account"));
      const other = await toAccount(await newContext());
      await page.getByLabel("Current password").fill(PASSWORD);
      await chooseNew(page, OTHER);
      await button(page, "Change the password").click();

      await page.getByRole("status").waitFor();
      expect(await page.getByRole("status").textContent()).toContain("Your password is changed.");
      expect(await whoIs(site.mcpUrl, client.tokens.access_token)).toBe(401);
      await other.reload();
      await heading(other, "Sign in to Notes server");
      // What was done is said once.
      await page.reload();
      expect(await page.getByRole("status").count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    test("another browser is signed out, and an application disconnected, by whoever sees them there", async () => {
      const client = newClient();
      await signIn(await toSignIn(client));
      await expectSignedIn(client, listener.nth(1));
      const other = await toAccount(await newContext({ userAgent: FIREFOX }));
      const page = await tab(site.url("/account"));
      await button(page, "Sign out Firefox on Windows").click();
      await page.getByText("That browser is signed out.").waitFor();
      await other.reload();
      await heading(other, "Sign in to Notes server");
      await button(page, "Disconnect oauth4webapi").click();
      await page.getByText("That application is disconnected.").waitFor();

      expect(await page.getByText("No application acts for you.").count()).toBe(1);
      expect(await whoIs(site.mcpUrl, client.tokens.access_token)).toBe(401);
    });

    test("signed out everywhere is signed out of every tab and every application", async () => {
      const client = newClient();
      await signIn(await toSignIn(client));
      await expectSignedIn(client, listener.nth(1));
      const [page, tabBeside] = [await tab(site.url("/account")), await tab(site.url("/account"))];
      await button(page, "Sign out everywhere").click();

      await heading(page, "Sign in to Notes server");
      expect(await whoIs(site.mcpUrl, client.tokens.access_token)).toBe(401);
      // A form of the other tab does nothing any more.
      await tabBeside.getByLabel("Your name").fill("Mallory");
      await button(tabBeside, "Change the name").click();
      await heading(tabBeside, "Sign in to Notes server");
      expect((await site.accounts.findUser(person.id))?.name).toBe(`Person ${count}`);
    });

    test("a tab from before another sign-in does nothing, says so, and works from then on", async () => {
      const [old, other] = [await toAccount(), await tab(site.url("/account"))];
      await button(other, "Sign out").click();
      await heading(other, "You are signed out");
      await toAccount();
      await button(old, "Sign out everywhere").click();
      await old.getByRole("alert").getByText("This page was out of date").waitFor();
      expect(await site.accounts.listSessions(person.id)).toHaveLength(1);

      await button(old, "Sign out everywhere").click();
      await heading(old, "Sign in to Notes server");
      expect(await site.accounts.listSessions(person.id)).toEqual([]);
      expect(complaints).toEqual([]);
    });

    test("going back after signing out shows nothing of the account", async () => {
      const page = await toAccount();
      await button(page, "Sign out").click();
      await heading(page, "You are signed out");
      await page.goBack();

      await heading(page, "Sign in to Notes server");
      expect(await page.getByRole("main").textContent()).not.toContain(`Person ${count}`);
    });

    test("WCAG 2.1.1, 2.4.3, 2.4.7: the keyboard reaches everything, in the order of the page, and shows where it is", async () => {
      const client = newClient();
      await signIn(await toSignIn(client));
      await expectSignedIn(client, listener.nth(1));
      await toAccount(await newContext({ userAgent: FIREFOX }));
      const page = await tab(site.url("/account"));
      const seen: unknown[] = [];
      for (let presses = 0; presses < 10; presses += 1) {
        await page.keyboard.press("Tab");
        seen.push(await focusedName(page));
        expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
        // What has the focus is not under the edge of the screen.
        expect(await page.evaluate("document.activeElement.getBoundingClientRect().bottom <= innerHeight")).toBe(true);
      }
      expect(seen).toEqual([
        "name",
        "Change the name",
        "password",
        "new_password",
        "repeat_password",
        "Change the password",
        "id",
        "id",
        "Sign out",
        "Sign out everywhere",
      ]);
      await page.keyboard.press("Enter");
      await heading(page, "Sign in to Notes server");
    });

    test("what password managers go by: every field says what it is for, and each password whose it is", async () => {
      const page = await toAccount();
      const hints = (at: Page) =>
        at.evaluate(
          "[...document.querySelectorAll('form')].map((form) => [...form.querySelectorAll('input:not([type=hidden])')].map((input) => input.autocomplete + (input.type === 'password' ? '*' : ''))).filter((hints) => hints.length > 0)",
        );
      expect(await hints(page)).toEqual([
        ["name"],
        ["username", "current-password*", "new-password*", "new-password*"],
      ]);
      const reset = await tab(await askForReset(await tab(site.url("/reset-password"))));
      expect(await hints(reset)).toEqual([["username", "new-password*", "new-password*"]]);
      const fresh = await newContext();
      const signUp = await tab(site.url("/sign-up"), fresh);
      expect(await hints(signUp)).toEqual([["email"]]);
      await signUp.getByLabel("E-mail address").fill(`new-${person.email}`);
      await signUp.keyboard.press("Enter");
      await heading(signUp, "Check your mail");
      const rest = await tab(await site.mailed("sign_up", `new-${person.email}`), fresh);
      expect(await hints(rest)).toEqual([["username", "name", "new-password*", "new-password*"]]);
      expect(await hints(await tab(site.url("/sign-in"), fresh))).toEqual([["username", "current-password*"]]);
    });
  });

  describe("with an upstream beside", () => {
    beforeEach(async () => {
      person = await newPerson(mixed);
    });

    test("a person links their sign-in there, and both ways lead to one account", async () => {
      const page = await toAccount(context, mixed);
      await button(page, "Link Demo").click();
      await page.getByLabel("User name").fill(`upstream-${count}`);
      await button(page, "Sign in").click();
      await page.getByText("The sign-in is linked.").waitFor();
      expect(await button(page, `Unlink Demo upstream-${count}@example.com`).count()).toBe(1);

      const elsewhere = await newContext();
      const upstreamClient = newClient(mixed);
      const there = await tab((await upstreamClient.knock()).href, elsewhere);
      await button(there, "Continue with Demo").click();
      await there.getByLabel("User name").fill(`upstream-${count}`);
      await button(there, "Sign in").click();
      await expectSignedIn(upstreamClient, listener.nth(1));

      const passwordClient = newClient(mixed);
      const here = await tab((await passwordClient.knock()).href, elsewhere);
      await button(here, "Continue with your password").click();
      await signIn(here);
      await expectSignedIn(passwordClient, listener.nth(2));
      expect(complaints).toEqual([]);
    });

    test("a sign-in that was unlinked leads to the account no more, nor do the tokens that it got", async () => {
      const page = await toAccount(context, mixed);
      await button(page, "Link Demo").click();
      await page.getByLabel("User name").fill(`upstream-${count}`);
      await button(page, "Sign in").click();
      await page.getByText("The sign-in is linked.").waitFor();
      const client = newClient(mixed);
      const there = await tab((await client.knock()).href, await newContext());
      await button(there, "Continue with Demo").click();
      await there.getByLabel("User name").fill(`upstream-${count}`);
      await button(there, "Sign in").click();
      await expectSignedIn(client, listener.nth(1));
      await button(page, `Unlink Demo upstream-${count}@example.com`).click();
      await page.getByText("The sign-in is unlinked.").waitFor();

      await expect(client.refresh()).rejects.toMatchObject({ error: "invalid_grant" });
    });

    test("who cancels the linking comes back to the account, which says that nothing was linked", async () => {
      const page = await toAccount(context, mixed);
      await button(page, "Link Demo").click();
      await button(page, "Cancel").click();

      await page.getByText("The sign-in could not be linked. Try again.").waitFor();
      expect(await button(page, "Link Demo").count()).toBe(1);
      expect(complaints).toEqual([]);
    });

    test("an account that was left open asks for the password before it links, and then goes on", async () => {
      const page = await toAccount(context, mixed);
      mixed.advance(901);
      await button(page, "Link Demo").click();
      await heading(page, "Sign in to Notes server");
      await signIn(page);
      await heading(page, "Your account at Notes server");
      await button(page, "Link Demo").click();
      await page.getByLabel("User name").waitFor();
    });
  });

  describe.skipIf(terminator === undefined)("behind a proxy that ends TLS", () => {
    const origin = terminator?.origin ?? "";
    let secure: AccountsSite;
    beforeAll(async () => {
      const redirectUris = ["http://127.0.0.1/callback"];
      secure = await startAccountsSite({
        baseUrl: origin,
        clients: [{ clientId: "demo_client", clientName: "Demo", redirectUris }],
      });
      terminator?.forward(Number(secure.mcpUrl.port));
    });
    afterAll(async () => {
      await secure.close();
      await terminator?.close();
    });

    test("RFC 6265bis §4.1.3.2: every cookie is __Host-, and the browser takes it", async () => {
      await secure.accounts.createUser({ username: person.username, password: PASSWORD });
      const safe = await newContext({ ignoreHTTPSErrors: true });
      const query = new URLSearchParams({
        client_id: "demo_client",
        redirect_uri: listener.url,
        response_type: "code",
        state: "the state of a client",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
      });
      const page = await tab(`${origin}/oauth/authorize?${query}`, safe);
      await button(page, "Continue").click();
      await signIn(page);
      expect((await listener.nth(1)).searchParams.get("code")).toMatch(/^sp_ac_/);
      await page.goto(`${origin}/oauth/account`);
      await heading(page, "Your account at Notes server");

      const cookies = (await safe.cookies()).map(({ name, secure, httpOnly, sameSite, path }) => ({
        name: name.replace(/-(?:approved|page)-.*/, ""),
        attributes: [secure, httpOnly, sameSite, path],
      }));
      expect(new Set(cookies.map(({ name }) => name))).toContain("__Host-sallyport-session");
      expect(cookies.filter(({ name }) => !name.startsWith("__Host-sallyport"))).toEqual([]);
      expect(new Set(cookies.map(({ attributes }) => attributes.join()))).toEqual(new Set(["true,true,Lax,/"]));
      await button(page, "Sign out").click();
      await heading(page, "You are signed out");
      expect((await safe.cookies()).map(({ name }) => name)).not.toContain("__Host-sallyport-session");
      expect(complaints).toEqual([]);
    });
  });

  describe("another site", () => {
    /** A page at `localhost`, which is another site than 127.0.0.1. */
    async function visit(body: string): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
      const other = await CallbackListener.start(new Map([["/", `<!doctype html><title>Elsewhere</title>${body}`]]));
      return { page: await tab(`http://localhost:${new URL(other.url).port}/`), close: () => other.close() };
    }

    test.each([
      ["/sign-in", "login=mallory&password=x"],
      ["/account", "action=sign_out_everywhere"],
      ["/sign-out", ""],
      ["/reset-password", "login=mallory"],
    ])("OWASP CSRF: can't post to %s, even with a token that it knows", async (path, fields) => {
      const account = await toAccount();
      const token = await account.locator("input[name=csrf_token]").first().inputValue();
      const inputs = [...new URLSearchParams(`${fields}&csrf_token=${token}`)].map(
        ([name, value]) => `<input name="${name}" value="${value}">`,
      );
      const { page, close } = await visit(
        `<form method="post" action="${site.url(path)}">${inputs.join("")}<button>You won!</button></form>`,
      );
      const [answer] = await Promise.all([page.waitForResponse(`**${path}`), button(page, "You won!").click()]);

      expect(answer.status()).toBe(403);
      await account.reload();
      await heading(account, "Your account at Notes server");
      await close();
    });

    test.each(["/sign-in", "/account", "/reset-password"])("RFC 9700 §4.16: can't show %s in a frame", async (path) => {
      await toAccount();
      const { page, close } = await visit(`<iframe src="${site.url(path)}"></iframe>`);
      await vi.waitFor(() => expect(complaints.join()).toMatch(/frame-ancestors|X-Frame-Options/), { timeout: 20_000 });

      expect(await page.frameLocator("iframe").getByRole("button").count()).toBe(0);
      await close();
    });
  });
});
