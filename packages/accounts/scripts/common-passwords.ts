/** Writes `src/common-password-list.ts` from the list that zxcvbn-ts publishes: `node scripts/common-passwords.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dictionary } from "@zxcvbn-ts/language-common";

/** Shorter ones are refused for their length. */
const SHORTEST = 8;
const WIDTH = 120;

export const LIST = new URL("../src/common-password-list.ts", import.meta.url);

/** The passwords of the list that are long enough to be chosen, in the order of their characters. */
export const COMMON = [...new Set(dictionary["passwords-common"].map((password) => password.toLowerCase()))]
  .filter((password) => password.length >= SHORTEST)
  .sort();

/** The module, as it has to be. */
export function commonPasswordList(): string {
  const odd = COMMON.find((password) => !/^[\x21-\x7e]+$/.test(password) || password.length > 35);
  if (odd !== undefined) throw new Error("The format has no room for spaces, other scripts and long passwords.");

  const licence = createRequire(import.meta.url).resolve("@zxcvbn-ts/language-common/LICENSE.txt");
  const notice = readFileSync(licence, "utf8").trim().split("\n");
  return [
    `/** The ${COMMON.length} most common passwords of ${SHORTEST} characters and more, written by \`scripts/common-passwords.ts\`. */`,
    "",
    "/*!",
    " * @license The list of passwords is that of @zxcvbn-ts/language-common, under this licence:",
    " *",
    ...notice.map((line) => ` * ${line}`.trimEnd()),
    " */",
    "",
    "/** Each entry is a digit of base 36, how many characters it shares with the one before, and the others. */",
    "export const COMMON_PASSWORDS = `",
    // In a template nothing but these has a meaning.
    ...linesOf(packed()).map((line) => line.replace(/[\\`]|\$(?=\{)/g, "\\$&")),
    "`;",
    "",
  ].join("\n");
}

function packed(): string[] {
  return COMMON.map((password, index) => {
    const previous = COMMON[index - 1] ?? "";
    let shared = 0;
    while (shared < previous.length && previous[shared] === password[shared]) shared++;
    return shared.toString(36) + password.slice(shared);
  });
}

function linesOf(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

if (import.meta.main) writeFileSync(LIST, commonPasswordList());
