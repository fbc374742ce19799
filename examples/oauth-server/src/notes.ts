/** What the tools work on: everybody's own notes, kept until the server ends. */

/** So many of one person; with one more, their oldest goes. */
const MOST_NOTES = 100;

/** The notes of all people. */
export class Notes {
  readonly #byPerson = new Map<string, readonly string[]>();

  of(person: string): readonly string[] {
    return this.#byPerson.get(person) ?? [];
  }

  add(person: string, note: string): readonly string[] {
    const notes = [...this.of(person), note].slice(-MOST_NOTES);
    this.#byPerson.set(person, notes);
    return notes;
  }
}
