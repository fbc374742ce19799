import { describe, expect, test } from "vitest";
import { CLAIMS, DomainWorld } from "../../test/domain-process.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { AccountStanding } from "./account-standing.ts";
import { Admission, type AllowFunction } from "./admission.ts";
import type { Account, LivingEntry } from "./grants.ts";
import type { Identity, LinkedIdentity, OwnAccount, OwnAccounts } from "./identity-provider.ts";
import { IdentityProviders, type OfferedProvider } from "./identity-providers.ts";

const GRANT = "AbCdEfGhIjKlMnOpQrStUv";
const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", reason });
const OWN = { id: "alice", epoch: 3 };

/** Where everybody signs in who has an account here. */
const DIRECT: Account = { provider: "accounts", subject: "alice", own: OWN };
/** Who came in by an identity elsewhere. */
const LINKED: Account = { provider: "upstream", subject: "1234", own: OWN };

/** What the accounts say today, and what they were asked. */
class Accounts implements OwnAccounts {
  readonly asked: { readonly account: OwnAccount; readonly linked: LinkedIdentity | undefined }[] = [];
  answer: () => Identity | undefined | Promise<Identity | undefined> = () => ({
    subject: "alice",
    claims: { plan: "pro" },
    roles: ["admin"],
    own: OWN,
  });

  linkedWith(): Promise<undefined> {
    throw new Error("nobody signs in here");
  }

  async standing(account: OwnAccount, linked: LinkedIdentity | undefined): Promise<Identity | undefined> {
    this.asked.push({ account, linked });
    return this.answer();
  }
}

async function arranged(account: Account | undefined, options: { allow?: AllowFunction; accounts?: boolean } = {}) {
  const world = new DomainWorld();
  const { grants, sessions } = world.process();
  const accounts = new Accounts();
  const upstream: OfferedProvider = {
    id: "upstream",
    name: "id.example.com",
    scopes: [],
    qualified: false,
    identityProvider: world.provider,
  };
  const own: OfferedProvider = {
    ...upstream,
    id: "accounts",
    identityProvider: Object.assign(Object.create(world.provider), { accounts }),
  };
  const standing = new AccountStanding({
    identityProviders: new IdentityProviders(options.accounts === false ? [upstream] : [upstream, own]),
    grants,
    upstreamSessions: sessions,
    admission: new Admission(options.allow),
    claims: CLAIMS,
    observe: (happening) => world.happenings.push(happening),
  });
  const claims = { plan: "pro", roles: ["admin"] };
  await grants.create(GRANT, { ...world.newGrant({ account, claims }), redemption: "first" });
  const entry = await grants.living(GRANT);
  const calls: string[] = [];
  world.storage.treatment = ({ verb, kind }, perform) => {
    calls.push(`${verb} ${kind}`);
    return perform();
  };
  return { world, calls, grants, accounts, standing, entry };
}

/** Both ways of asking. */
const ASKING: readonly (readonly [string, (standing: AccountStanding, entry: LivingEntry) => Promise<unknown>])[] = [
  ["confirm", (standing, { value }) => standing.confirm(GRANT, value)],
  ["renew", (standing, entry) => standing.renew(GRANT, entry)],
];

