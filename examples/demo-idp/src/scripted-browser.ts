/** A browser for scripts: keeps cookies, follows redirects, reads forms and fills them in. RFC 6265, Fetch §4.4. */
import { parse } from "node-html-parser";
import { CookieJar } from "tough-cookie";

/** One request that the browser made, and how it was answered. */
export interface Exchange {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** What a form carried; undefined for GET. */
  readonly form: URLSearchParams | undefined;
  readonly status: number;
  /** Where a redirect points, made absolute. */
  readonly location: URL | undefined;
}

/** A form as it stands on a page. */
export interface PageForm {
  readonly action: URL;
  /** What would be sent if nothing were typed: hidden fields and preset values, without the buttons. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Where the browser ended: a page, or the redirect at which it was told to stop. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  /** Empty where the browser stopped at a redirect. */
  readonly html: string;
  /** What a person reads on it, in one line. */
  readonly text: string;
  /** The first form; undefined where there is none. */
  readonly form: PageForm | undefined;
  /** All of them, in their order. */
  readonly forms: readonly PageForm[];
}

/** How the browser behaves. */
export interface ScriptedBrowserOptions {
  /**
   * A redirect to such a URL is not followed, but is the end: {@link Page.url}. An application's callback is one, for it is the application
   * that has to read it.
   */
  readonly stopAt?: ((url: URL) => boolean) | undefined;
  /** Told of every exchange, also those in between. */
  readonly observe?: ((exchange: Exchange) => void) | undefined;
  /** How a request is sent. Default: over the network. A server that is no more than a function of requests can be visited without. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

const MOST_REDIRECTS = 20;

function readForms(page: ReturnType<typeof parse>, url: URL): readonly PageForm[] {
  return page.querySelectorAll("form").map((form) => {
    const inputs = form
      .querySelectorAll("input[name]")
      .map((input) => [input.getAttribute("name") ?? "", input.getAttribute("value") ?? ""]);
    return { action: new URL(form.getAttribute("action") || url, url), fields: Object.fromEntries(inputs) };
  });
}

/** How far the place that a request comes from is from where it goes; each later one is further. Fetch Metadata §2.3. */
const SITES = ["none", "same-origin", "same-site", "cross-site"] as const;
type Site = (typeof SITES)[number];

function siteOf(from: URL, to: URL): Site {
  if (from.origin === to.origin) return "same-origin";
  return from.protocol === to.protocol && from.hostname === to.hostname ? "same-site" : "cross-site";
}

/** A redirect never brings a request closer again. */
function further(one: Site, other: Site): Site {
  return SITES.indexOf(one) > SITES.indexOf(other) ? one : other;
}

/** Fetch §3.2: a page that asks for no referrer hides its origin from whatever its forms are posted to, itself included. */
function originOf(page: Page): string {
  return page.headers.get("referrer-policy") === "no-referrer" ? "null" : page.url.origin;
}

/** One person's browser: everything that was set in it stays until it is thrown away. */
export class ScriptedBrowser {
  readonly #cookies = new CookieJar();
  readonly #stopAt: (url: URL) => boolean;
  readonly #observe: (exchange: Exchange) => void;
  readonly #fetch: (request: Request) => Promise<Response>;

  constructor(options: ScriptedBrowserOptions = {}) {
    this.#stopAt = options.stopAt ?? (() => false);
    this.#observe = options.observe ?? (() => undefined);
    this.#fetch = options.fetch ?? fetch;
  }

  /** Types a URL into the address bar. */
  open(url: URL | string): Promise<Page> {
    return this.#navigate(new URL(url), undefined);
  }

  /**
   * Fills in a form of a page and presses a button.
   *
   * @param entries what is typed, by the fields' names, and the button's name and value
   * @param form default: the first
   * @throws where the page has no form, as a person could not do it either
   */
  submit(page: Page, entries: Readonly<Record<string, string>>, form = page.form): Promise<Page> {
    if (form === undefined)
      throw new Error(
        `There is no form on ${page.url.origin}${page.url.pathname} (${page.status}): ${page.text.slice(0, 300)}`,
      );
    return this.#navigate(form.action, new URLSearchParams({ ...form.fields, ...entries }), page);
  }

  async #navigate(start: URL, posted: URLSearchParams | undefined, from?: Page): Promise<Page> {
    let url = start;
    let form = posted;
    let site: Site = from === undefined ? "none" : "same-origin";
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      if (from !== undefined) site = further(site, siteOf(from.url, url));
      const response = await this.#request(url, form, site, from);
      const location = response.headers.get("location");
      const next =
        response.status >= 300 && response.status < 400 && location !== null ? new URL(location, url) : undefined;
      this.#observe({
        method: form === undefined ? "GET" : "POST",
        url,
        form,
        status: response.status,
        location: next,
      });
      if (next === undefined) return this.#read(url, response);
      await response.body?.cancel();
      if (this.#stopAt(next)) return stopped(next, response);
      url = next;
      // Only 307 and 308 send a form once more; whatever else answers a POST is fetched with GET.
      if (response.status !== 307 && response.status !== 308) form = undefined;
    }
    throw new Error(`More than ${MOST_REDIRECTS} redirects, the last to ${url.origin}${url.pathname}`);
  }

  async #request(url: URL, form: URLSearchParams | undefined, site: Site, from: Page | undefined): Promise<Response> {
    const headers = new Headers({
      accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      "sec-fetch-site": site,
    });
    const cookies = await this.#cookies.getCookieString(url.href);
    if (cookies !== "") headers.set("cookie", cookies);
    if (form !== undefined && from !== undefined) headers.set("origin", originOf(from));

    const response = await this.#fetch(
      new Request(url, {
        method: form === undefined ? "GET" : "POST",
        headers,
        redirect: "manual",
        ...(form === undefined ? {} : { body: form }),
      }),
    );
    for (const cookie of response.headers.getSetCookie()) {
      // A cookie that the rules refuse is dropped, as every browser does.
      await this.#cookies.setCookie(cookie, url.href, { ignoreError: true });
    }
    return response;
  }

  async #read(url: URL, response: Response): Promise<Page> {
    const html = await response.text();
    const page = parse(html);
    const seen = page.querySelector("body") ?? page;
    for (const unseen of seen.querySelectorAll("style, script, template")) unseen.remove();
    const text = seen.structuredText.replaceAll(/\s+/g, " ").trim();
    const forms = readForms(page, url);
    return { url, status: response.status, headers: response.headers, html, text, form: forms[0], forms };
  }
}

/** A redirect that is not followed. */
function stopped(url: URL, { status, headers }: Response): Page {
  return { url, status, headers, html: "", text: "", form: undefined, forms: [] };
}
