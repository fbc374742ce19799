import { describe, expect, test } from "vitest";
import { Admission, type AllowRules, type SignedInIdentity } from "./admission.ts";

const ALICE: SignedInIdentity = {
  provider: "google",
  subject: "google|1",
  email: "Alice@Example.com",
  emailVerified: true,
  groups: ["staff", "admins"],
  organizations: ["example.com"],
  tenant: "t-1",
  claims: {},
};

const admits = async (
  allow: AllowRules | readonly AllowRules[],
  change: { readonly [K in keyof SignedInIdentity]?: SignedInIdentity[K] | undefined } = {},
) => (await new Admission(allow).of({ ...ALICE, ...change } as SignedInIdentity)).admitted;

test("without rules everybody is let in whom the provider signed in", async () => {
  expect(await new Admission(undefined).of({ provider: "p", subject: "p|1", claims: {} })).toEqual({ admitted: true });
});

describe("one kind of rule: one entry has to match", () => {
  test.each<[AllowRules]>([
    [{ emails: ["bob@example.com", "alice@example.com"] }],
    [{ emails: ["ALICE@EXAMPLE.COM"] }],
    [{ emailDomains: ["other.example", "example.com"] }],
    [{ emailDomains: ["EXAMPLE.com"] }],
    [{ organizations: ["other", "example.com"] }],
    [{ tenants: ["t-2", "t-1"] }],
    [{ groups: ["admins"] }],
    [{ providers: ["github", "google"] }],
  ])("%j", async (rules) => {
    expect(await admits(rules)).toBe(true);
  });

  test.each<[AllowRules]>([
    [{ emails: ["bob@example.com"] }],
    [{ emailDomains: ["ample.com"] }],
    [{ emailDomains: [".com"] }],
    [{ emailDomains: ["mail.example.com"] }],
    [{ emailDomains: ["Alice@example.com"] }],
    [{ organizations: ["Example.com"] }],
    [{ organizations: ["example"] }],
    [{ tenants: ["T-1"] }],
    [{ groups: ["admin"] }],
    [{ groups: ["Admins"] }],
    [{ providers: ["github"] }],
  ])("none of %j does", async (rules) => {
    expect(await admits(rules)).toBe(false);
  });
});

describe("several kinds: all have to match", () => {
  test("but for addresses and domains, which are one kind", async () => {
    expect(await admits({ emails: ["guest@other.example"], emailDomains: ["example.com"] })).toBe(true);
    expect(await admits({ emails: ["alice@example.com"], emailDomains: ["other.example"] })).toBe(true);
  });

  test.each<[AllowRules]>([
    [{ emailDomains: ["other.example"], groups: ["admins"] }],
    [{ emailDomains: ["example.com"], groups: ["owners"] }],
    [{ tenants: ["t-1"], groups: ["owners"] }],
    [{ tenants: ["t-2"], organizations: ["example.com"] }],
    [{ providers: ["github"], emailDomains: ["example.com"] }],
  ])("%j does not", async (rules) => {
    expect(await admits(rules)).toBe(false);
  });

  test("of several sets of rules one has to match, whole", async () => {
    const sets = [
      { providers: ["github"], organizations: ["acme"] },
      { providers: ["google"], organizations: ["example.com"] },
    ];
    expect(await admits(sets)).toBe(true);
    expect(await admits(sets, { provider: "github" })).toBe(false);
    expect(await admits(sets, { provider: "github", organizations: ["acme"] })).toBe(true);
    expect(await admits(sets, { organizations: ["acme"] })).toBe(false);
  });
});

describe("what the provider does not vouch for matches nothing", () => {
  test.each([false, undefined, "true" as unknown as boolean, 1 as unknown as boolean])(
    "nOAuth: an address whose email_verified is %j",
    async (emailVerified) => {
      expect(await admits({ emails: ["alice@example.com"] }, { emailVerified })).toBe(false);
      expect(await admits({ emailDomains: ["example.com"] }, { emailVerified })).toBe(false);
      expect(await admits({ groups: ["admins"] }, { emailVerified })).toBe(true);
    },
  );

  test.each([
    ["", "example.com"],
    ["example.com", "example.com"],
    ["@example.com", "example.com"],
    ["alice@", ""],
    ["mallory@evil.example@example.com", "example.com"],
    ['"mallory@evil.example"@example.com', "example.com"],
    ["alice@example.com.", "example.com"],
    ["alice@example.com ", "example.com"],
    ["alice@sub.example.com", "example.com"],
    ["alice@example.com@sub", "sub"],
    // The Kelvin sign, whose lower case is a k.
    ["alice@\u212Aexample.com", "kexample.com"],
    ["alice@ex\u0430mple.com", "example.com"],
  ])("the address %j is not of the domain %j", async (email, domain) => {
    expect(await admits({ emailDomains: [domain] }, { email })).toBe(false);
  });

  test.each<[AllowRules]>([
    [{ emails: ["alice@example.com"] }],
    [{ emailDomains: ["example.com"] }],
    [{ organizations: ["example.com"] }],
    [{ tenants: ["t-1"] }],
    [{ groups: ["admins"] }],
  ])("nothing said at all, with %j", async (rules) => {
    const nothing = { email: undefined, organizations: undefined, tenant: undefined, groups: undefined };
    expect(await admits(rules, nothing)).toBe(false);
    expect(await admits(rules, { ...nothing, organizations: [], groups: [] })).toBe(false);
  });

  test("claims are not looked at: they are not all vouched for", async () => {
    const claims = { email: "alice@example.com", email_verified: true, groups: ["admins"], tid: "t-1" };
    expect(await admits({ groups: ["admins"] }, { groups: undefined, claims })).toBe(false);
  });
});

describe("a function decides by itself", () => {
  test("and is shown who it is", async () => {
    let shown: unknown;
    const admission = new Admission((identity) => {
      shown = identity;
      return true;
    });
    expect(await admission.of(ALICE)).toEqual({ admitted: true });
    expect(shown).toEqual(ALICE);
  });

  test.each([undefined, null, 1, "yes", {}, [], false])("only true is a yes, and not %j", async (answer) => {
    expect(await new Admission(() => answer as boolean).of(ALICE)).toEqual({ admitted: false });
    expect(await new Admission(async () => answer as boolean).of(ALICE)).toEqual({ admitted: false });
  });

  test("one that throws or rejects lets nobody in, and says so", async () => {
    const failed = new Error("directory");
    const thrown = new Admission(() => {
      throw failed;
    });
    expect(await thrown.of(ALICE)).toEqual({ admitted: false, failed });
    expect(await new Admission(() => Promise.reject(failed)).of(ALICE)).toEqual({ admitted: false, failed });
  });
});