describe.each(ASKING)("%s", (_, ask) => {
  test.each([undefined, { provider: "upstream", subject: "1234" }])(
    "%#: a grant without an account of ours is asked nothing about, and costs nothing",
    async (account) => {
      const { calls, standing, accounts, entry } = await arranged(account);
      await ask(standing, entry);
      expect(accounts.asked).toEqual([]);
      expect(calls).toEqual([]);
    },
  );

  test("who signed in directly is asked about alone, who was linked together with their identity there", async () => {
    const direct = await arranged(DIRECT);
    await ask(direct.standing, direct.entry);
    expect(direct.accounts.asked).toEqual([{ account: OWN, linked: undefined }]);
    const linked = await arranged(LINKED);
    await ask(linked.standing, linked.entry);
    expect(linked.accounts.asked).toEqual([{ account: OWN, linked: { provider: "upstream", subject: "1234" } }]);
  });

  test("RFC 6749 §5.2: an account that stands no more ends the grant and the upstream's tokens, once", async () => {
    const { world, standing, accounts, grants, entry } = await arranged(LINKED);
    accounts.answer = () => undefined;
    await expect(ask(standing, entry)).rejects.toThrow(refusal("grant_not_allowed"));
    await expect(grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
    expect(world.provider.revoked).toHaveLength(1);
    expect(world.happenings).toMatchObject([
      { type: "sign_in.refused", subject: "alice", provider: "upstream", grant: GRANT },
      { type: "grant.revoked", because: "account" },
    ]);
  });

  test("who ended the grant meanwhile has ended it, and no token is given", async () => {
    const { standing, accounts, grants, entry, world } = await arranged(DIRECT);
    accounts.answer = async () => {
      await grants.end(GRANT, entry, "operator");
      return undefined;
    };
    await expect(ask(standing, entry)).rejects.toThrow(expect.objectContaining({ code: "invalid_grant" }));
    expect(world.count("grant.revoked")).toBe(1);
  });

  test("where it can't be known, the grant lives on and nothing is given", async () => {
    const { standing, accounts, grants, entry } = await arranged(DIRECT);
    accounts.answer = () => Promise.reject(new OAuthProxyError("storage_unavailable"));
    await expect(ask(standing, entry)).rejects.toThrow(refusal("storage_unavailable"));
    expect((await grants.living(GRANT)).value).toEqual(entry.value);
  });

  test("where the operator took the accounts away, the grant waits for them", async () => {
    const { standing, grants, entry } = await arranged(LINKED, { accounts: false });
    await expect(ask(standing, entry)).rejects.toThrow(refusal("provider_missing"));
    expect((await grants.living(GRANT)).value).toEqual(entry.value);
  });

  test("an identity that no provider has named is linked with nobody", async () => {
    const { standing, entry, accounts } = await arranged({ provider: "upstream", own: OWN });
    await expect(ask(standing, entry)).rejects.toThrow(refusal("grant_not_allowed"));
    expect(accounts.asked).toEqual([]);
  });
});

describe("what is true of the person today", () => {
  test("is in the grant afterwards, where it is something else; and is not written where it is not", async () => {
    const { calls, standing, accounts, entry, grants } = await arranged(DIRECT);
    expect(await standing.renew(GRANT, entry)).toBe(entry);
    expect(calls).toEqual([]);
    accounts.answer = () => ({ subject: "alice", claims: { plan: "free" }, roles: ["reader"], own: OWN });
    const renewed = await standing.renew(GRANT, entry);
    expect(renewed.value.claims).toEqual({ plan: "free", roles: ["reader"] });
    expect((await grants.living(GRANT)).value.claims).toEqual({ plan: "free", roles: ["reader"] });
    expect(renewed.value).toEqual({ ...entry.value, claims: renewed.value.claims });
  });

  test("does not bring back a grant that was ended meanwhile", async () => {
    const { standing, accounts, entry, grants } = await arranged(DIRECT);
    accounts.answer = async () => {
      await grants.end(GRANT, entry, "operator");
      return { subject: "alice", claims: {}, own: OWN };
    };
    await expect(standing.renew(GRANT, entry)).rejects.toThrow(refusal("grant_revoked"));
    await expect(grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
  });
});

describe("the option allow", () => {
  test("is asked at a renewal of whoever signed in directly, and ends the grant where it says no", async () => {
    const subjects: string[] = [];
    const allow: AllowFunction = ({ subject, provider }) => {
      subjects.push(`${provider} ${subject}`);
      return false;
    };
    const { standing, entry, grants } = await arranged(DIRECT, { allow });
    await standing.confirm(GRANT, entry.value);
    expect(subjects).toEqual([]);
    await expect(standing.renew(GRANT, entry)).rejects.toThrow(refusal("grant_not_allowed"));
    expect(subjects).toEqual(["accounts alice"]);
    await expect(grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
  });

  test("leaves who came in by another provider to that one's next word", async () => {
    const allow = () => {
      throw new Error("asked");
    };
    const { standing, entry } = await arranged(LINKED, { allow });
    expect(await standing.renew(GRANT, entry)).toBe(entry);
  });

  test("that can't answer signs nobody out, and lets nobody in", async () => {
    const down = new Error("directory down");
    const { standing, entry, grants } = await arranged(DIRECT, { allow: () => Promise.reject(down) });
    await expect(standing.renew(GRANT, entry)).rejects.toThrow(
      expect.objectContaining({ reason: "grant_undecided", cause: down }),
    );
    expect((await grants.living(GRANT)).value).toEqual(entry.value);
  });
});
