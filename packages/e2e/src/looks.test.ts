/** How the pages look: on every size and in every light they fit, and are accessible. WCAG 2.2. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import { expectAccessible } from "./accessible-page.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type Site, startSite } from "./site.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);

const PAGES = ["home", "consent", "sign-in", "unknown client", "refused form"] as const;

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let site: Site;
  let browser: Browser;
  beforeAll(async () => {
    [site, browser] = await Promise.all([startSite(), startChromium(executablePath ?? "")]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  async function show(page: Page, name: (typeof PAGES)[number]): Promise<void> {
    const { baseUrl, mcpUrl } = site.example;
    const ways = {
      home: async () => page.goto(`${baseUrl}/`),
      consent: async () => page.goto((await new StrictClient(mcpUrl, "none").knock()).href),
      "sign-in": async () => {
        await ways.consent();
        await page.getByRole("button", { name: "Continue", exact: true }).click();
      },
      "unknown client": async () => page.goto(`${baseUrl}/oauth/authorize?client_id=nobody`),
      "refused form": async () => {
        await ways.consent();
        await page.evaluate("document.querySelector('[name=transaction]').value = 'another'");
        await page.getByRole("button", { name: "Continue", exact: true }).click();
      },
    };
    await ways[name]();
    await page.getByRole("main").waitFor();
  }

  test.each(PAGES)("%s: fits, and axe finds nothing to mend", async (name) => {
    // The policy of the pages forbids every script, also the one that looks them over.
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    await show(page, name);
    await expectAccessible(page, name);
    await context.close();
  });
});
