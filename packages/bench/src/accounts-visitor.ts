/** Somebody who signs in with a browser, and is timed: what the server takes counts, and what the browser itself takes does not. */

import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { PKCEUtils } from "@sallyport/oauth-core";
import { ADDRESS_HEADER, CALLBACK, CLIENT_ID, PASSWORD } from "./accounts-server.ts";

/** A server, wherever it is. */
export interface Visited {
  readonly baseUrl: string;
  /** Answers a request; over the network or not. */
  fetch(request: Request): Promise<Response>;
}

/** The request of a browser that has filled in the sign-in page. It can be sent again and again, and each time signs somebody in. */
export interface SignInPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One of the people whom the server knows. */
export class Visitor {
  readonly #visited: Visited;
  readonly #login: string;
  readonly #address: string;
  #post: SignInPost | undefined;
  /** Milliseconds for which this one has waited for the server. */
  waited = 0;

  constructor(visited: Visited, person: number) {
    this.#visited = visited;
    this.#login = `person${person}`;
    this.#address = `192.0.2.${person}`;
  }

  /** From the client's link, in a new browser, over the consent and the sign-in page to an access token. */
  async signIn(): Promise<string> {
    const { verifier, challenge } = PKCEUtils.generatePair();
    const browser = new ScriptedBrowser({
      stopAt: (url) => url.href.startsWith(CALLBACK),
      fetch: (request) => this.#fetch(request),
    });
    const query = new URLSearchParams({
      response_type: "code",
      client_id: CLIENT_ID,
      redirect_uri: CALLBACK,
      code_challenge: challenge,
      code_challenge_method: "S256",
      scope: "notes:read",
    });
    const consent = await browser.open(`${this.#visited.baseUrl}/oauth/authorize?${query}`);
    const page = await browser.submit(consent, { action: "approve" });
    const { url } = await browser.submit(page, { login: this.#login, password: PASSWORD });
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: CLIENT_ID,
      code: url.searchParams.get("code") ?? "",
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    });
    const answer = await this.#fetch(new Request(`${this.#visited.baseUrl}/oauth/token`, { method: "POST", body }));
    const { access_token: token } = (await answer.json()) as { readonly access_token?: string };
    if (token === undefined) throw new Error(`nobody is signed in: ${answer.status}`);
    return token;
  }

  /** What the browser sent from the sign-in page, when it signed in. */
  async signInPost(): Promise<SignInPost> {
    await this.signIn();
    if (this.#post === undefined) throw new Error("there was no sign-in page");
    return this.#post;
  }

  async #fetch(request: Request): Promise<Response> {
    request.headers.set(ADDRESS_HEADER, this.#address);
    if (request.method === "POST" && request.url.includes("/oauth/sign-in")) {
      const { url, headers } = request;
      this.#post = { url, headers: Object.fromEntries(headers), body: await request.clone().text() };
    }
    const began = performance.now();
    const response = await this.#visited.fetch(request);
    this.waited += performance.now() - began;
    return response;
  }
}
