/** What a stranger wrote, set off from our own words: it can't turn the direction of what stands around it. UAX #9. */
import { type Html, html } from "@sallyport/oauth-core/accounts";

/** Renders it. */
export function personText(text: string): Html {
  return html`<span class="host" dir="auto">${text}</span>`;
}
