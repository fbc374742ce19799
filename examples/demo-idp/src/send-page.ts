/** How the identity provider's pages go out: never cached, never framed, without anything from elsewhere. */
import type { ServerResponse } from "node:http";

/** Answers with a page of our own. */
export function sendPage(res: ServerResponse, status: number, page: string): void {
  res.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    // No form-action: Chromium applies it to every redirect that follows a post, and where those lead is known only to the clients.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  res.end(page);
}
