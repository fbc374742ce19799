/** The least that a durable save can cost: bytes at the end of a file, and one fdatasync for all that came in one tick. */

import { type FileHandle, open } from "node:fs/promises";

/** A log that is never read. */
export class AppendOnlyLog {
  readonly #file: FileHandle;
  #waiting: { text: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #writing = false;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<AppendOnlyLog> {
    return new AppendOnlyLog(await open(path, "a", 0o600));
  }

  /** Resolves when the text is on the disk. */
  append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      if (!this.#writing) {
        this.#writing = true;
        setImmediate(() => void this.#write());
      }
    });
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#file.write(batch.map(({ text }) => text).join(""));
        await this.#file.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }
}
