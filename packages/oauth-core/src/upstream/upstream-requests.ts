/** Requests to the upstream: authenticated, bounded in time and size, never following a redirect. RFC 6749 §2.3.1. */

import { OAuthProxyError } from "../protocol/errors.ts";
import { parseJsonObject } from "../protocol/json-object.ts";
import type { Runtime } from "../runtime.ts";

export type UpstreamAuthMethod = "client_secret_basic" | "client_secret_post" | "none";

export interface UpstreamRequestsOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authMethod: UpstreamAuthMethod;
  /** Milliseconds for the whole request, the body included. */
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

interface UpstreamAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** 1 MiB: no token answer is larger, and a hostile or broken upstream must not fill the memory. */
const LARGEST_BODY = 1024 * 1024;

/** Our side as a client. */
export class UpstreamRequests {
  readonly #options: UpstreamRequestsOptions;

  constructor(options: UpstreamRequestsOptions) {
    this.#options = options;
  }

  /** @throws {OAuthProxyError} `upstream_unavailable` when nothing usable came back in time */
  async postForm(endpoint: string, parameters: Readonly<Record<string, string>>): Promise<UpstreamAnswer> {
    const { clientId, clientSecret, authMethod } = this.#options;
    const form = new URLSearchParams(parameters);
    const headers: Record<string, string> = {
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    };
    if (authMethod === "client_secret_basic") {
      // RFC 6749 §2.3.1: form-encoded before they are joined, or a colon or an umlaut in a secret breaks it.
      const encode = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
      headers.authorization = `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64")}`;
    } else {
      form.set("client_id", clientId);
      if (authMethod === "client_secret_post") form.set("client_secret", clientSecret);
    }
    return this.#send(endpoint, { method: "POST", headers, body: form.toString() });
  }

  /** A JSON object from a resource of the upstream. @throws {OAuthProxyError} `upstream_unavailable`, `upstream_identity` */
  async getJson(endpoint: string, accessToken: string): Promise<Readonly<Record<string, unknown>>> {
    const headers = { accept: "application/json", authorization: `Bearer ${accessToken}`, "user-agent": "sallyport" };
    const { status, body } = await this.#send(endpoint, { method: "GET", headers });
    if (status >= 500 || status === 429) throw new OAuthProxyError("upstream_unavailable");
    const value = status === 200 ? parseJsonObject(body) : undefined;
    if (value === undefined) throw new OAuthProxyError("upstream_identity");
    return value;
  }

  async #send(endpoint: string, init: RequestInit): Promise<UpstreamAnswer> {
    try {
      // `redirect: "manual"`: a redirect would carry the client secret, a code or a token to wherever it points.
      const response = await this.#options.runtime.fetch(endpoint, {
        ...init,
        redirect: "manual",
        signal: AbortSignal.timeout(this.#options.requestTimeoutMs),
      });
      return {
        status: response.status,
        contentType: response.headers.get("content-type"),
        body: await readBounded(response),
      };
    } catch (cause) {
      if (cause instanceof OAuthProxyError) throw cause;
      throw new OAuthProxyError("upstream_unavailable", { cause });
    }
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
