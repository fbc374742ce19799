/** Ageing an access token: what a clock does in an hour. RFC 7519 §4.1.4. */
import { createHmac } from "node:crypto";

/** The same access token, two hours older, and signed again. RFC 7515 §3.1. */
export function expired(token: string, key: string): string {
  const [header = "", payload = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { iat: number; exp: number };
  const older = { ...claims, iat: claims.iat - 7200, exp: claims.exp - 7200 };
  const signed = `${header}.${Buffer.from(JSON.stringify(older)).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}
