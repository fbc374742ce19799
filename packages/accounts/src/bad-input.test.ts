/** Whatever is posted to a page is answered with a page of ours and 4xx: nothing is stored, nothing is done, and nothing of it gets into an event. */
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { callsOf, RawBrowser, remoteWorld, type Sending } from "../test/raw-browser.ts";
import { PASSWORD } from "../test/world.ts";

vi.mock("./argon2id.ts", () => import("../test/counted-argon2.ts"));

const FORM = "application/x-www-form-urlencoded";
/** In everything that is made up, so that it would be seen wherever it came out again. */
const CANARY = "zq7Canary";
const MEGABYTE = 1024 * 1024;

/** A page with a form, and what would be right to type. */
interface Place {
  readonly path: string;
  readonly right: Readonly<Record<string, string>>;
}

/** Somebody who is signed in, and has a link for a new password and one for a new account open as well. */
async function ready() {
  const on = remoteWorld({ accounts: { signUp: true } });
  const alice = await on.accounts.createUser({ username: "alice", email: "alice@example.com", password: PASSWORD });
  const browser = new RawBrowser(on);
  await browser.signIn("alice");
  const followed = async (path: string, typed: Readonly<Record<string, string>>) => {
    await browser.post(path, { ...(await browser.get(path)).fields, ...typed });
    await on.accounts.settled();
    await browser.get(on.mails.at(-1)?.url ?? "");
    return (await browser.get(`${path}/finish`)).fields;
  };
  const sealed = (await browser.get(`${await browser.toSignIn()}&again=1`)).fields;
  const account = (await browser.get("/oauth/account")).fields;
  const passwords = { new_password: "a long enough password", repeat_password: "a long enough password" };
  const places: readonly Place[] = [
    { path: "/oauth/sign-in", right: { ...sealed, login: "alice", password: PASSWORD } },
    { path: "/oauth/account", right: { ...account, action: "change_name", name: "Alice" } },
    { path: "/oauth/account", right: { ...account, action: "change_password", password: PASSWORD, ...passwords } },
    { path: "/oauth/account", right: { ...account, action: "end_session", id: "A".repeat(44) } },
    { path: "/oauth/account", right: { ...account, action: "end_application", id: "A".repeat(44) } },
    { path: "/oauth/account", right: { ...account, action: "unlink", id: "A".repeat(43) } },
    { path: "/oauth/sign-out", right: { csrf_token: account.csrf_token ?? "" } },
    { path: "/oauth/sign-up", right: { ...(await browser.get("/oauth/sign-up")).fields, email: "bob@example.com" } },
    {
      path: "/oauth/sign-up/finish",
      right: { ...(await followed("/oauth/sign-up", { email: "carol@example.com" })), name: "Carol", ...passwords },
    },
    {
      path: "/oauth/reset-password",
      right: { ...(await browser.get("/oauth/reset-password")).fields, login: "alice" },
    },
    {
      path: "/oauth/reset-password/finish",
      right: { ...(await followed("/oauth/reset-password", { login: "alice" })), ...passwords },
    },
  ];
  on.events.length = 0;
  return { on, alice, browser, places };
}

const encoded = (form: Readonly<Record<string, string>>) => new URLSearchParams(form).toString();
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const streamOf = (size: number) => {
  let left = size;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left <= 0) return controller.close();
      left -= 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x61));
    },
  });
};
const form = (body: NonNullable<Sending["body"]>): Sending => ({
  method: "POST",
  body,
  headers: { "content-type": FORM },
});
const multipart = (right: Readonly<Record<string, string>>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(right)) data.set(name, value);
  return data;
};

