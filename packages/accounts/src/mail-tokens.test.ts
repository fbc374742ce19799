import { describe, expect, test } from "vitest";
import { HOSTILE, jar, keysOf, Records } from "../test/records.ts";
import {
  isCurrent,
  type MailPurpose,
  type MailTokenRecord,
  MailTokens,
  type PasswordReset,
  type SignUp,
} from "./mail-tokens.ts";

const ALICE = {
  id: "alice",
  email: "alice@example.com",
  epoch: 2,
  passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
  disabled: false,
};
const SIGN_UP: SignUp = { purpose: "sign_up", email: "new@example.com", request: "s1.sealed" };
const RESET = { purpose: "reset_password", user: ALICE, request: "s1.sealed" } as const;

function arranged() {
  const records = new Records();
  const tokens = (collection = records.collection<MailTokenRecord>("accounts-mail"), secure = true) =>
    new MailTokens({ collection, runtime: records.runtime, secure, ttl: { reset_password: 1800, sign_up: 3600 } });
  return { records, tokens };
}

async function reset(tokens: MailTokens): Promise<PasswordReset> {
  const order = await tokens.find(await tokens.issue(RESET), "reset_password");
  if (order === undefined) throw new Error("there is no such token");
  return order;
}

describe("a token", () => {
  test("stands for what it was issued for, in any instance on the storage, as often as it is looked at", async () => {
    const { tokens } = arranged();
    const token = await tokens().issue(SIGN_UP);
    expect(token).toMatch(/^sp_mt_[A-Za-z0-9_-]{43}$/);
    for (let look = 0; look < 3; look++) expect(await tokens().find(token, "sign_up")).toEqual(SIGN_UP);
    expect(await tokens().find(await tokens().issue(RESET), "reset_password")).toEqual({
      purpose: "reset_password",
      userId: "alice",
      email: "alice@example.com",
      epoch: 2,
      passwordPrint: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      request: "s1.sealed",
    });
  });

  test("is good for one use", async () => {
    const { tokens } = arranged();
    const token = await tokens().issue(SIGN_UP);
    expect(await tokens().spend(token, "sign_up")).toEqual(SIGN_UP);
    expect(await tokens().spend(token, "sign_up")).toBeUndefined();
    expect(await tokens().find(token, "sign_up")).toBeUndefined();
  });

  test.each(["sealed", "unsealed"])("is spent by exactly one of 32 who use it at once, %s", async (kind) => {
    const { records, tokens } = arranged();
    records.shuffled = true;
    const collection = () =>
      kind === "sealed"
        ? records.collection<MailTokenRecord>("accounts-mail")
        : records.unsealed<MailTokenRecord>("accounts-mail");
    for (let round = 0; round < 10; round++) {
      const token = await tokens(collection()).issue(SIGN_UP);
      const spent = await Promise.all(Array.from({ length: 32 }, () => tokens(collection()).spend(token, "sign_up")));
      expect(spent.filter((order) => order !== undefined)).toEqual([SIGN_UP]);
    }
  });

  test("is not good for another purpose, and is not spent by the attempt", async () => {
    const { tokens } = arranged();
    const [signUp, resetting] = [await tokens().issue(SIGN_UP), await tokens().issue(RESET)];
    for (const [token, wrong, right] of [
      [signUp, "reset_password", "sign_up"],
      [resetting, "sign_up", "reset_password"],
    ] as const) {
      expect(await tokens().find(token, wrong)).toBeUndefined();
      expect(await tokens().spend(token, wrong)).toBeUndefined();
      expect(await tokens().spend(token, right)).toBeDefined();
    }
  });

  test.each([
    ["reset_password", 1800],
    ["sign_up", 3600],
  ] as const)("for %s ends after %i seconds", async (purpose, ttl) => {
    const { records, tokens } = arranged();
    const token = await tokens().issue(purpose === "sign_up" ? SIGN_UP : RESET);
    records.now += ttl - 1;
    expect(await tokens().find(token, purpose)).toBeDefined();
    records.now += 1;
    expect(await tokens().find(token, purpose)).toBeUndefined();
    expect(await tokens().spend(token, purpose)).toBeUndefined();
    expect(await records.names()).toEqual([]);
  });

  test("ends where the storage forgets to let go of it", async () => {
    const { records, tokens } = arranged();
    const token = await tokens().issue(RESET);
    const [name = ""] = await records.names();
    await records.memory.save(name, await records.memory.get(name));
    records.now += 1800;
    expect(await tokens().find(token, "reset_password")).toBeUndefined();
    expect(await tokens().spend(token, "reset_password")).toBeUndefined();
  });

  test("that was spent in its last second stays spent for as long as it could be found", async () => {
    const { records, tokens } = arranged();
    const token = await tokens().issue(RESET);
    records.now += 1799;
    expect(await tokens().spend(token, "reset_password")).toBeDefined();
    for (const passed of [0, 1, 1]) {
      records.now += passed;
      expect(await tokens().spend(token, "reset_password")).toBeUndefined();
    }
  });

  test("can't be made of all that the storage holds, nor can what it stands for be read there", async () => {
    const { records, tokens } = arranged();
    const issued = [await tokens().issue(SIGN_UP), await tokens().issue(RESET)];
    const dump = await records.dump();
    const secrets = [
      ...issued.map((token) => token.slice("sp_mt_".length)),
      "example.com",
      "alice",
      "argon2id",
      "s1.sealed",
    ];
    for (const secret of secrets) expect(dump).not.toContain(secret);
  });

  test("opens while its key is still in the ring, and not after", async () => {
    const { records, tokens } = arranged();
    const sealedBy = (first: string, ...rest: readonly string[]) =>
      tokens(records.collection<MailTokenRecord>("accounts-mail", keysOf(first, ...rest)));
    const token = await sealedBy("old").issue(SIGN_UP);
    expect(await sealedBy("new").find(token, "sign_up")).toBeUndefined();
    expect(await sealedBy("new", "old").find(token, "sign_up")).toEqual(SIGN_UP);
    expect(await sealedBy("new", "old").spend(token, "sign_up")).toEqual(SIGN_UP);
    expect(await sealedBy("old", "new").spend(token, "sign_up")).toBeUndefined();
  });

  test("needs no storage that can list", async () => {
    const { records, tokens } = arranged();
    const collection = records.collection<MailTokenRecord>("accounts-mail", keysOf("seal"), { list: false });
    const token = await tokens(collection).issue(SIGN_UP);
    expect(await tokens(collection).spend(token, "sign_up")).toEqual(SIGN_UP);
  });

  test("that is hostile, changed, cut or lengthened is none", async () => {
    const { records, tokens } = arranged();
    const token = await tokens().issue(SIGN_UP);
    const changed = [token.slice(0, -1), token.slice(1), `${token}A`, `${token}\n`, `\0${token}`, token.toUpperCase()];
    const others = [...HOSTILE, ...changed].filter((text) => !/^sp_mt_.{43}$/.test(text));
    records.calls.length = 0;
    for (const text of others) {
      expect(await tokens().find(text, "sign_up")).toBeUndefined();
      expect(await tokens().spend(text, "sign_up")).toBeUndefined();
    }
    expect(records.calls).toEqual([]);
    expect(await tokens().spend(`sp_mt_${"A".repeat(43)}`, "sign_up")).toBeUndefined();
    expect(await tokens().spend(token, "sign_up")).toEqual(SIGN_UP);
  });

  test.each([
    ["fails", true],
    ["fails after the deed", true],
    ["is gone", false],
    ["is gone after the deed", false],
  ] as const)("is paid at most once where the storage %s", async (fault, once) => {
    for (let nth = 1; ; nth++) {
      const { records, tokens } = arranged();
      const token = await tokens().issue(SIGN_UP);
      records.breakAt(nth, fault);
      const first = await tokens()
        .spend(token, "sign_up")
        .catch(() => undefined);
      if (!records.recover()) break;
      const second = await tokens().spend(token, "sign_up");
      expect([first, second].filter((order) => order !== undefined).length).toBeLessThanOrEqual(1);
      // Only a process that never hears of its own deed leaves a token that nobody was paid for.
      if (once) expect(first ?? second).toEqual(SIGN_UP);
    }
  });

  test("is not absent where the storage can't be reached", async () => {
    const { records, tokens } = arranged();
    const token = await tokens().issue(SIGN_UP);
    records.breakAt(1, "is gone");
    await expect(tokens().find(token, "sign_up")).rejects.toThrow("can not be reached");
    await expect(tokens().spend(token, "sign_up")).rejects.toThrow("can not be reached");
  });
});

