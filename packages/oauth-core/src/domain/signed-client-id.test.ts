import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClientMetadata, parseClientMetadata } from "../protocol/client-metadata.ts";
import { KNOWN_CLIENTS } from "../protocol/known-callbacks.ts";
import { type Keys, mac } from "./keys.ts";
import {
  formatSignedClientId,
  LONGEST_CLIENT_ID,
  NONCE_BYTES,
  parseSignedClientId,
  type SignedClient,
} from "./signed-client-id.ts";

const keys: Keys = [Buffer.from("a key for client ids, with 32 bytes or more")];
const otherKeys: Keys = [Buffer.from("another key for client ids, and 32 bytes too")];
const nonce = Buffer.from("nonce!");
const issuedAt = 1_800_000_000;

function formatted(client: Partial<SignedClient> & Pick<SignedClient, "metadata">): string {
  const clientId = formatSignedClientId(keys, { issuedAt, nonce, ...client });
  if (clientId === undefined) throw new Error("does not fit");
  return clientId;
}

describe("every well-known client fits into a database column of 255 characters", () => {
  const longest = { "<id>": "f47ac10b-58cc-4372-a567-0e02b2c3d479-default", "<port>": "65535" };
  const concrete = (callback: string) => callback.replace("<id>", longest["<id>"]).replace("<port>", longest["<port>"]);
  const registrations: (readonly [string, readonly string[]])[] = [
    ...KNOWN_CLIENTS.map(({ name, callbacks }) => [name, callbacks.map(concrete)] as const),
    // In the versions that leave out the final slash.
    [
      "Visual Studio Code",
      [
        "http://127.0.0.1",
        "http://127.0.0.1:33418",
        "http://localhost",
        "http://localhost:33418",
        "https://vscode.dev/redirect",
        "https://insiders.vscode.dev/redirect",
      ],
    ],
    ["Visual Studio Code - Insiders", ["http://127.0.0.1:54321/", ...KNOWN_CLIENTS.flatMap(codeCallbacks)]],
    ["Grok", ["https://grok.com/connectors/oauth/callback", "http://localhost:8787/callback"]],
    ["Codex", ["http://127.0.0.1:1455/callback", "http://localhost:1455/oauth/callback"]],
    ["JetBrains AI Assistant", ["http://127.0.0.1:63342/oauth/callback"]],
    ["Gemini CLI MCP Client", ["http://localhost:7777/oauth/callback"]],
    ["MCP CLI Proxy", ["http://127.0.0.1:65535/oauth/callback"]],
    ["LibreChat", ["https://chat.intranet.example.com/api/mcp/knowledge-base/oauth/callback"]],
    ["n8n", ["https://automation.example.com/rest/oauth2-credential/callback"]],
  ];

  test.each(registrations)("%s: %j", (name, uris) => {
    for (const token_endpoint_auth_method of ["none", "client_secret_basic", "client_secret_post"]) {
      for (const application_type of ["web", "native", undefined]) {
        const metadata = parseClientMetadata({
          client_name: name,
          redirect_uris: uris,
          token_endpoint_auth_method,
          application_type,
        });
        const clientId = formatted({ metadata });
        expect(clientId.length).toBeLessThanOrEqual(LONGEST_CLIENT_ID);
        expect(parseSignedClientId(keys, clientId)?.metadata).toEqual({ ...metadata, scope: undefined });
      }
    }
  });

  function codeCallbacks({ name, callbacks }: (typeof KNOWN_CLIENTS)[number]): readonly string[] {
    return name === "Visual Studio Code" ? callbacks : [];
  }
});

const printable = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 90,
});
const phrase = fc.constantFrom(
  "https://",
  "http://localhost",
  ":33418/",
  "/oauth/callback",
  "/callback",
  "https://www.",
  ".com/",
  "https://claude.ai/api/mcp/auth_callback",
);
const uri = fc.array(fc.oneof(phrase, printable), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
const metadata: fc.Arbitrary<ClientMetadata> = fc.record({
  clientName: fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), { nil: undefined }),
  redirectUris: fc.array(uri, { minLength: 1, maxLength: 4 }),
  tokenEndpointAuthMethod: fc.constantFrom("none", "client_secret_basic", "client_secret_post"),
  grantTypes: fc.constantFrom<ClientMetadata["grantTypes"]>(
    ["authorization_code", "refresh_token"],
    ["authorization_code"],
  ),
  applicationType: fc.constantFrom("web", "native", undefined),
});
const client: fc.Arbitrary<SignedClient> = fc.record({
  metadata,
  issuedAt: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }).map((bytes) => Buffer.from(bytes)),
});

test("a client id says exactly what was registered, or is not made at all", () => {
  let fitting = 0;
  fc.assert(
    fc.property(client, (registered) => {
      const clientId = formatSignedClientId(keys, registered);
      if (clientId === undefined) return;
      fitting++;
      expect(clientId.length).toBeLessThanOrEqual(LONGEST_CLIENT_ID);
      expect(clientId).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(parseSignedClientId(keys, clientId)).toEqual(registered);
    }),
    { numRuns: 500 },
  );
  expect(fitting).toBeGreaterThan(50);
});

test("two registrations of the same client are two clients", () => {
  const metadata = parseClientMetadata({ redirect_uris: ["http://localhost/callback"] });
  expect(formatted({ metadata, nonce: Buffer.from("first.") })).not.toBe(
    formatted({ metadata, nonce: Buffer.from("second") }),
  );
});

