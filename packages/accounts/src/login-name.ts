/** What people sign in with and what they are called, in one form each: usernames by RFC 8265 §3.3, addresses by RFC 5321 and RFC 6531, display names. */
import type { Login } from "./user-store.ts";

/**
 * UTF-16 units that are looked at at all. What fits when it is normalised is no longer before, runs of spaces aside: NFC makes one character of eight units at most.
 * Normalising whatever a form carries would be work for nothing.
 */
const LONGEST_INPUT = 1024;
const LONGEST_USERNAME = 64;
const LONGEST_NAME = 100;
/** RFC 5321 §4.5.3.1, in bytes; the whole as corrected by erratum 1690 of RFC 3696. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_EMAIL = 254;

/**
 * RFC 8264 §4.2, IdentifierClass, after lower-casing: visible ASCII, letters, marks and digits of every script. Stricter than the RFC in
 * that the joiners and the few marks of punctuation that it allows in some contexts are in no name here.
 */
const IDENTIFIER = /^[\x21-\x7e\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]+$/u;
/** RFC 8264 §9.6, §9.9, §9.13: letters and marks that the RFC excepts, those that nobody sees, and the parts of Old Hangul syllables. */
const EXCEPTED =
  /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\p{Default_Ignorable_Code_Point}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;

/** Where Unicode keeps the scripts that run from right to left. */
const RTL = "\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}";
const RTL_LETTER = new RegExp(`(?=\\p{L})[${RTL}]`, "u");
/** RFC 5893 §2, rules 1 to 3: a name with such letters begins with one, has nothing that runs the other way, and ends with a letter or a digit. */
const RTL_RULES = [
  new RegExp(`^(?=\\p{L})[${RTL}]`, "u"),
  new RegExp(`^[${RTL}\\x21-\\x40\\x5b-\\x60\\x7b-\\x7e\\p{Mn}]+$`, "u"),
  new RegExp(`(?:(?=[\\p{L}\\p{Nd}])[${RTL}]|[0-9])\\p{Mn}*$`, "u"),
];
/** The digits that take the direction of an Arabic text, and those that keep their own. */
const ARABIC_DIGIT = /[\u0660-\u0669\u{10d30}-\u{10d39}]/u;
const EUROPEAN_DIGIT = /[0-9\u06f0-\u06f9]/;

/** Scripts with whole words in common, for the eye. */
const ALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** RFC 5322 §3.2.3: an atom; beyond ASCII, where RFC 6531 leaves the choice, the letters, marks and digits of {@link IDENTIFIER}. */
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~\-\P{ASCII}]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\-\P{ASCII}]+)*$/u;
/** RFC 5321 §2.3.5, as a URL writes it: labels with a dot between them. A last one of digits alone would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * The one form of a username, in which it is stored and compared: full-width and half-width letters in their usual width, lower case, NFC.
 *
 * `undefined` for what is no username: nothing at all, more than 64 characters, an `@`, spaces, controls, symbols, punctuation beyond ASCII, letters that
 * stand for others (ligatures, Roman numerals, mathematical letters), characters that nobody sees, both directions in one name, scripts in one name that
 * look alike. Lower case is Unicode's and no country's: `I` is `i` everywhere; a dotless `ı` is a letter of its own.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8265#section-3.3 RFC 8265 §3.3}
 */
export function normalizeUsername(text: string): string | undefined {
  if (text.length > LONGEST_INPUT) return undefined;
  // Lower-casing İ leaves a dot above an i that has one already: a second name that no eye tells from the one with a plain i.
  const name = folded(text)
    .replace(/(\p{Soft_Dotted})\u0307+/gu, "$1")
    .normalize("NFC");
  return lengthOf(name) <= LONGEST_USERNAME && !name.includes("@") && isIdentifier(name) ? name : undefined;
}

/**
 * The one form of a mail address: the domain in ASCII and lower case, the local part in NFC and lower case.
 *
 * RFC 5321 §2.4 lets a mail server tell `Alice@` from `alice@`; none in use does, and one mailbox would become two accounts. Because of this, mail goes to
 * the normal form and never to what somebody typed: a letter that only looks like another reaches nobody.
 *
 * `undefined` for what is no address that mail is sent to: another number of `@` than one, quotes, comments, spaces, controls, an IP address, a domain
 * without a dot, a local part that begins with punctuation (programs that send mail took it for an option), more than 254 bytes.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-2.4 RFC 5321 §2.4}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6531#section-3.3 RFC 6531 §3.3}
 */
