import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { normalizeDisplayName, normalizeEmail, normalizeUsername, parseLogin } from "./login-name.ts";

/** Printed, so that a run can be had again. */
const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
afterAll(() => console.log(`login-name: FUZZ_SEED=${seed}`));
const RUNS = { seed, numRuns: 2000 };

/** Every character that something here has an opinion about, beside any other. */
const character = fc.oneof(
  fc.constantFrom(..."aZ09.-_+@＠ \t\n'\"\\<>/ßſKÅİıiIςΣаｱﾞＡ５ﬁⅣ€😀אبﷺ٣۳ـ한ᄒ가अ्กé"),
  fc.constantFrom("\0", "\u007f", "\u00ad", "\u034f", "\u200b", "\u200d", "\u200f", "\u202e", "\u2066", "\ufe0f"),
  fc.constantFrom("\u0300", "\u0307", "\u0323", "\u05b0", "\u064b", "\u1160", "\u3164", "\ufeff", "\u{e0041}"),
  fc.constantFrom("\ud800", "\udfff", "\ufffe", "\u0378", "\ue000"),
  fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
);
const text = fc.array(character, { maxLength: 12 }).map((list) => list.join(""));

/** What no form of a name may have in it, whatever went in. */
const UNSEEN = /\u034f|[\p{Cc}\p{Cs}\p{Cn}\p{Co}\p{Zl}\p{Zp}\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u;

describe("normalizeUsername", () => {
  test.each([
    ["Alice", "alice"],
    ["d.e-f_g+1", "d.e-f_g+1"],
    ["İstanbul", "istanbul"],
    ["ISPARTA", "isparta"],
    ["ΟΔΟΣ", "οδος"],
    ["straße", "straße"],
    ["Дмитрий", "дмитрий"],
    ["नमस्ते", "नमस्ते"],
    ["ไทย", "ไทย"],
    ["日本語", "日本語"],
    ["محمد", "محمد"],
    ["محمد۴۵", "محمد۴۵"],
    ["שלום-2", "שלום-2"],
    ["שָׁלוֹם", "שָׁלוֹם".normalize("NFC")],
  ])("RFC 8265 §3.3: %s is the username %s", (typed, username) => {
    expect(normalizeUsername(typed)).toBe(username);
  });

  test("RFC 8265 §3.3.2: composed and decomposed text are one name", () => {
    for (const name of ["José", "Việt", "한글", "ガギグ"]) {
      expect(normalizeUsername(name.normalize("NFD"))).toBe(name.toLowerCase().normalize("NFC"));
      expect(normalizeUsername(name.normalize("NFC"))).toBe(name.toLowerCase().normalize("NFC"));
    }
  });

  test("RFC 8265 §3.3.2: full-width and half-width letters have their usual width", () => {
    expect(normalizeUsername("Ａｌｉｃｅ０１")).toBe("alice01");
    expect(normalizeUsername("ｶﾞｷﾞｸﾞ")).toBe("ガギグ");
  });

  test("the Kelvin and the Ångström sign are the letters that they are equivalent to", () => {
    expect(normalizeUsername("\u212aate")).toBe("kate");
    expect(normalizeUsername("\u212bse")).toBe("\u00e5se");
  });

  test("a dotless i is a letter of its own, and a dot above an i is no second one", () => {
    expect(normalizeUsername("ısparta")).toBe("ısparta");
    expect(normalizeUsername("ivil")).toBe("ivil");
    expect(normalizeUsername("i\u0307vil")).toBe("ivil");
    expect(normalizeUsername("i\u0307\u0307vil")).toBe("ivil");
  });

  test.each([
    ["nothing", ""],
    ["a space", "al ice"],
    ["a space before it", " alice"],
    ["a wide space", "al\u3000ice"],
    ["an @", "al@ice"],
    ["a wide @", "al＠ice"],
    ["a tab", "al\tice"],
    ["a line break", "alice\n"],
    ["NUL", "alice\0"],
    ["DEL", "alice\u007f"],
    ["a lone surrogate", "alice\ud800"],
    ["surrogates in the wrong order", "\udc00\ud800"],
    ["a noncharacter", "alice\ufffe"],
    ["an unassigned character", "alice\u0378"],
    ["a private one", "alice\ue000"],
    ["the replacement character", "alice\ufffd"],
    ["a zero-width space", "al\u200bice"],
    ["a zero-width joiner", "al\u200dice"],
    ["a byte order mark", "\ufeffalice"],
    ["a soft hyphen", "al\u00adice"],
    ["a combining grapheme joiner", "al\u034fice"],
    ["a right-to-left mark", "alice\u200f"],
    ["a right-to-left override", "\u202eecila"],
    ["an isolate", "\u2067alice\u2069"],
    ["a Hangul filler", "\u3164"],
    ["a half-width Hangul filler", "a\uffa0b"],
    ["a tag character", "alice\u{e0041}"],
    ["a variation selector", "alice\ufe0f"],
    ["a blank Braille pattern", "\u2800"],
    ["an emoji", "alice😀"],
    ["a ligature", "ﬁn"],
    ["a Roman numeral", "henryⅣ"],
    ["a mathematical letter", "𝐚lice"],
    ["a long s", "aliſe"],
    ["a titlecase digraph", "ǅon"],
    ["a compatibility Jamo", "ㄱ"],
    ["an Old Hangul Jamo", "\u1113"],
    ["an Arabic tatweel", "محـمد"],
    ["punctuation alone", "..-_"],
    ["a mark before the first letter", "\u0301alice"],
    ["a tower of marks", `z${"\u0335".repeat(5)}`],
    ["Cyrillic among Latin letters", "pаypal"],
    ["Greek among Latin letters", "αlice"],
    ["Cherokee among Latin letters", "ꭰlice"],
    ["left to right, then right to left", "aliceשלום"],
    ["right to left, then left to right", "שלוםalice"],
    ["a digit before right to left", "1שלום"],
    ["punctuation after right to left", "שלום-"],
    ["two kinds of digits", "محمد1٢"],
    ["two kinds of Arabic digits", "محمد۱٢"],
  ])("%s makes no username", (_, typed) => {
    expect(normalizeUsername(typed)).toBeUndefined();
  });

  test("64 characters are a username and 65 are none, composed or not, in the BMP or beyond", () => {
    for (const letter of ["a", "ệ", "각", "ᾂ", "𐓀"]) {
      const longest = letter.repeat(64);
      expect(normalizeUsername(longest)).toBe(longest.toLowerCase());
      expect(normalizeUsername(longest.normalize("NFD"))).toBe(longest.toLowerCase());
      expect(normalizeUsername(`${longest}a`)).toBeUndefined();
    }
  });

  test("a name in normal form is its own normal form, and has nothing in it that no eye sees", () => {
    fc.assert(
      fc.property(text, (typed) => {
        const name = normalizeUsername(typed);
        fc.pre(name !== undefined);
        expect(normalizeUsername(name)).toBe(name);
        expect(name).not.toMatch(UNSEEN);
        expect(name).not.toMatch(/[@\s]/);
        expect([...name].length).toBeLessThanOrEqual(64);
      }),
      RUNS,
    );
  });

  test("canonically equivalent texts are the same name or both none", () => {
    fc.assert(
      fc.property(text, (typed) => {
        fc.pre(typed.isWellFormed());
        expect(normalizeUsername(typed.normalize("NFD"))).toBe(normalizeUsername(typed));
        expect(normalizeUsername(typed.normalize("NFC"))).toBe(normalizeUsername(typed));
      }),
      RUNS,
    );
  });
});

describe("normalizeEmail", () => {
  test.each([
    ["Alice@Example.COM", "alice@example.com"],
    ["alice+mcp@example.com", "alice+mcp@example.com"],
    ["o'hara@example.com", "o'hara@example.com"],
    ["alice＠ｅxample。com", "alice@example.com"],
    ["a@bücher.example", "a@xn--bcher-kva.example"],
    ["a@bu\u0308cher.example", "a@xn--bcher-kva.example"],
    ["jose\u0301@example.com", "josé@example.com"],
    ["\u212aate@example.com", "kate@example.com"],
    ["用户@例え.jp", "用户@xn--r8jz45g.jp"],
    ["محمد@example.com", "محمد@example.com"],
  ])("%s is the address %s", (typed, email) => {
    expect(normalizeEmail(typed)).toBe(email);
  });

  test("a dotless i is another address, and lower case is no country's", () => {
    expect(normalizeEmail("mıke@example.org")).toBe("mıke@example.org");
    expect(normalizeEmail("MIKE@EXAMPLE.ORG")).toBe("mike@example.org");
  });

  test.each([
    ["no @", "alice"],
    ["two", "alice@example.org@example.com"],
    ["a wide one too", "alice＠bob@example.com"],
    ["no local part", "@example.com"],
    ["no domain", "alice@"],
    ["a space", "al ice@example.com"],
    ["a space around it", " alice@example.com"],
    ["quotes", '"alice"@example.com'],
    ["a display name", "Alice <alice@example.com>"],
    ["a comma", "alice,bob@example.com"],
    ["a semicolon", "alice;bob@example.com"],
    ["a comment", "alice(work)@example.com"],
    ["a backslash", "al\\ice@example.com"],
    ["a line break and a header", "alice@example.com\r\nBcc: bob@example.com"],
    ["a header before the @", "alice\nBcc:bob@example.com"],
    ["NUL", "alice\0@example.com"],
    ["NUL in the domain", "alice@example.com\0"],
    ["a dot first", ".alice@example.com"],
    ["a dot last", "alice.@example.com"],
    ["two dots", "al..ice@example.com"],
    ["an option of a program", "-oQ/tmp@example.com"],
    ["a pipe", "|sh@example.com"],
    ["a path", "/etc/passwd@example.com"],
    ["a host without a dot", "root@localhost"],
    ["an IPv4 address", "alice@127.0.0.10"],
    ["an IPv4 address in another form", "alice@0x7f.10"],
    ["an IPv4 literal", "alice@[127.0.0.1]"],
    ["an IPv6 literal", "alice@[::1]"],
    ["a port", "alice@example.com:25"],
    ["a path", "alice@example.com/x"],
    ["a fragment", "alice@example.com#x"],
    ["an encoded byte", "alice@ex%61mple.com"],
    ["a tab that URLs drop", "alice@exam\tple.com"],
    ["a character that URLs take apart", "alice@℀.com"],
    ["an underscore in the domain", "alice@ex_ample.com"],
    ["a label that begins with a hyphen", "alice@-example.com"],
    ["an empty label", "alice@example..com"],
    ["a dot at the end", "alice@example.com."],
    ["broken Punycode", "alice@xn--.com"],
    ["an override in the domain", "alice@\u202eexample.com"],
    ["an override in the local part", "\u202ealice@example.com"],
    ["a zero-width space", "al\u200bice@example.com"],
    ["a lone surrogate", "\ud800@example.com"],
    ["a lone surrogate in the domain", "alice@\udc00.com"],
    ["Cyrillic among Latin letters", "pаypal@example.com"],
  ])("%s makes no address", (_, typed) => {
    expect(normalizeEmail(typed)).toBeUndefined();
  });

  test("RFC 5321 §4.5.3.1: 64 bytes before the @ and 254 in all, and no more", () => {
    const domain = (length: number) => `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(length - 128)}`;
    const local = "é".repeat(32);
    expect(normalizeEmail(`${local}@example.com`)).toBe(`${local}@example.com`);
    expect(normalizeEmail(`${local}a@example.com`)).toBeUndefined();
    expect(normalizeEmail(`${local}@${domain(189)}`)).toBe(`${local}@${domain(189)}`);
    expect(normalizeEmail(`${local}@${domain(190)}`)).toBeUndefined();
  });

  test("an address in normal form is its own normal form, one line of visible characters with one @", () => {
    const part = fc.oneof(text, fc.constantFrom("alice", "example.com", "bücher.example", "例え.jp"));
    fc.assert(
      fc.property(part, part, (local, domain) => {
        const email = normalizeEmail(`${local}@${domain}`);
        fc.pre(email !== undefined);
        expect(normalizeEmail(email)).toBe(email);
        expect(email.split("@")).toHaveLength(2);
        expect(email).not.toMatch(UNSEEN);
        expect(email).not.toMatch(/[\s"(),:;<>[\\\]]/);
      }),
      { ...RUNS, numRuns: 1000 },
    );
  });
});

describe("parseLogin", () => {
  test("text with an @ is an address, and anything else a username", () => {
    expect(parseLogin("Alice")).toEqual({ username: "alice" });
    expect(parseLogin("Alice@Example.com")).toEqual({ email: "alice@example.com" });
    expect(parseLogin("Alice＠Example.com")).toEqual({ email: "alice@example.com" });
  });

  test("spaces around it, as keyboards of phones add them, are forgiven", () => {
    expect(parseLogin(" alice\u3000")).toEqual({ username: "alice" });
    expect(parseLogin("alice@example.com ")).toEqual({ email: "alice@example.com" });
  });

  test.each(["", " ", "@", "a b", "alice@", "alice\0", "\u202ealice", "\ud800"])("%j is neither", (typed) => {
    expect(parseLogin(typed)).toBeUndefined();
  });
});

describe("normalizeDisplayName", () => {
  test.each([
    ["Alice", "Alice"],
    ["  Alice \u00a0 Liddell\u3000", "Alice Liddell"],
    ["Jose\u0301", "José"],
    ["محمد عبد الله", "محمد عبد الله"],
    ["דוד Smith", "דוד Smith"],
    ["می\u200cخواهم", "می\u200cخواهم"],
    ["👩\u200d🚀", "👩\u200d🚀"],
    ["❤\ufe0f", "❤\ufe0f"],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["한글".normalize("NFD"), "한글"],
  ])("%j is the name %j", (typed, name) => {
    expect(normalizeDisplayName(typed)).toBe(name);
  });

  test.each([
    ["nothing", ""],
    ["spaces", " \u00a0\u3000"],
    ["punctuation alone", "---"],
    ["a line break", "Alice\nadmin"],
    ["a line separator", "Alice\u2028admin"],
    ["a tab", "Alice\tadmin"],
    ["NUL", "Alice\0"],
    ["an escape sequence", "\u001b[31mAlice"],
    ["a lone surrogate", "Alice\ud83d"],
    ["a right-to-left override", "\u202eecilA"],
    ["a right-to-left mark", "Alice\u200f"],
    ["an Arabic letter mark", "Alice\u061c"],
    ["an isolate that stays open", "\u2067Alice"],
    ["a zero-width space", "Al\u200bice"],
    ["a joiner alone", "\u200d"],
    ["a Hangul filler", "\u3164"],
    ["a blank Braille pattern", "\u2800"],
    ["a mark on what stands before it", "\u0301Alice"],
    ["a tower of marks", `A${"\u0335".repeat(40)}`],
    ["a private character", "Alice\ue000"],
  ])("%s makes no name", (_, typed) => {
    expect(normalizeDisplayName(typed)).toBeUndefined();
  });

  test("100 characters are a name, and 101 are none", () => {
    expect(normalizeDisplayName("😀".repeat(100))).toBe("😀".repeat(100));
    expect(normalizeDisplayName("😀".repeat(101))).toBeUndefined();
    expect(normalizeDisplayName("ệ".repeat(100).normalize("NFD"))).toBe("ệ".repeat(100));
  });

  test("a name in normal form is its own normal form, and turns no direction", () => {
    fc.assert(
      fc.property(text, (typed) => {
        const name = normalizeDisplayName(typed);
        fc.pre(name !== undefined);
        expect(normalizeDisplayName(name)).toBe(name);
        expect(name).not.toMatch(UNSEEN);
        expect(name).toBe(name.trim());
      }),
      RUNS,
    );
  });
});

describe.each([
  ["normalizeUsername", normalizeUsername],
  ["normalizeEmail", normalizeEmail],
  ["parseLogin", parseLogin],
  ["normalizeDisplayName", normalizeDisplayName],
])("%s", (_, read) => {
  test.each([
    ["letters", "a".repeat(65_536)],
    ["what NFC makes three times as long", "\u{1d160}".repeat(32_768)],
    ["what NFKC makes eighteen times as long", "ﷺ".repeat(65_536)],
    ["marks", `a${"\u0301\u0323".repeat(32_768)}`],
    ["Hebrew marks", `א${"\u05b0".repeat(65_535)}`],
    ["spaces", `a${" ".repeat(65_534)}b`],
    ["at signs", "@".repeat(65_536)],
    ["labels", `a@${"a.".repeat(32_768)}`],
  ])("64 KiB of %s are refused unread", (_kind, long) => {
    const original = String.prototype.normalize;
    let normalized = 0;
    String.prototype.normalize = function (this: string, ...form: [string?]) {
      normalized += this.length;
      return original.apply(this, form);
    };
    try {
      expect(read(long)).toBeUndefined();
    } finally {
      String.prototype.normalize = original;
    }
    expect(normalized).toBe(0);
  });

  test("any text is answered and never thrown at", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "binary", maxLength: 1100 })), (typed) => {
        read(typed);
      }),
      { ...RUNS, numRuns: 500 },
    );
  });
});