test("any one character changed, added or left out, and it is no client id", () => {
  const clientId = formatted({
    metadata: parseClientMetadata({ client_name: "Cursor", redirect_uris: ["http://localhost:8787/callback"] }),
  });
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ ";
  for (let at = 0; at <= clientId.length; at++) {
    const [before, character = "", after] = [clientId.slice(0, at), clientId[at], clientId.slice(at + 1)];
    expect(parseSignedClientId(keys, before + (character === "" ? "A" : "") + after)).toBeUndefined();
    for (const other of alphabet) {
      if (other === character) continue;
      expect(parseSignedClientId(keys, before + other + after)).toBeUndefined();
      expect(parseSignedClientId(keys, before + other + character + after)).toBeUndefined();
    }
  }
  expect(parseSignedClientId(keys, clientId)).toBeDefined();
});

describe("keys", () => {
  const [old, fresh] = [keys[0], otherKeys[0]];
  const before = formatted({ metadata: parseClientMetadata({ redirect_uris: ["http://localhost/callback"] }) });

  test("an id under another key is none", () => {
    expect(parseSignedClientId(otherKeys, before)).toBeUndefined();
  });

  test("are rotated: the new one signs, the old one still verifies until it is taken away", () => {
    expect(parseSignedClientId([fresh, old], before)).toBeDefined();
    expect(parseSignedClientId([fresh], before)).toBeUndefined();
    const metadata = parseClientMetadata({ redirect_uris: ["http://localhost/callback"] });
    const after = formatSignedClientId([fresh, old], { metadata, issuedAt, nonce });
    expect(parseSignedClientId([fresh], after ?? "")).toBeDefined();
  });
});

describe("what does not fit is not made", () => {
  const uris = (count: number, length: number) =>
    Array.from({ length: count }, (_, index) => `https://${index}.example/${"x".repeat(length)}`);

  test.each([
    ["many redirect URIs", { redirect_uris: uris(32, 10) }],
    ["one that is longer than a length byte can say", { redirect_uris: uris(1, 900) }],
    ["a long name in many bytes", { client_name: "組".repeat(120), redirect_uris: uris(1, 1) }],
  ])("%s", (_, body) => {
    expect(formatSignedClientId(keys, { metadata: parseClientMetadata(body), issuedAt, nonce })).toBeUndefined();
  });
});

describe("nothing is parsed before the signature has been verified", () => {
  const signed = (payload: Uint8Array, length = 16) => {
    const text = Buffer.from(payload).toString("base64url");
    const signature = mac(keys[0], "client-id", text).subarray(0, length);
    return `sp_c1_${Buffer.concat([signature, payload]).toString("base64url")}`;
  };

  test.each([
    "",
    "sp_c1_",
    "sp_c1_AAAA",
    `sp_c1_${"A".repeat(22)}`,
    `sp_c1_${"A".repeat(249)}`,
    `sp_c1_${"A".repeat(100_000)}`,
    "sp_cs_AAAAAAAAAAAAAAAAAAAAAA",
    "ünïcode",
  ])("%#: not ours", (clientId) => {
    expect(parseSignedClientId(keys, clientId)).toBeUndefined();
  });

  test("a signature that was cut short is none", () => {
    expect(parseSignedClientId(keys, signed(Buffer.alloc(20), 15))).toBeUndefined();
  });
});

describe("client ids in the field are read for ever", () => {
  const fieldKeys: Keys = [Buffer.from("the key under which a client id was made in 2026")];

  test("one with every phrase in its place: phrases may be appended and never moved", () => {
    const clientId =
      "sp_c1_K5_t9i8TWbjJxkPCJ6gsRRZqsTuAbm9uY2UhCVByw7xmbGluZwGAAYEBggGDAYQBhQGGAYcBiAGJAYoBiwGMAY0BjgGPAZABkQGSAZM";
    expect(parseSignedClientId(fieldKeys, clientId)).toEqual({
      issuedAt: 1_790_000_000,
      nonce: Buffer.from("nonce!"),
      metadata: {
        clientName: "Prüfling",
        tokenEndpointAuthMethod: "client_secret_post",
        grantTypes: ["authorization_code", "refresh_token"],
        applicationType: "native",
        redirectUris: [
          "https://",
          "http://localhost",
          "http://127.0.0.1",
          "http://[::1]",
          "/oauth/callback",
          "/callback",
          "https://www.",
          "https://claude.ai/api/mcp/auth_callback",
          "https://claude.com/api/mcp/auth_callback",
          "https://chatgpt.com/connector/oauth/",
          "https://chatgpt.com/connector_platform_oauth_redirect",
          "cursor://anysphere.cursor-mcp/oauth/callback",
          "https://www.cursor.com/agents/mcp/oauth/callback",
          "http://localhost:8787/callback",
          ":33418/",
          "https://vscode.dev/redirect",
          "https://insiders.vscode.dev/redirect",
          "https://global.consent.azure-apim.net/redirect/",
          "http://localhost:6274/oauth/callback",
          ".com/",
        ],
      },
    });
  });

  test("one of a public client that may not refresh", () => {
    const clientId = "sp_c1_OOH2giR8f4dBDj9QggWg-whqsTuAbm9uY2U_AAiCOjQ5MTUyhQ";
    expect(parseSignedClientId(fieldKeys, clientId)).toEqual({
      issuedAt: 1_790_000_000,
      nonce: Buffer.from("nonce?"),
      metadata: {
        clientName: undefined,
        tokenEndpointAuthMethod: "none",
        grantTypes: ["authorization_code"],
        applicationType: "web",
        redirectUris: ["http://127.0.0.1:49152/callback"],
      },
    });
  });
});
