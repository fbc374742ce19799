import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DomainWorld } from "../../test/domain-process.ts";
import { type Approval, type BindingCookie, BrowserBinding, type BrowserBindingOptions } from "./browser-binding.ts";

const ID = "a".repeat(43);
const STATE = "s".repeat(43);
const DAY = 86_400;

function bound(change: Partial<BrowserBindingOptions> = {}) {
  const world = new DomainWorld();
  const binding = new BrowserBinding({
    keys: [Buffer.from("a key for consent cookies, and no other")],
    runtime: world.process().runtime,
    secure: true,
    transactionTtl: 600,
    rememberConsent: 30 * DAY,
    ...change,
  });
  return { world, binding };
}

/** What a browser sends that was given these. */
const jar = (...cookies: (BindingCookie | undefined)[]): ReadonlyMap<string, string> =>
  new Map(cookies.flatMap((cookie) => (cookie === undefined ? [] : [[cookie.name, cookie.value] as const])));

describe("RFC 6265bis §4.1.3.2: cookie names", () => {
  const approval: Approval = {
    clientId: "c",
    redirectUri: "https://a.example/",
    scope: [],
    resources: [],
    provider: "upstream",
  };
  const namesOf = (binding: BrowserBinding) =>
    [binding.page(ID).cookie, binding.approval(STATE), binding.remember(jar(), approval)].map((cookie) => cookie?.name);

  test("begin with __Host- where pages come over https, so that no sibling domain can plant one", () => {
    for (const name of namesOf(bound().binding)) expect(name).toMatch(/^__Host-sallyport-/);
  });

  test("do not where a browser would refuse it, on plain-http loopback", () => {
    for (const name of namesOf(bound({ secure: false }).binding)) expect(name).toMatch(/^sallyport-/);
  });

  test("say nothing of the transaction", () => {
    for (const name of namesOf(bound().binding)) {
      expect(name).not.toContain(ID.slice(0, 8));
      expect(name).not.toContain(STATE.slice(0, 8));
    }
  });
});

describe("the form of a page", () => {
  test("is proven by the token in it together with the cookie beside it", () => {
    const { binding } = bound();
    const { csrfToken, cookie } = binding.page(ID);
    expect(cookie.maxAge).toBe(600);
    expect(binding.provesPage(jar(cookie), ID, csrfToken)).toBe(true);
  });

  test("RFC 6749 §10.12: is not proven by either alone, by another rendering's, or for another transaction", () => {
    const { binding } = bound();
    const { csrfToken, cookie } = binding.page(ID);
    const other = binding.page(ID);
    const elsewhere = binding.page("b".repeat(43));
    expect(binding.provesPage(jar(), ID, csrfToken)).toBe(false);
    expect(binding.provesPage(jar(cookie), ID, undefined)).toBe(false);
    expect(binding.provesPage(jar(cookie), ID, "")).toBe(false);
    expect(binding.provesPage(jar(cookie), ID, other.csrfToken)).toBe(false);
    expect(binding.provesPage(jar(other.cookie), ID, csrfToken)).toBe(false);
    expect(binding.provesPage(jar(cookie), "b".repeat(43), csrfToken)).toBe(false);
    expect(binding.provesPage(jar({ ...elsewhere.cookie, name: cookie.name }), ID, elsewhere.csrfToken)).toBe(false);
  });

  test("two tabs of two transactions do not disturb each other", () => {
    const { binding } = bound();
    const [one, two] = [binding.page(ID), binding.page("b".repeat(43))];
    const cookies = jar(one.cookie, two.cookie);
    expect(binding.provesPage(cookies, ID, one.csrfToken)).toBe(true);
    expect(binding.provesPage(cookies, "b".repeat(43), two.csrfToken)).toBe(true);
  });

  test("under another server's key is not ours", () => {
    const { csrfToken, cookie } = bound().binding.page(ID);
    const other = bound({ keys: [Buffer.from("the key of another server altogether!")] }).binding;
    expect(other.provesPage(jar(cookie), ID, csrfToken)).toBe(false);
  });

  test("outlives a rotation of the key", () => {
    const [old, fresh] = [
      Buffer.from("the old key for consent cookies......"),
      Buffer.from("the new key ... consent cookies......"),
    ];
    const { csrfToken, cookie } = bound({ keys: [old] }).binding.page(ID);
    expect(bound({ keys: [fresh, old] }).binding.provesPage(jar(cookie), ID, csrfToken)).toBe(true);
  });
});

describe("CVE-2026-27124: the callback is bound to the browser in which the person approved", () => {
  test("which has the cookie of just this transaction", () => {
    const { binding } = bound();
    const cookie = binding.approval(STATE);
    expect(cookie.maxAge).toBe(600);
    expect(binding.provesApproval(jar(cookie), STATE)).toBe(true);
    expect(binding.provesApproval(jar(), STATE)).toBe(false);
    expect(binding.provesApproval(jar(cookie), "t".repeat(43))).toBe(false);
  });

  test("and no cookie of a page, of another transaction or of a remembered consent stands in for it", () => {
    const { binding } = bound();
    const { name } = binding.approval(STATE);
    const remembered = binding.remember(jar(), {
      clientId: STATE,
      redirectUri: STATE,
      scope: [],
      resources: [],
      provider: "upstream",
    });
    const values = [binding.page(STATE).cookie, binding.approval("t".repeat(43)), remembered].map(
      (each) => each?.value,
    );
    for (const value of [...values, "", STATE]) {
      expect(binding.provesApproval(jar({ name, value: value ?? "", maxAge: 1 }), STATE)).toBe(false);
    }
  });

  test("and a cookie of the approval opens no page", () => {
    const { binding } = bound();
    const { csrfToken, cookie } = binding.page(ID);
    expect(binding.provesPage(jar({ ...binding.approval(ID), name: cookie.name }), ID, csrfToken)).toBe(false);
  });
});