export function normalizeEmail(text: string): string | undefined {
  if (text.length > LONGEST_INPUT) return undefined;
  const [typed = "", typedDomain, ...more] = text.split(AT);
  if (typedDomain === undefined || more.length > 0) return undefined;

  const local = folded(typed);
  if (Buffer.byteLength(local) > LONGEST_LOCAL_PART) return undefined;
  if (!LOCAL_PART.test(local) || !/^[\p{L}\p{N}_]/u.test(local) || !isIdentifier(local)) return undefined;
  const domain = normalDomain(typedDomain);
  const email = `${local}@${domain}`;
  return domain !== undefined && Buffer.byteLength(email) <= LONGEST_EMAIL ? email : undefined;
}

/** An `@`, also the wide one of East Asian keyboards. */
const AT = /[@\uff20]/;

/** What somebody typed to sign in, spaces around it forgiven: with an `@` an address, and anything else a username. `undefined`: neither. */
export function parseLogin(text: string): Login | undefined {
  const typed = text.trim();
  if (AT.test(typed)) {
    const email = normalizeEmail(typed);
    return email === undefined ? undefined : { email };
  }
  const username = normalizeUsername(typed);
  return username === undefined ? undefined : { username };
}

/**
 * What a person is called, for pages and tokens: NFC, one space between words and none around them, 1 to 100 characters. Every script and direction.
 *
 * `undefined` for controls and line breaks, for marks that turn the direction of the text after them (`eciala` would be read as `alice`), for other
 * characters that nobody sees except the joiners of some scripts and of emoji, for towers of marks, and where there is nothing to see at all.
 */
export function normalizeDisplayName(text: string): string | undefined {
  if (text.length > LONGEST_INPUT) return undefined;
  const name = text
    .normalize("NFC")
    .replace(/\p{Zs}+/gu, " ")
    .trim();
  const isUnseen = /(?!\u200c|\u200d|\ufe0e|\ufe0f)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(name);
  const isSeen = /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(name);
  return isSeen && !isUnseen && !TOWER.test(name) && lengthOf(name) <= LONGEST_NAME ? name : undefined;
}

/** UTS #39 §5.4: more than four marks on one letter write over the lines above it; marks before the first letter, over what stands before the name. */
const TOWER = /^\p{M}|\p{Mn}{5}/u;

/**
 * RFC 8265 §3.3.2: width mapping, case mapping, NFC. NFC comes before them as well: what is canonically equivalent arrives as either on the way from a
 * keyboard, so that the Kelvin sign is the letter K, and a decomposed Hangul syllable the syllable.
 */
function folded(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\uff01-\uff9f]+/g, (wide) => wide.normalize("NFKC"))
    .toLowerCase()
    .normalize("NFC");
}

/** Whether folded text is a name by RFC 8264 §4.2, by RFC 5893 §2, and not made to be taken for another one. */
function isIdentifier(text: string): boolean {
  // RFC 8264 §9.17, HasCompat: letters that stand for others. "ﬁ" and "fi" would be two accounts with one name.
  const isExact = text.normalize("NFKC") === text;
  const hasLetter = /[\p{L}\p{Nd}]/u.test(text);
  // UTS #39 §5.2: a Cyrillic "а" in "pаypal" is seen by nobody.
  const scripts = ALIKE.filter((script) => script.test(text)).length;
  // RFC 8264 §9.6 of Arabic digits, and RFC 5893 §2 rule 4: two kinds of digits in one name are shown in an order that is not theirs.
  const mixesDigits = ARABIC_DIGIT.test(text) && EUROPEAN_DIGIT.test(text);
  const isOneWay = !RTL_LETTER.test(text) || RTL_RULES.every((rule) => rule.test(text));
  const isMadeOfLetters = IDENTIFIER.test(text) && !EXCEPTED.test(text) && !TOWER.test(text);
  return isExact && hasLetter && scripts < 2 && !mixesDigits && isOneWay && isMadeOfLetters;
}

/** A domain in the form that DNS has for it. What URL syntax gives a meaning to is refused before a URL is made of it. */
function normalDomain(text: string): string | undefined {
  const url = `http://${text}`;
  if (/[^a-zA-Z0-9.\-\P{ASCII}]/u.test(text) || !URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return DOMAIN.test(hostname) ? hostname : undefined;
}

/** In characters, as people count them: code points. */
function lengthOf(text: string): number {
  return [...text].length;
}