/** Bodies that are refused as such, whatever form they are for. */
const UNREADABLE: readonly (readonly [string, (right: Readonly<Record<string, string>>) => Sending])[] = [
  ["a megabyte of nothing", () => form("a".repeat(MEGABYTE))],
  ["a megabyte that is not announced", () => form(streamOf(MEGABYTE))],
  ["a field of a megabyte", (right) => form(encoded({ ...right, password: CANARY + "a".repeat(MEGABYTE) }))],
  [
    "a length that is a lie",
    (right) => ({
      ...form(streamOf(MEGABYTE)),
      headers: { "content-type": FORM, "content-length": `${encoded(right).length}` },
    }),
  ],
  [
    "JSON",
    (right) => ({ method: "POST", body: JSON.stringify(right), headers: { "content-type": "application/json" } }),
  ],
  ["JSON that says it is a form", (right) => form(JSON.stringify(right))],
  ["multipart", (right) => ({ method: "POST", body: multipart(right) })],
  ["plain text", (right) => ({ method: "POST", body: encoded(right), headers: { "content-type": "text/plain" } })],
  ["no type", (right) => ({ method: "POST", body: bytes(encoded(right)) })],
  ["nothing", () => form("")],
  [
    "a hundred fields",
    (right) => form(`${encoded(right)}&${Array.from({ length: 100 }, (_, at) => `x${at}=${CANARY}`).join("&")}`),
  ],
  [
    "every field empty",
    (right) =>
      form(
        Object.keys(right)
          .map((name) => `${name}=`)
          .join("&"),
      ),
  ],
  ["percent-encoding that is broken", (right) => form(`${encoded(right)}&x=%zz`)],
  ["percent-encoding that is cut", (right) => form(`${encoded(right)}&x=%4`)],
  ["bytes that are no UTF-8", (right) => form(bytes(`${encoded(right)}&x=\xff\xfe`))],
  ["percent-encoded bytes that are no UTF-8", (right) => form(`${encoded(right)}&x=%ff%fe`)],
  ["an overlong encoding", (right) => form(`${encoded(right)}&x=%c0%80`)],
  ["a lone surrogate", (right) => form(`${encoded(right)}&x=%ed%a0%80`)],
  ["a NUL", (right) => form(`${encoded(right)}&x=%00${CANARY}`)],
  ["a NUL in a name", (right) => form(`${encoded(right)}&%00=${CANARY}`)],
  ["the token twice", (right) => form(`${encoded(right)}&csrf_token=${right.csrf_token}`)],
  ["the token in the address alone", (right) => form(encoded({ ...right, csrf_token: "" }))],
];

/** Those that only say anything where the field is one of the form. */
const REPEATED = ["login", "password", "request", "new_password", "repeat_password", "name", "email", "action", "id"];

describe.each(UNREADABLE)("%s", (_, sending) => {
  test("is refused on every page with 4xx, and nothing happens", async () => {
    const { on, browser, places } = await ready();
    for (const { path, right } of places) {
      let comesBack = false;
      const calls = await callsOf(on.storage, async () => {
        const answer = await browser.send(path, sending(right));
        comesBack = answer.fields.csrf_token !== undefined;
        expect([path, right.action, answer.status]).toEqual([path, right.action, expect.any(Number)]);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
        expect(answer.text).not.toContain(CANARY);
        // Only a page that comes back has one: its browser's name.
        expect(answer.setCookies.map(({ name }) => name)).toEqual(comesBack ? ["__Host-sallyport-browser"] : []);
      });
      // The page of the account lists what it shows.
      const reads = comesBack ? /^(?:get|list) / : /^get /;
      expect([path, calls.filter((call) => !reads.test(call))]).toEqual([path, []]);
    }
    expect(on.events.every(({ type }) => type === "request.refused")).toBe(true);
    const told = inspect(on.events, { depth: 10, maxStringLength: null });
    for (const secret of [CANARY, PASSWORD, "correct", "long+enough"]) expect(told).not.toContain(secret);
    expect(await browser.isSignedIn()).toBe(true);
  });
});

