/** Requests to the upstream: authenticated, bounded in time and size, never following a redirect. RFC 6749 §2.3.1. */

import { OAuthProxyError } from "../protocol/errors.ts";
import { isJsonObject, type JsonObject } from "../protocol/json-object.ts";
import type { Runtime } from "../runtime.ts";
import type { UpstreamAuthMethod } from "./descriptor.ts";

export interface UpstreamRequestsOptions {
  readonly clientId: string;
  readonly clientSecret: string | ((now: number) => string | Promise<string>);
  readonly authMethod: UpstreamAuthMethod;
  /** Milliseconds for the whole request, the body included. */
  readonly requestTimeoutMs: number;
  readonly runtime: Pick<Runtime, "fetch" | "now">;
}

interface UpstreamAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** What a single request may have of its own. */
export interface RequestChoices {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Instead of a time limit of its own. */
  readonly signal?: AbortSignal | undefined;
}

/** 1 MiB: no token answer is larger, and a hostile or broken upstream must not fill the memory. */
const LARGEST_BODY = 1024 * 1024;

/** What the upstream said of a person can't be used: nobody signs in by it, and nobody who has signed in becomes somebody else by it. */
export class UnusableAnswer extends OAuthProxyError {
  /** @param why for the operator */
  constructor(why: string) {
    super("upstream_identity", { cause: new Error(why) });
  }
}

/** Our side as a client. */
export class UpstreamRequests {
  readonly #options: UpstreamRequestsOptions;

  constructor(options: UpstreamRequestsOptions) {
    this.#options = options;
  }

  /** @throws {OAuthProxyError} `upstream_unavailable` when nothing usable came back in time */
  async postForm(
    endpoint: string,
    parameters: Readonly<Record<string, string>>,
    {
      signal,
      authMethod = this.#options.authMethod,
    }: RequestChoices & { readonly authMethod?: UpstreamAuthMethod } = {},
  ): Promise<UpstreamAnswer> {
    const { clientId } = this.#options;
    const form = new URLSearchParams(parameters);
    const headers: Record<string, string> = {
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    };
    if (authMethod === "client_secret_basic") {
      // RFC 6749 §2.3.1: form-encoded before they are joined, or a colon or an umlaut in a secret breaks it.
      const encode = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
      const credentials = `${encode(clientId)}:${encode(await this.#secret())}`;
      headers.authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
    } else {
      form.set("client_id", clientId);
      if (authMethod === "client_secret_post") form.set("client_secret", await this.#secret());
    }
    return this.send(endpoint, { method: "POST", headers, body: form.toString() }, signal);
  }

  /** A JSON object from a resource of the upstream. @throws {OAuthProxyError} `upstream_unavailable`, `upstream_identity` */
  async getJson(endpoint: string, accessToken: string, choices: RequestChoices = {}): Promise<JsonObject> {
    const value = await this.getAnyJson(endpoint, accessToken, choices);
    if (!isJsonObject(value)) throw new UnusableAnswer("no JSON object");
    return value;
  }

  /** The same for JSON of any shape. */
  async getAnyJson(endpoint: string, accessToken: string, { headers, signal }: RequestChoices = {}): Promise<unknown> {
    const { status, body } = await this.send(
      endpoint,
      {
        method: "GET",
        headers: {
          accept: "application/json",
          "user-agent": "sallyport",
          ...headers,
          authorization: `Bearer ${accessToken}`,
        },
      },
      signal,
    );
    if (status >= 500 || status === 429) throw new OAuthProxyError("upstream_unavailable");
    const value = status === 200 ? parseJson(body) : undefined;
    if (value === undefined) throw new UnusableAnswer(status === 200 ? "no JSON" : `HTTP status ${status}`);
    return value;
  }

  /** Any request, as it stands. @throws {OAuthProxyError} `upstream_unavailable` when nothing usable came back in time */
  async send(
    endpoint: string,
    init: RequestInit,
    signal = AbortSignal.timeout(this.#options.requestTimeoutMs),
  ): Promise<UpstreamAnswer> {
    try {
      return await inTime(signal, this.#send(endpoint, init, signal));
    } catch (cause) {
      if (cause instanceof OAuthProxyError) throw cause;
      throw new OAuthProxyError("upstream_unavailable", { cause });
    }
  }

  async #send(endpoint: string, init: RequestInit, signal: AbortSignal): Promise<UpstreamAnswer> {
    // `redirect: "manual"`: a redirect would carry the client secret, a code or a token to wherever it points.
    const response = await this.#options.runtime.fetch(endpoint, { ...init, redirect: "manual", signal });
    return {
      status: response.status,
      contentType: response.headers.get("content-type"),
      body: await readBounded(response),
    };
  }

  async #secret(): Promise<string> {
    const { clientSecret, runtime } = this.#options;
    return typeof clientSecret === "string" ? clientSecret : clientSecret(runtime.now());
  }
}

/**
 * What `work` gives, unless the signal comes first: a `fetch` or a body that does not listen to it must not hold anybody up.
 *
 * @throws {OAuthProxyError} `upstream_unavailable` where it does
 */
export async function inTime<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new OAuthProxyError("upstream_unavailable", { cause: signal.reason }));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function readBounded(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY) throw new OAuthProxyError("upstream_response_malformed");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A member called `__proto__` would become the prototype of whatever the members are assigned to.
    return isJsonObject(value) && Object.hasOwn(value, "__proto__") ? undefined : (value ?? undefined);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
