/** The pages in a real browser: what people see, and what they can do with it. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { CallbackListener } from "./callback-listener.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type Site, startSite } from "./site.ts";
import { subjectOf } from "./tool-call.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let context: BrowserContext;
  let listener: CallbackListener;
  /** What the browser complained about: errors of the console, among them every violation of a Content-Security-Policy. */
  let complaints: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([startSite(), startChromium(executablePath ?? "")]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    complaints = [];
    listener = await CallbackListener.start();
    context = await newContext();
  });
  afterEach(async () => {
    await context.close();
    await listener.close();
  });

  async function newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const created = await browser.newContext(options);
    created.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    created.on("weberror", (error) => complaints.push(String(error.error())));
    return created;
  }

  const newClient = () => new StrictClient(site.example.mcpUrl, "none", listener.url);
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

  /** A tab on the consent page of a client. */
  async function consentPage(client: StrictClient): Promise<Page> {
    const page = await context.newPage();
    await page.goto((await client.knock()).href);
    return page;
  }

  async function signIn(page: Page, name = "alice"): Promise<void> {
    await page.getByLabel("User name").fill(name);
    await button(page, "Sign in").click();
  }

  /** The next callback is a sign-in of this client by this person. */
  async function expectSignedIn(client: StrictClient, callback: Promise<URL>, name = "alice"): Promise<void> {
    await client.finish(await callback);
    expect(subjectOf(await client.call("whoami"))).toBe(name);
  }

  test("the consent page says who asks, for what, and where it leads", async () => {
    const page = await consentPage(newClient());

    expect(await page.title()).toBe("Allow oauth4webapi?");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("oauth4webapi");
    const text = await page.getByRole("main").textContent();
    expect(text).toContain("unverified");
    expect(text).toContain("Use the tools of this server");
    expect(text).toContain(new URL(listener.url).host);
    expect(text).toContain("a program on your own computer");
    expect(complaints).toEqual([]);
  });

  test("Continue leads through the identity provider to the client", async () => {
    const client = newClient();
    const page = await consentPage(client);
    await button(page, "Continue").click();
    await signIn(page);

    await expectSignedIn(client, listener.nth(1));
    expect(await page.title()).toBe("Signed in");
    expect(complaints).toEqual([]);
  });

  test("CSP form-action: Cancel leads to the client at once, with access_denied", async () => {
    const client = newClient();
    const page = await consentPage(client);
    await button(page, "Cancel").click();
    const callback = await listener.nth(1);

    expect(callback.searchParams.get("error")).toBe("access_denied");
    await expect(client.finish(callback)).rejects.toMatchObject({ error: "access_denied" });
    expect(complaints).toEqual([]);
  });

  test("cancelling at the identity provider leads to the client, with access_denied", async () => {
    const page = await consentPage(newClient());
    await button(page, "Continue").click();
    await button(page, "Cancel").click();

    expect((await listener.nth(1)).searchParams.get("error")).toBe("access_denied");
    expect(complaints).toEqual([]);
  });

  test("two tabs at once don't disturb each other", async () => {
    const clients = [newClient(), newClient()] as const;
    const pages = [await consentPage(clients[0]), await consentPage(clients[1])] as const;
    // Each step in the one tab and then in the other, the later one first.
    await button(pages[1], "Continue").click();
    await button(pages[0], "Continue").click();
    await signIn(pages[0], "alice");
    await expectSignedIn(clients[0], listener.nth(1), "alice");
    await signIn(pages[1], "bob");
    await expectSignedIn(clients[1], listener.nth(2), "bob");

    expect(complaints).toEqual([]);
  });

  test("a double click on Continue does what one does", async () => {
    const client = newClient();
    const page = await consentPage(client);
    await button(page, "Continue").dblclick();
    await signIn(page);

    await expectSignedIn(client, listener.nth(1));
    expect(listener.received).toHaveLength(1);
  });

  test("a page that was loaded again, and one that was come back to, can still be answered", async () => {
    const client = newClient();
    const page = await consentPage(client);
    await page.reload();
    await button(page, "Continue").click();
    await page.getByLabel("User name").waitFor();
    await page.goBack();
    await button(page, "Continue").click();
    await signIn(page);

    await expectSignedIn(client, listener.nth(1));
    expect(complaints).toEqual([]);
  });

  test("WCAG 2.1.1: the keyboard is enough, and shows where it is", async () => {
    const client = newClient();
    const page = await consentPage(client);
    const focused = page.locator(":focus");
    const outline = () => page.evaluate("getComputedStyle(document.activeElement).outlineStyle");

    await page.keyboard.press("Tab");
    expect(await focused.textContent()).toBe("Cancel");
    expect(await outline()).toBe("solid");
    await page.keyboard.press("Tab");
    expect(await focused.textContent()).toBe("Continue");
    expect(await outline()).toBe("solid");
    await page.keyboard.press("Enter");
    await page.getByLabel("User name").waitFor();
    await page.keyboard.type("alice");
    await page.keyboard.press("Enter");

    await expectSignedIn(client, listener.nth(1));
  });

  test("without scripts the flow is the same", async () => {
    context = await newContext({ javaScriptEnabled: false });
    const client = newClient();
    const page = await consentPage(client);
    await button(page, "Continue").click();
    await signIn(page);

    await expectSignedIn(client, listener.nth(1));
  });

  describe("another site", () => {
    /** A page at `localhost`, which is another site than 127.0.0.1. */
    async function visit(body: string): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
      const other = await CallbackListener.start(new Map([["/", `<!doctype html><title>Elsewhere</title>${body}`]]));
      const page = await context.newPage();
      await page.goto(`http://localhost:${new URL(other.url).port}/`);
      return { page, close: () => other.close() };
    }

    test("RFC 6749 §10.12: can't answer for the person", async () => {
      const consent = await consentPage(newClient());
      const field = (name: string) => consent.locator(`input[name="${name}"]`).inputValue();
      // Even with the token, which another site can't read.
      const { page, close } = await visit(`<form method="post" action="${site.example.baseUrl}/oauth/consent">
        <input name="transaction" value="${await field("transaction")}"><input name="csrf_token" value="${await field("csrf_token")}">
        <button name="action" value="approve">You won!</button></form>`);
      const [answer] = await Promise.all([page.waitForResponse("**/oauth/consent"), button(page, "You won!").click()]);

      expect(answer.status()).toBe(403);
      expect(page.url()).toBe(`${site.example.baseUrl}/oauth/consent`);
      await close();
    });

    test("RFC 9700 §4.16: can't show the page in a frame", async () => {
      const { href } = await newClient().knock();
      const { page, close } = await visit(`<iframe src="${href.replaceAll("&", "&amp;")}"></iframe>`);
      await vi.waitFor(() => expect(complaints.join()).toMatch(/frame-ancestors|X-Frame-Options/), { timeout: 20_000 });

      expect(await page.frameLocator("iframe").getByRole("button", { name: "Continue" }).count()).toBe(0);
      await close();
    });
  });
});
