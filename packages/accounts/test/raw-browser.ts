/** A browser in an attacker's hands: everything that it was given can be seen, and everything that it sends can be forged. */
import { parse } from "node-html-parser";
import { RemoteMemory } from "./remote-memory.ts";
import { type Asked, ask, BASE_URL, CALLBACK, PASSWORD, type World, type WorldOptions, world } from "./world.ts";

/** A cookie as it was set. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** In lower case, the attributes without a value included. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** An answer, read. */
export interface Answer {
  readonly asked: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: URL | undefined;
  readonly setCookies: readonly SetCookie[];
  /** The hidden fields of the first form, and what stands in its others. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What is sent; what is left out is what a browser would send. */
export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | URLSearchParams | FormData | ReadableStream<Uint8Array>;
  /** Instead of the browser's own. */
  readonly cookies?: ReadonlyMap<string, string>;
}

export class RawBrowser {
  readonly cookies = new Map<string, string>();
  /** Everything that it was answered. */
  readonly answers: Answer[] = [];
  readonly on: Pick<World, "auth">;
  /** Where it is. */
  address: string | undefined;

  constructor(on: Pick<World, "auth">, address: string | undefined = "192.0.2.7") {
    this.on = on;
    this.address = address;
  }

  /** A cookie of ours by its word. */
  cookie(word: string): string | undefined {
    return this.cookies.get(`__Host-sallyport-${word}`);
  }

  get(path: string, sending: Sending = {}): Promise<Answer> {
    return this.send(path, sending);
  }

  post(path: string, form: Readonly<Record<string, string>>, sending: Sending = {}): Promise<Answer> {
    return this.send(path, { method: "POST", body: new URLSearchParams(form), ...sending });
  }

  async send(path: string, { method = "GET", headers = {}, body, cookies = this.cookies }: Sending): Promise<Answer> {
    const url = new URL(path, BASE_URL);
    const own = method === "POST" ? { origin: "null", "sec-fetch-site": "same-origin" } : { "sec-fetch-site": "none" };
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const sent = Object.entries({ "user-agent": "Test/1.0", ...own, ...(cookie === "" ? {} : { cookie }), ...headers });
    const present = sent.filter((pair): pair is [string, string] => pair[1] !== undefined);
    const init: RequestInit = { method, headers: present, ...(body === undefined ? {} : { body, duplex: "half" }) };
    const { address: clientAddress } = this;
    const response = await this.on.auth.handle(new Request(url, init), { clientAddress });
    if (response === undefined) throw new Error(`nobody answers ${url.pathname}`);
    const answer = await read(`${method} ${url.pathname}`, url, response);
    this.answers.push(answer);
    for (const { name, value, attributes } of answer.setCookies)
      if (attributes.get("max-age") === "0") this.cookies.delete(name);
      else this.cookies.set(name, value);
    return answer;
  }

  /** From a client's link over the consent to the address of the sign-in page, which is not opened. */
  async toSignIn(asked: Asked = ask()): Promise<string> {
    const consent = await this.get(asked.url);
    if (consent.location !== undefined) return consent.location.href;
    const approved = await this.post("/oauth/consent", { ...consent.fields, action: "approve" });
    if (approved.location === undefined) throw new Error(`not approved: ${approved.status} ${approved.text}`);
    return approved.location.href;
  }

  /** The same, and the page. */
  async signInPage(asked: Asked = ask()): Promise<Answer> {
    return this.get(await this.toSignIn(asked));
  }

  /** Fills in a sign-in page. */
  async type(page: Answer, login: string, password = PASSWORD, sending: Sending = {}): Promise<Answer> {
    return this.post("/oauth/sign-in", { ...page.fields, login, password }, sending);
  }

  /** Signs in to the account itself; no application waits. */
  async signIn(login: string, password = PASSWORD): Promise<Answer> {
    return this.type(await this.get("/oauth/sign-in"), login, password);
  }

  /** Whether the account's page is shown to it. */
  async isSignedIn(): Promise<boolean> {
    return (await this.get("/oauth/account")).status === 200;
  }
}

async function read(asked: string, url: URL, response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const location = headers.get("location");
  const inputs = parse(text).querySelector("form")?.querySelectorAll("input[name]") ?? [];
  return {
    asked,
    status,
    headers,
    text,
    location: location === null ? undefined : new URL(location, url),
    setCookies: headers.getSetCookie().map(setCookieOf),
    fields: Object.fromEntries(inputs.map((each) => [each.getAttribute("name"), each.getAttribute("value") ?? ""])),
  };
}

function setCookieOf(header: string): SetCookie {
  const [pair = "", ...rest] = header.split(";");
  const at = pair.indexOf("=");
  const attributes = rest.map((each): [string, string] => {
    const [name = "", value = ""] = each.trim().split("=", 2);
    return [name.toLowerCase(), value];
  });
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: new Map(attributes) };
}

/** Where an answer of ours to a client is. */
export function isCallback(url: URL | undefined): boolean {
  return url?.href.startsWith(CALLBACK) === true;
}

/** What a client would be told at the end of the browser's way. */
export async function finish(browser: RawBrowser, back: Answer): Promise<URLSearchParams> {
  const answer = await browser.get(back.location?.href ?? "");
  return answer.location?.searchParams ?? new URLSearchParams({ page: String(answer.status) });
}

/** A world over a storage that counts, and fails where it is told to. */
export function remoteWorld(options: WorldOptions = {}): World & { readonly storage: RemoteMemory } {
  const clock: { world: World | undefined } = { world: undefined };
  const storage = new RemoteMemory(() => clock.world?.time ?? 1_700_000_000);
  const made = world({ ...options, server: { tokenStorage: storage, ...options.server } });
  clock.world = made;
  return Object.assign(made, { storage });
}

/** The calls that a request made, without those that the server makes beside requests. */
export async function callsOf(storage: RemoteMemory, act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = storage.calls.length;
  await act();
  return storage.calls.slice(before).filter((call) => !call.includes(" key-marks:"));
}
