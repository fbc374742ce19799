/** Request parameters: `application/x-www-form-urlencoded`, as a query or as a body. RFC 6749 §3.1, §3.2 and Appendix B. */

import { OAuthProxyError } from "./errors.ts";
import { decodeFormText } from "./strict-decoding.ts";

/** No request of OAuth has more than a dozen parameters; a flood of them is work for nothing. */
const MAX_PARAMETERS = 64;

/** RFC 8707 §2: `resource` is the one parameter that may be given several times. */
const REPEATABLE = "resource";

/** The parameters of one request. A parameter without a value counts as absent. */
export interface Parameters {
  /** The value of a parameter; of a repeated `resource` the first one. */
  get(name: string): string | undefined;
  /** Every value of a parameter, in the order in which they were sent. */
  all(name: string): readonly string[];
}

/**
 * Reads a query (without its `?`) or a form body. Unknown parameters are kept and are for nobody to mind.
 *
 * @throws {OAuthProxyError} `malformed_parameters` for a broken percent-encoding, for bytes that are not UTF-8, for a NUL and for
 * more than 64 parameters; `repeated_parameter` for a name that is given twice, `resource` excepted.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1 RFC 6749 §3.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-B RFC 6749 Appendix B}
 */
export function parseParameters(encoded: string): Parameters {
  const pairs = encoded === "" ? [] : encoded.split("&", MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) throw new OAuthProxyError("malformed_parameters");

  const values = new Map<string, string[]>();
  for (const pair of pairs) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = decode(equals === -1 ? "" : pair.slice(equals + 1));
    const earlier = values.get(name);

    // RFC 6749 §3.1: a parameter must not be given more than once. Whoever stands between the client and this server may read the
    // other occurrence, so that a check passes on one value and the effect follows from another. An empty one is no excuse.
    if (earlier !== undefined && name !== REPEATABLE) throw new OAuthProxyError("repeated_parameter");
    if (earlier === undefined) values.set(name, [value]);
    else earlier.push(value);
  }

  // RFC 6749 §3.1: a parameter without a value is treated as if it were omitted.
  const all = (name: string): readonly string[] => (values.get(name) ?? []).filter((value) => value !== "");
  return { all, get: (name) => all(name)[0] };
}

function decode(encoded: string): string {
  const decoded = decodeFormText(encoded);
  // RFC 6749 Appendix B: percent-encoded UTF-8. A NUL is the end of a string elsewhere, so that two readers would see two values.
  if (decoded === undefined || decoded.includes("\0")) throw new OAuthProxyError("malformed_parameters");
  return decoded;
}
