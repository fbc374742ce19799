/** Lines in which a program says what it did: a verb in the past tense, and of what. */

/** Of what a program said that it had done so. */
export function told(lines: readonly string[], verb: string): string[] {
  return lines.filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));
}
