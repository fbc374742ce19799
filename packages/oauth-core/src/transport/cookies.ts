/** Cookies, read and written. RFC 6265. */

/** The cookies of a request; of two with one name the first, which browsers send for the more specific path. */
export function readCookies(request: Request): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}

/** A `Set-Cookie` header: for this host and all its paths, out of reach for scripts, sent along when another site links here and not when it posts. */
export function setCookie(
  cookie: { readonly name: string; readonly value: string; readonly maxAge: number },
  secure: boolean,
): readonly [string, string] {
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${cookie.maxAge}${secure ? "; Secure" : ""}`;
  return ["set-cookie", `${cookie.name}=${cookie.value}; ${attributes}`];
}
