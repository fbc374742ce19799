/** Where a person is signed in, on the page of their account. */
import { type Html, html } from "@sallyport/oauth-core/accounts";
import { browserWords } from "./browser-words.ts";
import { personText } from "./person-text.ts";
import { type FormTarget, postForm } from "./post-form.ts";
import { instant } from "./time-words.ts";

/** One browser that is signed in. */
export interface SignedInBrowser {
  readonly id: string;
  /** Seconds since 1970, like {@link SignedInBrowser.seenAt}. */
  readonly startedAt: number;
  readonly seenAt: number;
  /** What the browser calls itself; a stranger's text. */
  readonly userAgent: string | undefined;
  /** Whether it is the one that the page is shown in. That one is signed out by the button of its own, which takes its cookie as well. */
  readonly isThis: boolean;
}

/** Renders the section; `undefined` where they can't be listed. */
export function browsersSection(target: FormTarget, browsers: readonly SignedInBrowser[] | undefined): Html {
  return html`<section aria-labelledby="browsers">
<h2 id="browsers">Where you are signed in</h2>
${
  browsers === undefined
    ? html`<p>Your browsers can not be listed here. You can sign out all of them below.</p>`
    : postForm(
        target,
        { action: "end_session" },
        html`<ul class="rows">${browsers.toSorted(thisFirst).map(browserRow)}</ul>`,
      )
}
</section>`;
}

/** What people look for first. The others stay as they are. */
function thisFirst(one: SignedInBrowser, other: SignedInBrowser): number {
  return Number(other.isThis) - Number(one.isThis);
}

function browserRow({ id, startedAt, seenAt, userAgent, isThis }: SignedInBrowser): Html {
  const words = userAgent === undefined ? "Unknown browser" : (browserWords(userAgent) ?? userAgent);
  return html`<li>
<div>
<p>${personText(words)}${isThis && html` <span class="tag">this browser</span>`}</p>
<p class="soft">Since ${instant(startedAt)}<br>Last seen ${instant(seenAt)}</p>
</div>
${!isThis && html`<button type="submit" name="id" value="${id}">Sign out<span class="unseen" dir="auto"> ${words}</span></button>`}
</li>
`;
}
