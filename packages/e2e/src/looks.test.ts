/** How the pages look: on every size and in every light they fit, and are accessible. The pictures are kept for people. WCAG 2.2. */
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findChromium, HOW_TO_GET_CHROMIUM, startChromium } from "./chromium.ts";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type Site, startSite } from "./site.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const pictures = fileURLToPath(new URL("../.reports/", import.meta.url));
const executablePath = findChromium();
if (executablePath === undefined) console.warn(HOW_TO_GET_CHROMIUM);

const LOOKS = [
  { size: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { size: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { size: "narrow", viewport: { width: 360, height: 740 }, colorScheme: "light" },
  { size: "narrow", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

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
    await page.evaluate(axe.source);

    for (const { size, viewport, colorScheme } of LOOKS) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const look = `${name.replace(" ", "-")}-${size}-${colorScheme}`;
      await page.screenshot({ path: `${pictures}${look}.png`, fullPage: true });
      const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;

      const found = violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }));
      expect({ look, found }).toEqual({ look, found: [] });
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look).toBe(true);
    }
    await context.close();
  });
});