test("RFC 6749 §3.1: a field that is given twice is refused, whichever it is, and the same twice as well", async () => {
  const { on, browser, places } = await ready();
  for (const { path, right } of places)
    for (const name of REPEATED.filter((each) => each in right))
      for (const second of [CANARY, right[name] ?? ""]) {
        const calls = await callsOf(on.storage, async () => {
          const { status } = await browser.send(path, form(`${encoded(right)}&${name}=${encodeURIComponent(second)}`));
          expect([path, name, status]).toEqual([path, name, 400]);
        });
        expect(calls.filter((call) => !call.startsWith("get "))).toEqual([]);
      }
});

test("the control: the same forms as they are do what they are for", async () => {
  const { length } = (await ready()).places;
  expect(length).toBe(11);
  for (let at = 0; at < length; at += 1) {
    const { browser, places } = await ready();
    const place = places[at];
    const answer = await browser.post(place?.path ?? "", place?.right ?? {});
    expect([place?.path, answer.status]).toEqual([place?.path, expect.toBeOneOf([200, 303])]);
  }
});

/** Fields that are well-formed, and that nobody should be named by. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["a space", " "],
  ["controls", `${CANARY}\u0001\u0007\u001b[2J\r\nSet-Cookie: x=y`],
  ["C1 controls", `${CANARY}\u0085\u009b31m`],
  ["marks that turn the direction", `\u202e${CANARY}\u2066\u200f`],
  ["noncharacters", `\ufffe\uffff\u{10ffff}${CANARY}`],
  ["a tower of marks", `${CANARY}${"\u0300".repeat(5000)}`],
  ["the longest that a body can have", "a".repeat(60_000)],
  ["letters that become many", "\ufdfa".repeat(6000)],
  ["markup", `"><script>alert('${CANARY}')</script><img src=x onerror=alert(1)>`],
  ["a template", "{{7*7}}<%= 7*7 %>#{7*7}"],
  ["a name of an object's own", "__proto__"],
  ["a path", "../../../etc/passwd"],
  ["SQL", "' OR '1'='1' --"],
];

describe.each(TEXTS)("in a field: %s", (_, text) => {
  test("is answered on every page below 500, escaped; where it is refused, only the attempt is kept", async () => {
    let { on, browser, places } = await ready();
    for (const at of places.keys())
      for (const name of Object.keys(places[at]?.right ?? {}).filter((each) => each !== "csrf_token")) {
        const { path = "", right = {} } = places[at] ?? {};
        const where = [path, right.action, name];
        let status = 0;
        const calls = await callsOf(on.storage, async () => {
          const answer = await browser.post(path, { ...right, [name]: text });
          ({ status } = answer);
          expect([...where, status < 500]).toEqual([...where, true]);
          expect(answer.text).not.toMatch(/<script|<img/i);
          const headers = [...answer.headers].flat().join("\n");
          expect([...where, headers.includes(CANARY), headers.includes("x=y")]).toEqual([...where, false, false]);
        });
        const kept = calls.filter((call) => !/^(get|list) |at-accounts-attempts:/.test(call));
        if (status >= 400) expect([...where, kept]).toEqual([...where, []]);
        const events = inspect(on.events, { depth: 10, maxStringLength: null });
        expect(events).not.toContain(CANARY);
        expect(on.events.filter(({ type }) => type === "error")).toEqual([]);
        // What one of them has done must not be in the way of the next.
        if (status < 400) ({ on, browser, places } = await ready());
      }
  });
});

test("any bytes at all, with the right token among them or not, are answered below 500", {
  timeout: 120_000,
}, async () => {
  const { on, browser, places } = await ready();
  const paths = fc.constantFrom(...places);
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }).map(encodeURIComponentLeniently),
    fc.string({ unit: "binary-ascii", maxLength: 30 }),
    fc.constantFrom(
      "%",
      "%f",
      "%00",
      "=",
      "&",
      "&&",
      "+",
      ";",
      "csrf_token=",
      "login=x",
      "request=s1.",
      "action=link",
      "provider=x",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      paths,
      fc.boolean(),
      fc.array(piece, { maxLength: 8 }),
      async ({ path, right }, withToken, pieces) => {
        const body = `${withToken ? `csrf_token=${right.csrf_token}&` : ""}${pieces.join("&")}`;
        const answer = await browser.send(path, form(body));
        expect(answer.status).toBeLessThan(500);
        expect(answer.headers.get("cache-control")).toBe("no-store");
      },
    ),
    { numRuns: 300 },
  );
  expect(on.events.filter(({ type }) => type === "error")).toEqual([]);
});

test("cookies of any bytes are answered below 500, and are nobody's", async () => {
  const { on, places } = await ready();
  const texts = [
    "",
    "\u00ff",
    "a".repeat(60_000),
    `sp_bs_${"A".repeat(22)}.${"A".repeat(43)}`,
    "s1.x",
    "~~~",
    "%00",
    '"',
    "=;=;=",
  ];
  for (const word of ["browser", "session", "known", "notice", "reset-password", "sign-up"])
    for (const text of texts)
      for (const path of new Set(places.map((place) => place.path).filter((each) => each !== "/oauth/sign-out"))) {
        const browser = new RawBrowser(on);
        browser.cookies.set(`__Host-sallyport-${word}`, text);
        const answer = await browser.get(path);
        expect([word, text.slice(0, 20), path, answer.status < 500]).toEqual([word, text.slice(0, 20), path, true]);
        expect((await browser.post(path, { csrf_token: text })).status).toBeLessThan(500);
      }
  expect(on.events.filter(({ type }) => type === "error")).toEqual([]);
});

/** Lone surrogates can't be encoded; they go in as they are. */
function encodeURIComponentLeniently(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}

