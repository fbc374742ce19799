/** A page that fits on every screen, in every light, and in which axe finds nothing to mend. The pictures are kept for people. WCAG 2.2. */
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const pictures = fileURLToPath(new URL("../.reports/", import.meta.url));

const LOOKS = [
  { size: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { size: "wide", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { size: "narrow", viewport: { width: 320, height: 740 }, colorScheme: "light" },
  { size: "narrow", viewport: { width: 320, height: 740 }, colorScheme: "dark" },
] as const;

/** Looks the page over that a tab shows now. Its context must bypass the policy of our pages, which forbids every script. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  await page.evaluate(axe.source);
  for (const { size, viewport, colorScheme } of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const look = `${name.replaceAll(" ", "-")}-${size}-${colorScheme}`;
    await page.screenshot({ path: `${pictures}${look}.png`, fullPage: true });
    const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;

    const found = violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }));
    expect({ look, found }).toEqual({ look, found: [] });
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look).toBe(true);
  }
}
