/** The person in front of the browser: you, or a script that does what you would. */
import type { Narrator } from "@sallyport/example-demo/narrator";
import { toldOfBrowser } from "@sallyport/example-demo/telling";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";

/** Somebody who can be sent somewhere, and who comes back to the client's listener, sooner or later. */
export interface Person {
  readonly visit: (url: URL) => Promise<void>;
}

/** You, with your own browser. */
export function youYourself(narrator: Narrator): Person {
  return {
    visit: async (url) => {
      narrator.say("Open this link in your browser, sign in, and allow it. The client waits:");
      narrator.plain();
      narrator.plain(url.href);
      narrator.plain();
    },
  };
}

/** The person did not get through the pages. */
export class NotSignedIn extends Error {
  override readonly name = "NotSignedIn";
}

/** The consent and the sign-in. */
const MOST_PAGES = 2;

/** Somebody of whom the login and the password are known; their browser keeps its cookies. */
export function scriptedPerson(
  narrator: Narrator,
  { login, password, redirectUri }: { readonly login: string; readonly password: string; readonly redirectUri: string },
): Person {
  const isBack = (url: URL) => url.href.startsWith(redirectUri);
  const browser = new ScriptedBrowser({
    // What comes to the client is the client's to tell.
    observe: (exchange) => isBack(exchange.url) || narrator.exchange(toldOfBrowser(exchange)),
  });
  return {
    visit: async (url) => {
      let page = await browser.open(url);
      for (let pages = 0; !isBack(page.url); pages++) {
        narrator.quote(page.text);
        if (page.form === undefined || page.status >= 400 || pages === MOST_PAGES)
          throw new NotSignedIn(`The pages end here: “${page.text}”`);
        page = await browser.submit(page, "password" in page.form.fields ? { login, password } : { action: "approve" });
      }
    },
  };
}