describe("a password", () => {
  const secret = "zq7Secret with words of its own";
  /** Where a person's text is shown to them again. */
  const ECHO = /value="zq7Secret[^"]*"|>zq7Secret[^<]*</g;

  test.each([...Array(11).keys()])(
    "is in no page, event, key or record, whoever typed it, wherever (form %i)",
    async (at) => {
      const { on, browser, places } = await ready();
      const { path = "", right = {} } = places[at] ?? {};
      const passwords = Object.keys(right).filter((name) => name.includes("password"));
      const typed = Object.fromEntries(
        Object.entries(right).map(([name, value]) => [name, passwords.includes(name) ? secret : value]),
      );
      const answers = [
        await browser.post(path, { ...typed, repeat_password: "another" }),
        await browser.post(path, typed),
      ];
      for (const { text } of answers) expect(text).not.toContain("zq7Secret");
      // And where it was typed into a field that is shown again, it is shown there alone.
      const shown = Object.keys(right).filter((name) => ["login", "email", "name"].includes(name));
      for (const name of shown) answers.push(await browser.post(path, { ...right, [name]: secret }));
      for (const { text, location, headers } of answers) {
        expect(text.replaceAll(ECHO, "")).not.toContain("zq7Secret");
        expect(decodeURIComponent(`${location?.href ?? ""}${[...headers].join()}`)).not.toContain("zq7Secret");
      }
      await on.accounts.settled();
      for (const told of [on.events, on.mails])
        expect(inspect(told, { depth: 10, maxStringLength: null })).not.toContain("zq7Secret");
      const stored = `${JSON.stringify([...(await on.storage.dump())])}${on.storage.calls.join("\n")}`;
      for (const form of ["zq7Secret", Buffer.from("zq7Secret").toString("base64").slice(0, -2), PASSWORD])
        expect(stored).not.toContain(form);
    },
  );

  test("is written to no console", async () => {
    const printed = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
      vi.spyOn(console, method).mockReturnValue(),
    );
    const { browser, places } = await ready();
    for (const { path, right } of places) await browser.post(path, right);
    const lines = printed.flatMap((spy) => spy.mock.calls);
    for (const spy of printed) spy.mockRestore();
    expect(lines).toEqual([]);
  });
});
