/** Something to wait for in a test, instead of for the clock. */

/** Shut until it is opened, and open ever after. */
export class Gate {
  readonly opened: Promise<void>;
  #open: (() => void) | undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  readonly open = (): void => this.#open?.();
}
