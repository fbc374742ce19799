import { describe, expect, test } from "vitest";
import { CLIENT_ID, DomainWorld, RESOURCE } from "../../test/domain-process.ts";
import { randomFrom } from "../../test/random.ts";
import { shuffled } from "../../test/unreliable-storage.ts";
import { s256 } from "../protocol/pkce.ts";
import { Collection } from "../state/collection.ts";
import { MemoryTokenStorage } from "../state/memory-token-storage.ts";
import type { Keys } from "./keys.ts";
import { isLink, type Transaction, Transactions } from "./transactions.ts";

const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", reason });

const asked: Omit<Transaction, "codeVerifier" | "nonce" | "expiresAt"> = {
  clientId: CLIENT_ID,
  redirectUri: "http://127.0.0.1:49152/callback",
  clientState: "the client's state",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  scope: ["read"],
  resourceScope: ["mcp:tools"],
  resources: [RESOURCE],
  traceId: "trace",
};

async function begun() {
  const world = new DomainWorld();
  const { transactions } = world.process();
  return { world, transactions, ...(await transactions.begin(asked, false)) };
}

test("a transaction keeps what was asked, under the name in the form and the one that goes upstream", async () => {
  const { transactions, id, state, transaction } = await begun();
  expect(transaction).toMatchObject(asked);
  expect(await transactions.byId(id)).toEqual({ id, state, transaction });
  expect(await transactions.byState(state)).toEqual(transaction);
});

