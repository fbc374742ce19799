import { expect, test } from "vitest";
import { DomainWorld } from "../../test/domain-process.ts";
import { Approvals } from "./approvals.ts";
import { BrowserBinding } from "./browser-binding.ts";
import { IdentityProviders, type OfferedProvider } from "./identity-providers.ts";
import type { Transaction } from "./transactions.ts";

/** Approvals over providers that are only chosen and never asked. */
function arranged() {
  const world = new DomainWorld();
  const process = world.process();
  const offer = (id: string): OfferedProvider => ({
    id,
    name: id,
    scopes: ["read"],
    qualified: true,
    identityProvider: world.provider,
  });
  const [one, two] = [offer("one"), offer("two")];
  const browserBinding = new BrowserBinding({
    keys: [Buffer.from("a key for consent cookies, and no other")],
    runtime: process.runtime,
    secure: true,
    transactionTtl: 600,
    rememberConsent: 3600,
  });
  const identityProviders = new IdentityProviders([one, two]);
  const approvals = new Approvals({ browserBinding, transactions: process.transactions, identityProviders });
  return { approvals, browserBinding, one, two };
}

const TRANSACTION: Transaction = {
  clientId: "c",
  redirectUri: "https://claude.ai/api/mcp/auth_callback",
  clientState: undefined,
  codeChallenge: "c",
  scope: ["read"],
  resourceScope: ["mcp:tools"],
  resources: ["https://mcp.example.com/mcp"],
  codeVerifier: undefined,
  nonce: "n",
  expiresAt: 0,
  traceId: "t",
};

const jar = (cookie: { readonly name: string; readonly value: string } | undefined) =>
  new Map(cookie === undefined ? [] : [[cookie.name, cookie.value]]);

test("the provider that was chosen last is the one that is remembered", () => {
  const { approvals, one, two } = arranged();
  const first = jar(approvals.remember(jar(undefined), TRANSACTION, one));
  expect(approvals.remembered(first, TRANSACTION)).toBe(one);
  expect(approvals.remembered(jar(approvals.remember(first, TRANSACTION, two)), TRANSACTION)).toBe(two);
  expect(approvals.remembered(jar(undefined), TRANSACTION)).toBeUndefined();
});

test("RFC 8252 §8.6: a loopback address is never remembered, and never believed where a cookie says so", () => {
  const { approvals, browserBinding, one } = arranged();
  const local = { ...TRANSACTION, redirectUri: "http://127.0.0.1:1234/callback" };
  expect(approvals.remember(jar(undefined), local, one)).toBeUndefined();
  const { clientId, redirectUri, resources } = local;
  const approval = { clientId, redirectUri, resources, scope: ["read", "mcp:tools"], provider: "one" };
  const cookies = jar(browserBinding.remember(jar(undefined), approval));
  expect(browserBinding.remembers(cookies, approval)).toBe(true);
  expect(approvals.remembered(cookies, local)).toBeUndefined();
});

test("a choice is no consent, and a consent no choice", () => {
  const { approvals, one } = arranged();
  const unasked: Transaction = { ...TRANSACTION, unasked: true };
  expect(approvals.remembered(jar(approvals.remember(jar(undefined), unasked, one)), TRANSACTION)).toBeUndefined();
  expect(approvals.remembered(jar(approvals.remember(jar(undefined), TRANSACTION, one)), unasked)).toBeUndefined();
});
