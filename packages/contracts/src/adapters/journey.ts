/** The whole journey of a client and a person, from knocking at a door to signing out. RFC 9728, RFC 8414, RFC 7591, RFC 6749, RFC 7009. */

import { OAuthProxy, type TokenStorage } from "@sallyport/oauth-core";
import { Figures } from "../torture/figures.ts";
import { Random } from "../torture/random.ts";
import { Replicas } from "../torture/replicas.ts";
import { startStandInUpstream } from "../torture/stand-in-upstream.ts";
import { User } from "../torture/user.ts";
import type { AdapterApp, AdapterSubject } from "./adapter-subject.ts";

/** Where the journey goes. */
export interface JourneyOptions {
  /**
   * The issuer, whose upstream is a `startStandInUpstream`, with its endpoints under `/oauth`. Its `/mcp` is the protected resource, and answers
   * a POST with JSON that has the `subject` of the token.
   */
  readonly issuer: string;
  /** Where it listens: what stands in place of the issuer. Default: the issuer. */
  readonly origin?: string | undefined;
  /** Who signs in. Default: alice. */
  readonly person?: string | undefined;
}

/**
 * Makes the journey, as a client that knows nothing but the resource's URL: challenge, metadata, registration, consent, upstream, code, token,
 * protected call, refresh, revocation.
 *
 * @throws {Error} (as a rejection) naming the step that did not lead to the next
 */
export async function journey({ issuer, origin = issuer, person = "alice" }: JourneyOptions): Promise<void> {
  const figures = new Figures();
  // Nothing is left to chance but whether a response is lost once, which may change nothing.
  const random = new Random(7);
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
  const replicas = new Replicas({ origins: [origin], issuer, random, figures, pause });
  const user = new User(person, { issuer, replicas, random, figures, remember: () => undefined });

  await discover(issuer, origin);
  await user.signIn(1);
  const subject = await subjectOf(user, "the first protected call");
  await user.refresh(1);
  expect("the subject after the refresh", await subjectOf(user, "the call with the refreshed token"), subject);
  expect("the revocation", (await user.revoke()).status, 200);
  expect("the call with a revoked token", (await user.call()).status, 401);
  expect("what may never happen", figures.failures, []);
}

/** What {@link journeyThrough} can be told of its surroundings. */
export interface JourneySurroundings extends Pick<AdapterApp, "parsers" | "strippedPrefix"> {
  /** Who signs in. Default: alice. */
  readonly person?: string | undefined;
}

/** Makes the journey through an adapter, with a real `OAuthProxy` that keeps its state in `tokenStorage`. */
export async function journeyThrough(
  subject: AdapterSubject,
  tokenStorage: TokenStorage,
  { parsers, strippedPrefix, person }: JourneySurroundings = {},
): Promise<void> {
  const upstream = await startStandInUpstream();
  const issuer = `https://mcp.example.com${strippedPrefix ?? ""}`;
  const reported: unknown[] = [];
  const auth = new OAuthProxy({
    baseUrl: issuer,
    upstreamAuthorizationEndpoint: upstream.authorizationEndpoint,
    upstreamTokenEndpoint: upstream.tokenEndpoint,
    upstreamUserinfoEndpoint: upstream.userinfoEndpoint,
    upstreamRevocationEndpoint: upstream.revocationEndpoint,
    upstreamClientId: "stand-in",
    upstreamClientSecret: "the secret of a stand-in, which is long enough",
    resourceScopes: ["mcp:tools"],
    tokenStorage,
    onEvent: (event) => {
      if (event.type === "error") reported.push(event.cause);
    },
  });
  const server = await subject.serve({
    auth,
    parsers,
    strippedPrefix,
    onError: (error) => reported.push(error),
    routes: [
      {
        path: "/mcp",
        requirement: { scopes: ["mcp:tools"] },
        answer: async ({ access }) => ({
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ subject: access?.subject }),
        }),
      },
    ],
  });
  try {
    await journey({ issuer, origin: `http://127.0.0.1:${server.port}`, person });
    expect("what was reported as an error", reported.map(String), []);
  } finally {
    await Promise.all([server.close(), upstream.close()]);
  }
}

/** From the challenge to the issuer's metadata, as RFC 9728 §5 leads a client that has nothing yet. */
async function discover(issuer: string, origin: string): Promise<void> {
  const there = (url: string) =>
    url.startsWith(`${issuer}/`)
      ? origin + url.slice(issuer.length)
      : url.replace(new URL(issuer).origin, new URL(origin).origin);
  const refused = await fetch(there(`${issuer}/mcp`), { method: "POST" });
  await refused.body?.cancel();
  expect("a call without a token", refused.status, 401);
  const [, metadataUrl = ""] = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate") ?? "") ?? [];
  const resource = await documentAt(there(metadataUrl));
  expect(
    "the resource's metadata",
    [resource["resource"], resource["authorization_servers"]],
    [`${issuer}/mcp`, [issuer]],
  );
  const { origin: host, pathname } = new URL(issuer);
  const server = await documentAt(
    there(`${host}/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`),
  );
  const { issuer: named, token_endpoint, registration_endpoint } = server;
  const expected = [issuer, `${issuer}/oauth/token`, `${issuer}/oauth/register`];
  expect("the issuer's metadata", [named, token_endpoint, registration_endpoint], expected);
}

async function documentAt(url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, { redirect: "manual" });
  expect(`the document at ${new URL(url).pathname}`, answer.status, 200);
  return (await answer.json()) as Record<string, unknown>;
}

async function subjectOf(user: User, step: string): Promise<string> {
  const { status, text } = await user.call();
  expect(step, status, 200);
  const { subject } = JSON.parse(text) as { readonly subject?: unknown };
  if (typeof subject !== "string" || subject === "") throw new Error(`${step}: nobody is known`);
  return subject;
}

function expect(step: string, seen: unknown, expected: unknown): void {
  if (JSON.stringify(seen) !== JSON.stringify(expected))
    throw new Error(`${step}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
}
