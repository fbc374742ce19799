/** Answers as plain values; they become a `Response` in one place, so that a runtime may bring a lighter one. */

/** An answer. Headers are pairs, because `Set-Cookie` may stand more than once. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

/** What makes a `Response`: the global one, or a runtime's own. */
export type ResponseConstructor = new (
  body: string | null,
  init: { status: number; headers: [string, string][] },
) => Response;

/** RFC 9111 §5.2.2.5: tokens, pages with CSRF tokens, and refusals are nobody's to keep. */
const NO_STORE = ["cache-control", "no-store"] as const;

/** A JSON answer that must not be stored. */
export function json(status: number, value: unknown, headers: Reply["headers"] = []): Reply {
  return { status, headers: [["content-type", "application/json"], NO_STORE, ...headers], body: JSON.stringify(value) };
}

/** A public document. `maxAge` is in seconds, for which anybody may keep it; default: an hour. */
export function document(text: string, { type = "application/json", maxAge = 3600 } = {}): Reply {
  return {
    status: 200,
    headers: [
      ["content-type", type],
      ["cache-control", `public, max-age=${maxAge}`],
    ],
    body: text,
  };
}

/** No content. */
export function empty(status: number, headers: Reply["headers"] = []): Reply {
  return { status, headers: [NO_STORE, ...headers], body: undefined };
}

/** A redirect that must not be stored, and tells the next site nothing of this one. */
export function redirect(status: 302 | 303, location: string, headers: Reply["headers"] = []): Reply {
  return {
    status,
    headers: [["location", location], NO_STORE, ["referrer-policy", "no-referrer"], ...headers],
    body: undefined,
  };
}

/**
 * A page. It runs no script, loads nothing, and can't be framed.
 *
 * @param formTargets origins that a form on it may end up at: Chrome applies `form-action` to the redirects that follow as well
 */
export function page(
  status: number,
  text: string,
  styleHash: string,
  formTargets: readonly string[],
  headers: Reply["headers"] = [],
): Reply {
  const forms = formTargets.length === 0 ? "'none'" : formTargets.join(" ");
  const policy = `default-src 'none'; style-src ${styleHash}; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`;
  return {
    status,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      NO_STORE,
      // CSP Level 3; RFC 9700 §4.16: a framed consent page is clicked by somebody who does not see it.
      ["content-security-policy", policy],
      ["x-frame-options", "DENY"],
      ["x-content-type-options", "nosniff"],
      ["referrer-policy", "no-referrer"],
      ["cross-origin-opener-policy", "same-origin"],
      ...headers,
    ],
    body: text,
  };
}

/** The same answer with more headers. */
export function withHeaders(reply: Reply, headers: Reply["headers"]): Reply {
  return headers.length === 0 ? reply : { ...reply, headers: [...reply.headers, ...headers] };
}

/** The `Response` of an answer; without its body for HEAD. */
export function toResponse(reply: Reply, Constructor: ResponseConstructor, method = "GET"): Response {
  const headers = reply.headers.map(([name, value]): [string, string] => [name, value]);
  return new Constructor(method === "HEAD" ? null : (reply.body ?? null), { status: reply.status, headers });
}
