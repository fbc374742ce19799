/** A client id that is its own registration: the metadata, packed small, under a MAC. Registering costs no storage and can't be flooded. RFC 7591 §3.2.1. */
import { timingSafeEqual } from "node:crypto";
import type { ClientMetadata, GrantTypeName, TokenEndpointAuthMethod } from "../protocol/client-metadata.ts";
import { type Keys, mac } from "./keys.ts";

/** Hosted clients keep it in a database column. */
export const LONGEST_CLIENT_ID = 255;

/** What a client id is read from and written to. */
export interface SignedClient {
  readonly metadata: ClientMetadata;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Makes two registrations of the same client two clients. */
  readonly nonce: Uint8Array;
}

const PREFIX = "sp_c1_";
/** 128 bits: a forger has one online guess per request. */
const MAC_BYTES = 16;
export const NONCE_BYTES = 6;

const AUTH_METHODS: readonly TokenEndpointAuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];

/**
 * Phrases that redirect URIs are full of, each written as one byte from 0x80 on: a URI is printable ASCII, so those bytes are free.
 * Append only: the position is part of every client id in the field.
 */
const PHRASES: readonly string[] = [
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
];
const LONGEST_FIRST = PHRASES.map((phrase, index) => ({ phrase, byte: 0x80 + index })).sort(
  (one, other) => other.phrase.length - one.phrase.length,
);

/** Packs and signs a registration; `undefined` where it doesn't fit into {@link LONGEST_CLIENT_ID} characters. */
export function formatSignedClientId(keys: Keys, client: SignedClient): string | undefined {
  const payload = pack(client);
  if (payload === undefined) return undefined;
  const signature = mac(keys[0], "client-id", Buffer.from(payload).toString("base64url")).subarray(0, MAC_BYTES);
  const clientId = PREFIX + Buffer.concat([signature, payload]).toString("base64url");
  return clientId.length <= LONGEST_CLIENT_ID ? clientId : undefined;
}

/** Reads a client id that we signed; `undefined` for any other. Nothing is parsed before the signature has been verified. */
export function parseSignedClientId(keys: Keys, clientId: string): SignedClient | undefined {
  if (!clientId.startsWith(PREFIX) || clientId.length > LONGEST_CLIENT_ID) return undefined;
  const bytes = Buffer.from(clientId.slice(PREFIX.length), "base64url");
  // Only one spelling of a client id is one: what is compared later, is compared as text.
  if (PREFIX + bytes.toString("base64url") !== clientId || bytes.length <= MAC_BYTES) return undefined;
  const signature = bytes.subarray(0, MAC_BYTES);
  const payload = bytes.subarray(MAC_BYTES);
  const text = payload.toString("base64url");
  const signed = keys.some((key) =>
    timingSafeEqual(Buffer.from(mac(key, "client-id", text).subarray(0, MAC_BYTES)), signature),
  );
  return signed ? unpack(payload) : undefined;
}

function pack({ metadata, issuedAt, nonce }: SignedClient): Buffer | undefined {
  const head = Buffer.alloc(5);
  head[0] =
    AUTH_METHODS.indexOf(metadata.tokenEndpointAuthMethod) |
    (metadata.grantTypes.includes("refresh_token") ? 4 : 0) |
    (metadata.applicationType === "web" ? 8 : metadata.applicationType === "native" ? 16 : 0);
  head.writeUInt32BE(issuedAt, 1);
  const counted = [Buffer.from(metadata.clientName ?? "", "utf8"), ...metadata.redirectUris.map(packUri)];
  if (counted.some((part) => part.length > 255)) return undefined;
  return Buffer.concat([head, Buffer.from(nonce), ...counted.flatMap((part) => [Buffer.of(part.length), part])]);
}

function unpack(payload: Buffer): SignedClient {
  const flags = payload.readUInt8(0);
  const parts: Buffer[] = [];
  for (let at = 5 + NONCE_BYTES; at < payload.length; ) {
    const length = payload.readUInt8(at);
    parts.push(payload.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  const [name, ...uris] = parts;
  const grantTypes: readonly GrantTypeName[] =
    flags & 4 ? ["authorization_code", "refresh_token"] : ["authorization_code"];
  const clientName = name?.toString("utf8");
  return {
    issuedAt: payload.readUInt32BE(1),
    nonce: payload.subarray(5, 5 + NONCE_BYTES),
    metadata: {
      clientName: clientName === "" ? undefined : clientName,
      redirectUris: uris.map(unpackUri),
      tokenEndpointAuthMethod: AUTH_METHODS[flags & 3] ?? "none",
      grantTypes,
      applicationType: flags & 8 ? "web" : flags & 16 ? "native" : undefined,
    },
  };
}

function packUri(uri: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < uri.length; ) {
    const found = LONGEST_FIRST.find(({ phrase }) => uri.startsWith(phrase, at));
    bytes.push(found?.byte ?? uri.charCodeAt(at));
    at += found?.phrase.length ?? 1;
  }
  return Buffer.from(bytes);
}

function unpackUri(bytes: Buffer): string {
  return [...bytes].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : (PHRASES[byte - 0x80] ?? ""))).join("");
}
