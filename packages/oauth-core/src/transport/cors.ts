/** Which other origins may read what. Fetch standard, CORS protocol; MCP transports, "Security & Endpoint". */

const ANY = "*";
/** What clients in browsers send along. `*` stands for any other, such as `Mcp-Param-…`, but never for `Authorization`. */
const REQUEST_HEADERS =
  "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, last-event-id, dpop, *";
/** What clients in browsers have to see. */
const RESPONSE_HEADERS = "www-authenticate, mcp-session-id, mcp-protocol-version";

/** For documents and endpoints that use no cookie: whoever can send the request may read the answer. */
export const PUBLIC_CORS: readonly (readonly [string, string])[] = [
  ["access-control-allow-origin", ANY],
  ["access-control-expose-headers", RESPONSE_HEADERS],
];

/** The answer to a preflight of an endpoint that is open to all. */
export function publicPreflight(allow: string): readonly (readonly [string, string])[] {
  return [...PUBLIC_CORS, ...preflight(allow)];
}

/** For a protected resource: the one origin that was checked. */
export function originCors(origin: string): Record<string, string> {
  return { "access-control-allow-origin": origin, "access-control-expose-headers": RESPONSE_HEADERS, vary: "Origin" };
}

/** What a preflight is told beside the origin. */
export function preflight(allow: string): readonly (readonly [string, string])[] {
  return [
    ["access-control-allow-methods", allow],
    ["access-control-allow-headers", REQUEST_HEADERS],
    ["access-control-max-age", "600"],
  ];
}

/**
 * Decides whose pages may talk to a protected resource: a page on any other site that a person happens to visit must not, or DNS rebinding turns
 * their browser into a client of their own network.
 */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: Iterable<string>) {
    this.#allowed = new Set(allowed);
  }

  /** A request without `Origin` is no browser's; loopback pages are programs of the person's own, such as the MCP Inspector. */
  admits(origin: string | null): boolean {
    return (
      origin === null ||
      this.#allowed.has(origin) ||
      /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?$/.test(origin)
    );
  }
}
