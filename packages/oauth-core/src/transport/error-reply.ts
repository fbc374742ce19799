/** Refusals as answers: JSON for programs, a page for people. RFC 6749 §5.2, RFC 6750 §3. */
import { OAuthProxyError } from "../protocol/errors.ts";
import { json, type Reply } from "./reply.ts";

/** How long to wait before a request that may succeed later is worth repeating, in seconds. */
const RETRY_AFTER = "5";

/** The status of a refusal that a program gets. */
export function statusOf(error: OAuthProxyError): number {
  if (error.reason === "body_too_large") return 413;
  switch (error.code) {
    case "invalid_client":
    case "invalid_token":
      return 401;
    case "access_denied":
    case "insufficient_scope":
      return 403;
    case "server_error":
      return 500;
    case "temporarily_unavailable":
      return 503;
    default:
      return 400;
  }
}

/** A refusal for a program. @param triedBasic whether the client authenticated by the `Authorization` header */
export function errorReply(error: OAuthProxyError, triedBasic: boolean): Reply {
  const headers: (readonly [string, string])[] = [];
  // RFC 6749 §5.2: a client that tried a scheme is told the scheme.
  if (error.code === "invalid_client" && triedBasic) headers.push(["www-authenticate", 'Basic realm="sallyport"']);
  return json(statusOf(error), error.toJSON(), [...headers, ...retryHeaders(error)]);
}

/** RFC 9110 §10.2.3: what may succeed later says when. */
export function retryHeaders({ code }: OAuthProxyError): Reply["headers"] {
  return code === "temporarily_unavailable" ? [["retry-after", RETRY_AFTER]] : [];
}

/** What stands on the wire for whatever was thrown: a refusal as it is, anything else without a word of detail. */
export function toRefusal(error: unknown): OAuthProxyError {
  return error instanceof OAuthProxyError ? error : new OAuthProxyError("internal", { cause: error });
}
