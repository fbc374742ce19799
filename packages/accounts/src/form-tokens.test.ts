import { describe, expect, test } from "vitest";
import { HOSTILE, jar, keysOf, Records } from "../test/records.ts";
import { FormTokens } from "./form-tokens.ts";

const PASSWORD = { form: "password", sessionId: "S".repeat(44) };
const NOBODY = jar();

function arranged() {
  const records = new Records();
  const forms = (secure: boolean, ...keys: readonly [string, ...string[]]) =>
    new FormTokens({ keys: keysOf(...keys), runtime: records.runtime, secure });
  return { forms, tokens: forms(true, "a") };
}

describe("a form", () => {
  test("is proven by its token together with the browser's cookie, in any instance", () => {
    const { forms, tokens } = arranged();
    const { csrfToken, cookie } = tokens.issue(NOBODY, PASSWORD);
    expect(cookie).toEqual({
      name: "__Host-sallyport-browser",
      value: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      maxAge: 2_592_000,
    });
    expect(forms(true, "a").proves(jar(cookie), PASSWORD, csrfToken)).toBe(true);
  });

  test("is not proven by either alone", () => {
    const { tokens } = arranged();
    const { csrfToken, cookie } = tokens.issue(NOBODY, PASSWORD);
    expect(tokens.proves(NOBODY, PASSWORD, csrfToken)).toBe(false);
    expect(tokens.proves(jar(cookie), PASSWORD, undefined)).toBe(false);
    expect(tokens.proves(jar(cookie), PASSWORD, "")).toBe(false);
    expect(tokens.proves(jar(cookie), PASSWORD, cookie.value)).toBe(false);
  });

  test("is not proven by what somebody was given for their own browser", () => {
    const { tokens } = arranged();
    const [mine, yours] = [tokens.issue(NOBODY, PASSWORD), tokens.issue(NOBODY, PASSWORD)];
    expect(mine.cookie.value).not.toBe(yours.cookie.value);
    expect(tokens.proves(jar(yours.cookie), PASSWORD, mine.csrfToken)).toBe(false);
  });

  test("is not proven by a token for another form", () => {
    const { tokens } = arranged();
    const { csrfToken, cookie } = tokens.issue(NOBODY, PASSWORD);
    expect(tokens.proves(jar(cookie), { ...PASSWORD, form: "sign-out" }, csrfToken)).toBe(false);
  });

  test("OWASP, login CSRF: is not proven by a token from before the sign-in, from after it, or from another session", () => {
    const { tokens } = arranged();
    const before = tokens.issue(NOBODY, { form: "password" });
    const after = tokens.issue(jar(before.cookie), PASSWORD);
    const cookies = jar(after.cookie);
    expect(tokens.proves(cookies, PASSWORD, after.csrfToken)).toBe(true);
    expect(tokens.proves(cookies, PASSWORD, before.csrfToken)).toBe(false);
    expect(tokens.proves(cookies, { form: "password" }, after.csrfToken)).toBe(false);
    expect(tokens.proves(cookies, { ...PASSWORD, sessionId: "T".repeat(44) }, after.csrfToken)).toBe(false);
  });

  test("is not proven where its name and its session run into each other", () => {
    const { tokens } = arranged();
    const { csrfToken, cookie } = tokens.issue(NOBODY, { form: "bc", sessionId: "a" });
    expect(tokens.proves(jar(cookie), { form: "c", sessionId: "ab" }, csrfToken)).toBe(false);
  });

  test("of two tabs of one browser each is proven, and no two renderings have the same token", () => {
    const { tokens } = arranged();
    const one = tokens.issue(NOBODY, PASSWORD);
    const other = tokens.issue(jar(one.cookie), PASSWORD);
    expect(other.cookie.value).toBe(one.cookie.value);
    expect(other.csrfToken).not.toBe(one.csrfToken);
    for (const { csrfToken } of [one, other]) expect(tokens.proves(jar(other.cookie), PASSWORD, csrfToken)).toBe(true);
  });

  test("is proven while its key still verifies, and not after", () => {
    const { forms } = arranged();
    const { csrfToken, cookie } = forms(true, "old").issue(NOBODY, PASSWORD);
    expect(forms(true, "new", "old").proves(jar(cookie), PASSWORD, csrfToken)).toBe(true);
    expect(forms(true, "new").proves(jar(cookie), PASSWORD, csrfToken)).toBe(false);
  });

  test("on plain-http loopback has a cookie that a browser takes; over https that name counts for nothing", () => {
    const { forms, tokens } = arranged();
    const { csrfToken, cookie } = forms(false, "a").issue(NOBODY, PASSWORD);
    expect(cookie.name).toBe("sallyport-browser");
    expect(forms(false, "a").proves(jar(cookie), PASSWORD, csrfToken)).toBe(true);
    expect(tokens.proves(jar(cookie), PASSWORD, csrfToken)).toBe(false);
  });
});

describe("a hostile", () => {
  const others = HOSTILE.filter((text) => !/^[A-Za-z0-9_-]{22}$/.test(text));

  test("cookie is no browser: it proves nothing, and gives way to a new one", () => {
    const { tokens } = arranged();
    for (const value of others) {
      const cookies = jar({ name: "__Host-sallyport-browser", value });
      const { csrfToken, cookie } = tokens.issue(cookies, PASSWORD);
      expect(cookie.value).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(tokens.proves(cookies, PASSWORD, csrfToken)).toBe(false);
    }
  });

  test("token proves nothing, nor does one that was changed, cut or lengthened", () => {
    const { tokens } = arranged();
    const { csrfToken, cookie } = tokens.issue(NOBODY, PASSWORD);
    const changed = [csrfToken.slice(0, -1), csrfToken.slice(1), `${csrfToken}A`, `${csrfToken}\n`, `\0${csrfToken}`];
    const swapped = Array.from(csrfToken, (letter, at) => {
      const other = letter === "A" ? "B" : "A";
      return csrfToken.slice(0, at) + other + csrfToken.slice(at + 1);
    });
    for (const token of [...HOSTILE, ...changed, ...swapped])
      expect(tokens.proves(jar(cookie), PASSWORD, token)).toBe(false);
  });
});
