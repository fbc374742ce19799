/** A stand-in that listens on a free port of 127.0.0.1. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Upstream, UpstreamEndpointName, UpstreamOptions, UpstreamReply, UpstreamRequest } from "./behaviour.ts";
import { addressOf, StandIn } from "./stand-in.ts";

/** The URL that a request was meant for, where that is another host than ours. */
const MEANT_FOR = "upstream-url";

/**
 * Starts an OAuth 2.0 and OpenID Connect server that signs in whoever it is told to, without asking anybody anything. It checks what a strict one checks: client
 * credentials, redirect URI, PKCE, and that a code works once and a rotated refresh token no longer; and it deviates where it is told to.
 *
 * @example
 * ```ts
 * const upstream = await startUpstream({ issuer: "https://accounts.google.com", person: { sub: "1234", email: "alice@example.com" } });
 * upstream.behave({ token: (answer) => ({ json: { ...answer, expires_in: "3600" } }) });
 * ```
 */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const requests: UpstreamRequest[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn = new StandIn(options, origin);

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await read(incoming, origin, standIn);
    requests.push(request);
    const reply = standIn.answer(request);
    if (reply === "cut") incoming.socket.destroy();
    else if (reply !== "hang") send(response, reply);
  };
  server.on("request", (incoming, response) => {
    serve(incoming, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  const standInFetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set(MEANT_FOR, url);
    return fetch(origin, { ...init, headers });
  };
  return {
    issuer: standIn.issuer,
    endpoints: standIn.endpoints,
    requests,
    requestsTo: (endpoint) => {
      const at = Object.hasOwn(standIn.endpoints, endpoint)
        ? standIn.endpoints[endpoint as UpstreamEndpointName]
        : new URL(endpoint, `${standIn.issuer.replace(/\/$/, "")}/`).href;
      return requests.filter(({ url }) => addressOf(url.href) === addressOf(at));
    },
    secrets: standIn.sessions.secrets,
    behave: (behaviour) => standIn.behave(behaviour),
    isLiving: (secret) => standIn.sessions.of(secret) !== undefined,
    sign: (claims, header = {}) => standIn.signer.sign({ ...standIn.signer.header, ...header }, claims),
    rotateKey: () => standIn.signer.rotate(),
    fetch: standInFetch,
    visit: async (authorizationUrl) => follow(await standInFetch(authorizationUrl, { redirect: "manual" })),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function read(incoming: IncomingMessage, origin: string, { sessions }: StandIn): Promise<UpstreamRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString("utf8");
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const url = new URL(headers.get(MEANT_FOR) ?? incoming.url ?? "/", origin);
  headers.delete(MEANT_FOR);
  const bearer = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
  const form = new URLSearchParams(body);
  const secret = bearer ?? form.get("code") ?? form.get("refresh_token");
  return { method: incoming.method ?? "GET", url, headers, body, form, bearer, session: sessions.of(secret) };
}

function send(response: ServerResponse, reply: Exclude<UpstreamReply, string>): void {
  const { status = 200, headers = {}, json, form, text = "" } = reply;
  const [type, body] =
    json !== undefined
      ? ["application/json", JSON.stringify(json)]
      : form !== undefined
        ? ["application/x-www-form-urlencoded", new URLSearchParams(form).toString()]
        : ["text/html", text];
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body);
}

async function follow(response: Response): Promise<{ url: string; form: URLSearchParams | undefined }> {
  const location = response.headers.get("location");
  if (location !== null) return { url: location, form: undefined };
  const page = await response.text();
  const action = /<form method="post" action="([^"]+)">/.exec(page)?.[1];
  if (action === undefined)
    throw new Error(`The authorization endpoint answered ${response.status}: ${page.slice(0, 200)}`);
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
  const form = new URLSearchParams(
    fields.map(([, name = "", value = ""]): [string, string] => [unescaped(name), unescaped(value)]),
  );
  return { url: unescaped(action), form };
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