test("RFC 6749 §10.12: neither name says anything of the other, and both have 256 bits", async () => {
  const { transactions, id, state } = await begun();
  const { id: otherId, state: otherState } = await transactions.begin(asked, false);
  expect(new Set([id, state, otherId, otherState]).size).toBe(4);
  for (const name of [id, state]) expect(name).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("the name in the form is not accepted as the state, nor the state as the name", async () => {
  const { transactions, id, state } = await begun();
  await expect(transactions.byState(id)).rejects.toThrow(refusal("transaction_unknown"));
  await expect(transactions.byId(state)).rejects.toThrow(refusal("transaction_unknown"));
});

test.each([undefined, "", "x", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}:`, "a".repeat(100_000), "../../x"])(
  "%#: what can't be a name is no transaction",
  async (id) => {
    const { transactions } = await begun();
    await expect(transactions.byId(id)).rejects.toThrow(refusal("transaction_unknown"));
    await expect(transactions.byState(id ?? "")).rejects.toThrow(refusal("transaction_unknown"));
  },
);

describe("RFC 7636 §4: the challenge that goes upstream", () => {
  test("is of a verifier of our own, which stays here", async () => {
    const { transactions, transaction } = await begun();
    expect(transaction.codeVerifier).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(transactions.challengeOf(transaction)).toBe(s256(transaction.codeVerifier ?? ""));
  });

  test("is the client's own where it is forwarded", async () => {
    const { transactions } = await begun();
    const { transaction } = await transactions.begin(asked, true);
    expect(transaction.codeVerifier).toBeUndefined();
    expect(transactions.challengeOf(transaction)).toBe(asked.codeChallenge);
  });

  test("and the nonce are new for every transaction", async () => {
    const { transactions, transaction } = await begun();
    const { transaction: other } = await transactions.begin(asked, false);
    expect(other.nonce).not.toBe(transaction.nonce);
    expect(other.codeVerifier).not.toBe(transaction.codeVerifier);
  });
});

describe("a transaction is finished once", () => {
  test.each([1, 2, 3])("of 32 at once over %i processes, in any order, one finishes it", async (count) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, state } = await begun();
      const processes = Array.from({ length: count }, () => world.process());
      world.storage.treatment = shuffled(randomFrom(seed));
      const attempts = Array.from({ length: 32 }, async (_, index) =>
        processes[index % count]?.transactions.finish(state),
      );
      const settled = await Promise.allSettled(attempts);
      expect(
        settled.filter(({ status }) => status === "fulfilled"),
        `seed ${seed}`,
      ).toHaveLength(1);
      for (const each of settled) {
        if (each.status === "rejected") expect(each.reason).toEqual(refusal("transaction_used"));
      }
    }
  });

  test("and never again as long as it could still be found", async () => {
    const { world, transactions, state } = await begun();
    world.now += 300;
    await transactions.finish(state);
    world.now += 299;
    await expect(transactions.byState(state)).resolves.toBeDefined();
    await expect(transactions.finish(state)).rejects.toThrow(refusal("transaction_used"));
  });

  test("without harm to another", async () => {
    const { transactions, state } = await begun();
    const other = await transactions.begin(asked, false);
    await transactions.finish(state);
    await expect(transactions.finish(other.state)).resolves.toBeUndefined();
  });
});

describe("a transaction ends after transactionTtl", () => {
  test("to the second", async () => {
    const { world, transactions, id } = await begun();
    world.now += 599;
    await expect(transactions.byId(id)).resolves.toBeDefined();
    world.now += 1;
    await expect(transactions.byId(id)).rejects.toThrow(refusal("transaction_unknown"));
  });

  test("also in a storage that forgets to let it expire", async () => {
    const { world, state } = await begun();
    await expect(world.process({ clock: 661 }).transactions.byState(state)).rejects.toThrow(
      refusal("transaction_unknown"),
    );
  });

  test.each([-60, 60])("and not earlier for a process whose clock is %i s off", async (clock) => {
    const { world, state } = await begun();
    world.now += 599;
    await expect(world.process({ clock }).transactions.byState(state)).resolves.toBeDefined();
  });
});

describe("keys", () => {
  const [old, fresh]: readonly [Keys, Keys] = [
    [Buffer.from("a key for transactions, number one..")],
    [Buffer.from("a key for transactions, number two..")],
  ];
  const storage = new MemoryTokenStorage();
  const runtime = new DomainWorld().process().runtime;
  const under = (keys: Keys) =>
    new Transactions({
      collection: new Collection({ storage, prefix: "transaction", ring: undefined }),
      finished: new Collection({ storage, prefix: "finished", ring: undefined }),
      keys,
      runtime,
      transactionTtl: 600,
    });

  test("may be rotated while a page is open: the form still finds its transaction", async () => {
    const { id, state, transaction } = await under(old).begin(asked, false);
    expect(await under([...fresh, ...old]).byId(id)).toEqual({ id, state, transaction: { ...transaction } });
    await expect(under(fresh).byId(id)).rejects.toThrow(refusal("transaction_unknown"));
  });

  test("are what makes a state: whoever knows the name but not the key does not know it", async () => {
    const { id, state } = await under(old).begin(asked, false);
    await expect(under(fresh).byId(id)).rejects.toThrow(refusal("transaction_unknown"));
    expect(state).not.toContain(id);
  });
});

describe("the way to a provider whose answer is for an account of ours", () => {
  const LINK = { link: "who set out", scope: ["openid"], traceId: "trace" };

  async function linking() {
    const world = new DomainWorld();
    const { transactions } = world.process();
    return { world, transactions, ...(await transactions.beginLink(LINK)) };
  }

  test("keeps who set out, under its state, for as long as a transaction", async () => {
    const { world, transactions, state, transaction } = await linking();
    expect(await transactions.byState(state)).toEqual(transaction);
    expect(transaction).toMatchObject(LINK);
    expect(isLink(transaction)).toBe(true);
    expect(isLink((await transactions.begin(asked, false)).transaction)).toBe(false);
    expect(transaction.nonce).toMatch(/^[A-Za-z0-9_-]{43}$/);
    world.now += 661;
    await expect(transactions.byState(state)).rejects.toThrow(refusal("transaction_unknown"));
  });

  test("RFC 9700 §4.7: no form of a consent can name it, so that nobody approves it as something else", async () => {
    const { transactions, id } = await linking();
    await expect(transactions.byId(id)).rejects.toThrow(refusal("transaction_unknown"));
  });

  test("RFC 7636 §4: the challenge is of a verifier of its own, which goes nowhere", async () => {
    const { transactions, transaction, state, id } = await linking();
    expect(transactions.challengeOf(transaction)).toBe(s256(transaction.codeVerifier));
    expect([state, id, transaction.nonce]).not.toContain(transaction.codeVerifier);
    const other = await transactions.beginLink(LINK);
    expect(other.transaction.codeVerifier).not.toBe(transaction.codeVerifier);
    expect(other.transaction.nonce).not.toBe(transaction.nonce);
  });

  test("is finished once, by one of 32", async () => {
    const { transactions, state, world } = await linking();
    world.storage.treatment = shuffled(randomFrom(7));
    const finished = await Promise.allSettled(Array.from({ length: 32 }, () => transactions.finish(state)));
    expect(finished.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});