describe("a reset", () => {
  test("is current for the account as it was when the mail was sent", async () => {
    const { tokens } = arranged();
    expect(isCurrent(await reset(tokens()), ALICE)).toBe(true);
  });

  test.each([
    ["was given another password", { passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$b3RoZXJzYWx0$aGFzaA" }],
    ["has no password any more", { passwordHash: undefined }],
    ["was signed out everywhere", { epoch: 3 }],
    ["has another address", { email: "alice@elsewhere.example" }],
    ["has no address any more", { email: undefined }],
    ["was disabled", { disabled: true }],
    ["is somebody else's", { id: "bob" }],
  ])("is not for an account that %s", async (_, change) => {
    const { tokens } = arranged();
    expect(isCurrent(await reset(tokens()), { ...ALICE, ...change })).toBe(false);
  });

  test("is not for an account that is gone", async () => {
    const { tokens } = arranged();
    expect(isCurrent(await reset(tokens()), undefined)).toBe(false);
  });

  test("sets a first password where there was none", async () => {
    const { tokens } = arranged();
    const { passwordHash: _, ...without } = ALICE;
    const token = await tokens().issue({ purpose: "reset_password", user: without });
    const order = await tokens().find(token, "reset_password");
    expect(order !== undefined && isCurrent(order, without)).toBe(true);
    expect(order !== undefined && isCurrent(order, ALICE)).toBe(false);
  });

  test("carries a print and not the hash", async () => {
    const { tokens } = arranged();
    expect(JSON.stringify(await reset(tokens()))).not.toContain("argon2id");
  });
});

describe("the cookie that carries a token", () => {
  test.each([
    ["reset_password", "__Host-sallyport-reset-password", 1800],
    ["sign_up", "__Host-sallyport-sign-up", 3600],
  ] as const)("for %s has a name of its own, and lives as long as the token may", async (purpose, name, maxAge) => {
    const { tokens } = arranged();
    const token = await tokens().issue(purpose === "sign_up" ? SIGN_UP : RESET);
    const cookie = tokens().cookie(token, purpose);
    expect(cookie).toEqual({ name, value: token, maxAge });
    expect(tokens().carried(jar(cookie), purpose)).toBe(token);
    const other: MailPurpose = purpose === "sign_up" ? "reset_password" : "sign_up";
    expect(tokens().carried(jar(cookie), other)).toBeUndefined();
  });

  test("is emptied where there is no token", () => {
    const { tokens } = arranged();
    const emptied = { name: "__Host-sallyport-sign-up", value: "", maxAge: 0 };
    for (const text of [undefined, ...HOSTILE.filter((text) => !/^sp_mt_A{43}$/.test(text)), "a=b; Domain=example.com"])
      expect(tokens().cookie(text, "sign_up")).toEqual(emptied);
  });

  test("carries nothing else, and over https counts under its prefix alone", async () => {
    const { tokens } = arranged();
    for (const value of HOSTILE.filter((text) => !/^sp_mt_A{43}$/.test(text)))
      expect(tokens().carried(jar({ name: "__Host-sallyport-sign-up", value }), "sign_up")).toBeUndefined();
    expect(tokens().carried(jar(), "sign_up")).toBeUndefined();
    const plain = tokens(undefined, false);
    const cookie = plain.cookie(await plain.issue(SIGN_UP), "sign_up");
    expect(cookie.name).toBe("sallyport-sign-up");
    expect(plain.carried(jar(cookie), "sign_up")).toBeDefined();
    expect(tokens().carried(jar(cookie), "sign_up")).toBeUndefined();
  });
});
