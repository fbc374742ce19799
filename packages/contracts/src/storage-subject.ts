/** What a storage's author hands to the contract: how to open it, how time passes for it, and how to take its backend away. */

import type { TokenStorage } from "@sallyport/oauth-core";

/** A storage on trial. */
export interface StorageSubject {
  /**
   * A fresh instance over one backend, which is empty at first. Every further call gives another instance over the same backend, as
   * another process would have it; each is closed by itself. A storage that lives in one object only answers that object each time.
   */
  open(): Promise<TokenStorage>;

  /**
   * Lets `seconds` pass for the backend: moves a fake clock, or really waits. Fractions count. With real time, at least that long; a
   * whole run of the contract then takes about half a minute.
   */
  advance(seconds: number): Promise<void>;

  /** Whether {@link StorageSubject.advance} moves a fake clock, so that years may pass. Default false: seconds only. */
  readonly virtualTime?: boolean | undefined;

  /**
   * Makes the backend unreachable for every instance, open ones too, and answers with what heals it. Without it the clauses about
   * failure say nothing.
   */
  readonly fail?: (() => Promise<() => Promise<void>>) | undefined;
}

/** A storage on trial together with what seals over it. */
export interface SealedStorageSubject extends StorageSubject {
  /** The class `EncryptedTokenStorage` of the core: handed in, so that nothing here loads the core. */
  readonly EncryptedTokenStorage: new (
    backend: TokenStorage,
    encryptionKey: string | readonly string[],
    options?: { readonly onUnreadable?: (key: string, why: string) => void },
  ) => TokenStorage;
}