describe("cookies go away", () => {
  test("those of a transaction when it is over", () => {
    const { binding } = bound();
    const names = [binding.page(ID).cookie.name, binding.approval(STATE).name];
    expect(binding.forget(ID, STATE)).toEqual(
      expect.arrayContaining(names.map((name) => ({ name, value: "", maxAge: 0 }))),
    );
    expect(binding.forget(undefined, STATE)).toHaveLength(1);
  });

  test("the oldest when too many pages are open, so that the Cookie header stays small", () => {
    const { binding } = bound();
    let cookies = new Map([["theirs", "x"]]);
    for (let count = 0; count < 100; count++) {
      const { cookie } = binding.page(String(count).padStart(43, "0"));
      for (const { name } of binding.surplus(cookies)) cookies.delete(name);
      cookies = new Map([...cookies, [cookie.name, cookie.value]]);
    }
    expect(cookies.size).toBeLessThanOrEqual(21);
    expect(cookies.get("theirs")).toBe("x");
    expect(cookies.has(binding.page("99".padStart(43, "0")).cookie.name)).toBe(true);
    expect(cookies.has(binding.page("0".repeat(43)).cookie.name)).toBe(false);
  });
});

describe("GHSA-6x8h-498w-gv8c: a remembered approval", () => {
  const approval: Approval = {
    clientId: "the client",
    redirectUri: "https://claude.ai/api/mcp/auth_callback",
    scope: ["read", "mcp:tools"],
    resources: ["https://mcp.example.com/mcp"],
    provider: "upstream",
  };

  test("stands for the same again, in whatever order the words are", () => {
    const { binding } = bound();
    const cookies = jar(binding.remember(jar(), approval));
    expect(binding.remembers(cookies, approval)).toBe(true);
    expect(binding.remembers(cookies, { ...approval, scope: ["mcp:tools", "read"] })).toBe(true);
  });

  test.each([
    ["another client", { clientId: "another" }],
    ["another redirect URI", { redirectUri: "https://claude.com/api/mcp/auth_callback" }],
    ["more scopes", { scope: ["read", "mcp:tools", "mcp:admin"] }],
    ["fewer scopes", { scope: ["read"] }],
    ["one scope of two words run together", { scope: ["read mcp:tools"] }],
    ["another resource", { resources: ["https://mcp.example.com/other"] }],
    ["another provider", { provider: "google" }],
    ["a choice that nobody was asked to consent to", { unasked: true as const }],
  ])("stands for nothing else: %s", (_, change) => {
    const { binding } = bound();
    expect(binding.remembers(jar(binding.remember(jar(), approval)), { ...approval, ...change })).toBe(false);
  });

  test("is off by default: nothing is remembered, and what another setting remembered does not count", () => {
    const { binding } = bound();
    const off = bound({ rememberConsent: 0 }).binding;
    expect(off.remember(jar(), approval)).toBeUndefined();
    expect(off.remembers(jar(binding.remember(jar(), approval)), approval)).toBe(false);
  });

  test("ends after its time, also in a browser that keeps the cookie", () => {
    const { world, binding } = bound({ rememberConsent: 100 });
    const cookie = binding.remember(jar(), approval);
    expect(cookie?.maxAge).toBe(100);
    world.now += 99;
    expect(binding.remembers(jar(cookie), approval)).toBe(true);
    world.now += 1;
    expect(binding.remembers(jar(cookie), approval)).toBe(false);
  });

  test("is one of at most 25, in a cookie that a browser takes", () => {
    const { binding } = bound();
    let cookie: BindingCookie | undefined;
    for (let count = 0; count < 40; count++) {
      cookie = binding.remember(jar(cookie), { ...approval, clientId: String(count) });
    }
    const kept = Array.from({ length: 40 }, (_, count) => ({ ...approval, clientId: String(count) })).filter((each) =>
      binding.remembers(jar(cookie), each),
    );
    expect(kept.map(({ clientId }) => clientId)).toEqual(Array.from({ length: 25 }, (_, count) => String(count + 15)));
    expect(`${cookie?.name}=${cookie?.value}`.length).toBeLessThan(4096);
  });

  test("that is given again is not listed twice", () => {
    const { binding } = bound();
    const once = binding.remember(jar(), approval);
    expect(binding.remember(jar(once), approval)?.value).toBe(once?.value);
  });

  test("can't be forged: with any one character changed the whole list is worth nothing", () => {
    const { binding } = bound();
    const cookie = binding.remember(jar(), approval);
    const value = cookie?.value ?? "";
    const characters = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~");
    fc.assert(
      fc.property(fc.nat({ max: value.length - 1 }), characters, (at, character) => {
        fc.pre(value[at] !== character);
        const changed = {
          name: cookie?.name ?? "",
          value: value.slice(0, at) + character + value.slice(at + 1),
          maxAge: 1,
        };
        expect(binding.remembers(jar(changed), approval)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test.each(["", "~", "~~~~", ".", "a.b~c", "x".repeat(100_000), "~".repeat(10_000)])(
    "%#: a cookie of nonsense is no approval, and no harm",
    (value) => {
      const { binding } = bound();
      const name = binding.remember(jar(), approval)?.name ?? "";
      expect(binding.remembers(jar({ name, value, maxAge: 1 }), approval)).toBe(false);
      expect(binding.remember(jar({ name, value, maxAge: 1 }), approval)).toBeDefined();
    },
  );
});
