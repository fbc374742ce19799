/** Which parts of an exchange tell what it is about; the rest is left out of the story. */
import type { Exchange } from "@sallyport/example-demo-idp/scripted-browser";
import type { Told } from "./narrator.ts";
import type { WireExchange } from "./wire.ts";

const SENT = [
  "client_name",
  "redirect_uris",
  "token_endpoint_auth_method",
  "response_type",
  "client_id",
  "redirect_uri",
  "scope",
  "resource",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "grant_type",
  "code",
  "code_verifier",
  "refresh_token",
  "token",
  "state",
  "iss",
  "username",
  "login",
  "action",
];

const RECEIVED = [
  "resource",
  "authorization_servers",
  "scopes_supported",
  "issuer",
  "authorization_endpoint",
  "token_endpoint",
  "registration_endpoint",
  "client_id",
  "access_token",
  "refresh_token",
  "expires_in",
  "scope",
  "error",
  "error_description",
];

type Members = Readonly<Record<string, unknown>>;

function pick(members: Members | undefined, names: readonly string[]): Members {
  return Object.fromEntries(names.flatMap((name) => (members?.[name] === undefined ? [] : [[name, members[name]]])));
}

/** A JSON-RPC request is known by its method, and a tool call by its tool. */
function rpc(sent: Members | undefined): Members {
  if (sent?.jsonrpc === undefined) return {};
  const params: unknown = sent.params;
  const tool = typeof params === "object" && params !== null && "name" in params ? params.name : undefined;
  return { method: sent.method, ...(tool === undefined ? {} : { tool }) };
}

/** What the client and the server said to each other. */
export function toldOfWire({ method, url, status, sent, bearer, received, challenge }: WireExchange): Told {
  const authorization = bearer === undefined ? {} : { authorization: bearer };
  return {
    method,
    url,
    status,
    sent: { ...rpc(sent), ...pick(sent, SENT), ...authorization },
    received: { ...(challenge === undefined ? {} : { "www-authenticate": challenge }), ...pick(received, RECEIVED) },
  };
}

/** What the browser did, and where it was sent next. */
export function toldOfBrowser({ method, url, form, status, location }: Exchange): Told {
  return {
    method,
    url,
    status,
    sent: pick(Object.fromEntries(form ?? url.searchParams), SENT),
    received: location === undefined ? {} : { location },
  };
}
