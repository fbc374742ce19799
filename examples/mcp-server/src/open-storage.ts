/** What every kind of storage is opened to. */
import type { TokenStorage } from "@sallyport/oauth-core";

/** A storage that can be used, and what has to be let go of with it. */
export interface OpenStorage {
  readonly storage: TokenStorage;
  /** Closes the storage and what it was reached through. */
  close(): Promise<void>;
}
