/** The upstream's own description of itself: fetched when it is first needed, kept, and looked at again. OpenID Connect Discovery 1.0 §4. */
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Discovery } from "./descriptor.ts";
import { parseServerDocument, type ServerDocument } from "./server-facts.ts";
import type { UpstreamRequests } from "./upstream-requests.ts";

/** Seconds after which it is fetched anew. */
const FRESH = 3600;
/** Seconds for which it serves while it can't be fetched anew: an outage of the document alone signs nobody out. */
const USABLE = 86_400;
/** Seconds for which a failure is believed: everybody who wants to sign in meanwhile causes no further fetch. */
const FAILED = 5;

export interface DiscoveryOptions {
  readonly discovery: Discovery;
  readonly requests: Pick<UpstreamRequests, "send">;
  readonly now: () => number;
}

/** The document of one upstream. */
export class DiscoveredServer {
  readonly #options: DiscoveryOptions;
  #known: { readonly document: ServerDocument; readonly at: number } | undefined;
  #failed: { readonly error: unknown; readonly at: number } | undefined;
  /** One fetch at a time, whoever asks meanwhile. */
  #underWay: Promise<ServerDocument> | undefined;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** As it was last fetched, however long ago. Asks nobody. */
  get known(): ServerDocument | undefined {
    return this.#known?.document;
  }

  /**
   * The document.
   *
   * @throws {OAuthProxyError} `upstream_unavailable` where it can't be had, `upstream_metadata` where it can't be used; another attempt is made after five seconds
   */
  async document(): Promise<ServerDocument> {
    const age = this.#ageOf(this.#known);
    if (this.#known !== undefined && age < FRESH) return this.#known.document;
    try {
      return await this.#renewed();
    } catch (error) {
      if (this.#known !== undefined && age < USABLE) return this.#known.document;
      throw error;
    }
  }

  #renewed(): Promise<ServerDocument> {
    if (this.#failed !== undefined && this.#ageOf(this.#failed) < FAILED) return Promise.reject(this.#failed.error);
    this.#underWay ??= this.#fetch().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #fetch(): Promise<ServerDocument> {
    const { discovery, requests, now } = this.#options;
    try {
      const { status, body } = await requests.send(documentUrl(discovery), {
        method: "GET",
        headers: { accept: "application/json" },
      });
      // A redirect is none that we follow: whoever could answer with one would choose where our secret goes.
      if (status !== 200)
        throw new OAuthProxyError("upstream_unavailable", { cause: new Error(`discovery document: status ${status}`) });
      const document = parseServerDocument(body, discovery.issuer);
      this.#known = { document, at: now() };
      this.#failed = undefined;
      return document;
    } catch (error) {
      this.#failed = { error, at: now() };
      throw error;
    }
  }

  /** Infinite where the clock went back: then nothing is known of the age. */
  #ageOf(event: { readonly at: number } | undefined): number {
    const age = event === undefined ? -1 : this.#options.now() - event.at;
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  }
}

/** OpenID Connect Discovery 1.0 §4: a slash at the end of the issuer is dropped first. */
export function documentUrl({ issuer, url }: Discovery): string {
  return url ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}
