/** Passwords that are tried first: the most common ones, and a person's own names. NIST SP 800-63B-4 §3.1.1.2. */
import { COMMON_PASSWORDS } from "./common-password-list.ts";
import { SHORTEST_PASSWORD } from "./password-text.ts";

/** Shorter parts of names occur in any text by chance. */
const SHORTEST_NAME = 3;

/** Unpacked by the first password that is chosen: a server that only checks tokens has no use for it. */
let unpacked: ReadonlySet<string> | undefined;

/**
 * Whether a password is on the list of about 18 000 that people choose most, case, width and spaces aside.
 *
 * @param password as `normalizePassword` gives it
 */
export function isCommonPassword(password: string): boolean {
  return isListed(comparable(password));
}

/**
 * Whether a password would be guessed soon: it is a common one, one short piece again and again, a run along the alphabet, or too little without the names.
 *
 * Names count for nothing: what is left of the password without them has to be long enough, and not common either.
 *
 * @param password as `normalizePassword` gives it
 * @param options `names`: whatever anybody knows who wants to guess: username, address, display name, the server's own name
 */
export function isGuessable(
  password: string,
  options: { readonly names?: readonly (string | undefined)[] | undefined } = {},
): boolean {
  const text = comparable(password);
  const rest = wordsOf(options.names ?? []).reduce((left, word) => left.replaceAll(word, ""), text);
  return isEasy(text) || (rest !== text && ([...rest].length < SHORTEST_PASSWORD || isEasy(rest)));
}

function isEasy(text: string): boolean {
  return isListed(text) || /^(.{1,4}?)\1+$/su.test(text) || isRun(text);
}

/** `abcdefgh`, `98765432`: each character is the neighbour of the one before, always in the same direction. */
function isRun(text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, index) => code - (codes[index] ?? 0));
  return steps.every((step) => step === 1) || steps.every((step) => step === -1);
}

function isListed(text: string): boolean {
  unpacked ??= new Set(unpack(COMMON_PASSWORDS));
  return unpacked.has(text);
}

/** What names consist of, the longest first, so that one that is a part of another leaves nothing of it behind. */
function wordsOf(names: readonly (string | undefined)[]): string[] {
  return names
    .flatMap((name) => (name ?? "").split(/[^\p{L}\p{M}\p{N}]+/u))
    .map(comparable)
    .filter((word) => [...word].length >= SHORTEST_NAME)
    .sort((left, right) => right.length - left.length);
}

/** The form in which one guess stands for many: `ＰassＷord` and `pass word` are both tried as `password`. */
function comparable(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/gu, "");
}

/** In order, each entry says with a digit of base 36 how much of the one before it begins with. */
function unpack(packed: string): string[] {
  let previous = "";
  return packed
    .trim()
    .split(/\s/)
    .map((entry) => {
      previous = previous.slice(0, Number.parseInt(entry.slice(0, 1), 36)) + entry.slice(1);
      return previous;
    });
}
