/** Where the story is set, and who is in it. */
import { type Exchange, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { Application } from "./application.ts";
import type { Narrator } from "./narrator.ts";
import type { Program } from "./program.ts";
import { toldOfBrowser, toldOfWire } from "./telling.ts";
import type { WireExchange } from "./wire.ts";

/** What the demo has set up before the story begins. */
export interface Setting {
  readonly narrator: Narrator;
  readonly mcpUrl: URL;
  readonly server: Program;
  readonly identityProvider: Program;
  /** Seconds that the identity provider's access tokens live. */
  readonly upstreamTokenTtl: number;
  /** With it the demo makes a token that is really expired, so that nobody has to wait for an hour. */
  readonly jwtSigningKey: string;
}

/** The setting with an application on it, and with a person who has a browser. */
export class Stage {
  readonly setting: Setting;
  readonly narrator: Narrator;
  readonly application: Application;
  readonly browser: ScriptedBrowser;
  readonly #browsed: Exchange[] = [];

  constructor(setting: Setting) {
    this.setting = setting;
    this.narrator = setting.narrator;
    this.application = new Application(setting.mcpUrl);
    const { redirectUrl } = this.application.credentials;
    this.browser = new ScriptedBrowser({
      stopAt: (url) => url.origin + url.pathname === redirectUrl,
      observe: (exchange) => this.#browsed.push(exchange),
    });
  }

  /** Shows what went over the wire since the last time, and answers it. */
  showWire(): readonly WireExchange[] {
    const exchanges = this.application.wire.take();
    this.show(exchanges);
    return exchanges;
  }

  show(exchanges: readonly WireExchange[]): void {
    for (const exchange of exchanges) this.narrator.exchange(toldOfWire(exchange));
  }

  /** Shows what the browser did since the last time. */
  showBrowsed(): void {
    for (const exchange of this.#browsed.splice(0)) this.narrator.exchange(toldOfBrowser(exchange));
  }
}

/** What a promise was rejected with; undefined where it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}
