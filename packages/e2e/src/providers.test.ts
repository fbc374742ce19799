/** Several identity providers on one server, in a real browser: a choice, a callback each, one that posts its answer, and those who may not sign in. */
import { defineUpstream } from "@sallyport/oauth-core/upstream";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { expectAccessible } from "./accessible-page.ts";
import { CallbackListener } from "./callback-listener.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type EmbeddedServer, startEmbeddedServer } from "./embedded-server.ts";
import { type FormPostingProvider, startFormPostingProvider } from "./form-posting-provider.ts";
import { subjectOf } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);

const SECRET = "a secret of the end-to-end tests, long enough";

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let upstream: Upstream;
  let forms: FormPostingProvider;
  let server: EmbeddedServer;
  /** The same, where nobody has to be asked for consent. */
  let trusting: EmbeddedServer;
  let browser: Browser;
  let context: BrowserContext;
  let listener: CallbackListener;
  let complaints: string[];

  beforeAll(async () => {
    [upstream, forms, browser] = await Promise.all([
      Upstream.start(),
      startFormPostingProvider(),
      startChromium(executablePath ?? ""),
    ]);
    const demo = defineUpstream({
      id: "demo",
      name: "Demo",
      clientId: upstream.clientId,
      clientSecret: upstream.clientSecret,
      scopes: ["openid", "profile", "email"],
      discovery: { issuer: upstream.provider.issuer },
      userinfo: "always",
    });
    const config = {
      providers: [demo, forms.provider],
      secret: SECRET,
      serverName: "Notes server",
      allow: ({ email = "" }) => !email.startsWith("mallory"),
    };
    trusting = await startEmbeddedServer(upstream, { ...config, consentRequired: false });
    // The last one that is started is the one that Demo admits.
    server = await startEmbeddedServer(upstream, config);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([server.close(), trusting.close(), forms.close()]);
    await upstream.close();
  });
  beforeEach(async () => {
    complaints = [];
    listener = await CallbackListener.start();
    context = await browser.newContext();
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await context.close();
    await listener.close();
  });

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

  async function opened(at: EmbeddedServer, inContext = context) {
    const client = new StrictClient(at.mcpUrl, "none", listener.url);
    const page = await inContext.newPage();
    await page.goto((await client.knock()).href);
    return { client, page };
  }

  async function signIn(page: Page, name: string): Promise<void> {
    await button(page, "Continue with Demo").click();
    await page.getByLabel("User name").fill(name);
    await button(page, "Sign in").click();
  }

  async function subjectAfter(client: StrictClient): Promise<unknown> {
    await client.finish(await listener.nth(1));
    return subjectOf(await client.call("whoami"));
  }

  test("OpenID Connect Discovery: a provider of which only the issuer is known", async () => {
    const { client, page } = await opened(server);
    await signIn(page, "alice");
    expect(await subjectAfter(client)).toBe("demo|alice");
    expect(complaints).toEqual([]);
  });

  test("Form Post Response Mode: an answer that is posted from another site finds its way, with cookies that are SameSite=Lax", async () => {
    const { client, page } = await opened(server);
    await button(page, "Continue with Forms").click();
    await button(page, "Sign in").click();
    expect(await subjectAfter(client)).toBe("forms|carol");
    const cookies = await context.cookies();
    expect(new Set(cookies.filter(({ name }) => name.includes("sallyport")).map(({ sameSite }) => sameSite))).toEqual(
      new Set(["Lax"]),
    );
    expect(complaints).toEqual([]);
  });

  test("a person who goes back and chooses the other one signs in there", async () => {
    const { client, page } = await opened(server);
    await button(page, "Continue with Forms").click();
    await button(page, "Sign in").waitFor();
    await page.goBack();
    await signIn(page, "alice");
    expect(await subjectAfter(client)).toBe("demo|alice");
  });

  test("where nobody has to be asked for consent, one chooses, or cancels", async () => {
    const { client, page } = await opened(trusting);
    expect(await page.title()).toBe("Sign in to Notes server");
    await button(page, "Continue with Forms").click();
    await button(page, "Sign in").click();
    expect(await subjectAfter(client)).toBe("forms|carol");

    const { page: other } = await opened(trusting);
    await button(other, "Cancel").click();
    expect((await listener.nth(2)).searchParams.get("error")).toBe("access_denied");
  });

  test("who may not sign in is told so, and the client when they go back", async () => {
    const { client, page } = await opened(server);
    await signIn(page, "mallory");
    await page.getByRole("heading", { name: "This account can not be used here" }).waitFor();
    expect(await page.getByRole("main").textContent()).toContain("mallory");
    expect(listener.received).toEqual([]);
    await page.getByRole("link", { name: "Back to your application" }).click();
    await expect(client.finish(await listener.nth(1))).rejects.toMatchObject({ error: "access_denied" });
    // What the browser complains about is the status of the page.
    expect(complaints.filter((complaint) => !complaint.includes("403"))).toEqual([]);
  });

  test("the pages fit, and axe finds nothing to mend", async () => {
    const looked = await browser.newContext({ bypassCSP: true });
    const { page: consent } = await opened(server, looked);
    await expectAccessible(consent, "consent with a choice");
    const { page: choice } = await opened(trusting, looked);
    await expectAccessible(choice, "choice");
    await signIn(consent, "mallory");
    await consent.getByRole("heading", { name: "This account can not be used here" }).waitFor();
    await expectAccessible(consent, "not allowed");
    await looked.close();
  });

  test("WCAG 2.1.1: the keyboard is enough, and shows where it is", async () => {
    const { page } = await opened(trusting);
    const seen: (string | null)[] = [];
    for (let count = 0; count < 3; count++) {
      await page.keyboard.press("Tab");
      seen.push(await page.locator(":focus").textContent());
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    }
    expect(seen).toEqual(["Cancel", "Continue with Demo", "Continue with Forms"]);
  });
});
