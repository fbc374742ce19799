/** A small OAuth 2.0 upstream that signs in whoever it is told to, and remembers what was asked of it. Runs on a free port of 127.0.0.1. */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** An upstream that stands in for a real one. */
export interface StandInUpstream {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint: string;
  readonly revocationEndpoint: string;
  /** Every token and code that it has given out: none of them may be found at rest. */
  readonly secrets: ReadonlySet<string>;
  /** How often each endpoint was asked. */
  readonly asked: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** How the upstream behaves. */
export interface StandInUpstreamOptions {
  /** Seconds that an access token lives. Default: 3600. */
  readonly accessTokenTtl?: number | undefined;
}

/**
 * Starts it. The authorization endpoint asks nobody anything: it signs in the user that its parameter `torture_user` names, and sends
 * the browser back at once. Codes work once; refresh tokens are rotated, and an old one is refused, as strict upstreams do it.
 */
export async function startStandInUpstream(options: StandInUpstreamOptions = {}): Promise<StandInUpstream> {
  const { accessTokenTtl = 3600 } = options;
  const secrets = new Set<string>();
  const asked = new Map<string, number>();
  const userOf = new Map<string, string>();

  const give = (kind: string, user: string): string => {
    const secret = `${kind}-${randomBytes(24).toString("hex")}`;
    secrets.add(secret);
    userOf.set(secret, user);
    return secret;
  };
  const spend = (secret: string | null): string | undefined => {
    const user = userOf.get(secret ?? "");
    userOf.delete(secret ?? "");
    return user;
  };

  const endpoints: Readonly<Record<string, (request: URL, form: URLSearchParams, bearer: string) => Answer>> = {
    "/authorize": ({ searchParams }) => {
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", give("upstream-code", searchParams.get("torture_user") ?? "nobody"));
      back.searchParams.set("state", searchParams.get("state") ?? "");
      return { status: 302, location: back.href };
    },
    "/token": (_request, form) => {
      const user = spend(form.get("grant_type") === "refresh_token" ? form.get("refresh_token") : form.get("code"));
      if (user === undefined) return { status: 400, json: { error: "invalid_grant" } };
      const json = {
        access_token: give("upstream-access", user),
        refresh_token: give("upstream-refresh", user),
        token_type: "Bearer",
        expires_in: accessTokenTtl,
      };
      return { status: 200, json };
    },
    "/userinfo": (_request, _form, bearer) => {
      const user = userOf.get(bearer);
      if (user === undefined) return { status: 401, json: { error: "invalid_token" } };
      return { status: 200, json: { sub: user, email: `${user}@example.com` } };
    },
    "/revoke": (_request, form) => {
      spend(form.get("token"));
      return { status: 200, json: {} };
    },
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    asked.set(url.pathname, (asked.get(url.pathname) ?? 0) + 1);
    const form = new URLSearchParams(await textOf(request));
    const bearer = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const answer = endpoints[url.pathname]?.(url, form, bearer) ?? { status: 404, json: {} };
    response.writeHead(answer.status, {
      "content-type": "application/json",
      ...(answer.location === undefined ? {} : { location: answer.location }),
    });
    response.end(answer.json === undefined ? undefined : JSON.stringify(answer.json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    userinfoEndpoint: `${origin}/userinfo`,
    revocationEndpoint: `${origin}/revoke`,
    secrets,
    asked,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly json?: unknown;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
