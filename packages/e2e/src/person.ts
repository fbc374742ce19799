/** A person with a browser: reads the pages, presses the buttons, types a name. */
import { type Page, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";

/** Where the clients of these tests want to be called back. Nothing listens there: the browser stops in front of it. */
export const REDIRECT_URI = "http://127.0.0.1:33418/callback";

/** One person, and one browser in which everything that was set stays. */
export class Person {
  readonly name: string;
  readonly browser = new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(REDIRECT_URI) });

  constructor(name: string) {
    this.name = name;
  }

  /** Allows the client, and signs in. The callback that the client is to have. */
  async signIn(authorizationUrl: URL): Promise<URL> {
    const page = await this.approve(authorizationUrl);
    return (await this.browser.submit(page, { username: this.name, action: "sign-in" })).url;
  }

  /** Allows the client; the identity provider's page. */
  async approve(authorizationUrl: URL): Promise<Page> {
    return this.browser.submit(await this.browser.open(authorizationUrl), { action: "approve" });
  }

  /** Refuses on the consent page. */
  async deny(authorizationUrl: URL): Promise<URL> {
    return (await this.browser.submit(await this.browser.open(authorizationUrl), { action: "deny" })).url;
  }

  /** Allows the client, and then does not sign in. */
  async cancel(authorizationUrl: URL): Promise<URL> {
    return (await this.browser.submit(await this.approve(authorizationUrl), { action: "cancel" })).url;
  }
}
