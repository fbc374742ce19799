/** An authorization server that stands in for a real one: it does what a clause tells it, and its guard has one simple rule. RFC 6750 §2.1. */

import type { Access } from "@sallyport/oauth-core";
import type { MountedServer } from "./adapter-subject.ts";

/** What the guard says to whoever it does not let in; with quotes, commas and spaces that an adapter could lose. */
export const CHALLENGE =
  'Bearer error="invalid_token", error_description="It is not, valid.", scope="mcp:tools  mcp:admin", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';

/** The token of a person. */
export function tokenOf(person: string): string {
  return `good-${person}`;
}

/** What the guard knows of a person. */
export function accessOf(person: string): Access {
  return {
    token: tokenOf(person),
    clientId: `client-of-${person}`,
    scopes: ["mcp:tools", `scope-of-${person}`],
    expiresAt: 4_000_000_000,
    resource: "https://mcp.example.com/mcp",
    subject: person,
    claims: { sub: person, name: `the ${person}` },
  };
}

/** A server with no endpoints, whose guard knows every token that {@link tokenOf} makes. */
export function standIn(parts: Partial<MountedServer> = {}): MountedServer {
  return {
    handle: async () => undefined,
    protect: async (request, _requirement, options) => {
      const [, person] = /^Bearer good-([a-z0-9]+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
      if (person !== undefined) return accessOf(person);
      const Answer = options?.Response ?? Response;
      return new Answer(null, { status: 401, headers: [["www-authenticate", CHALLENGE]] });
    },
    corsHeaders: () => ({}),
    ...parts,
  };
}

/** The path and query of a request as the server sees them, which is what an endpoint is found by. */
export function targetOf(request: Request): string {
  return request.url.replace(/^[a-z]+:\/\/[^/]*/, "");
}
