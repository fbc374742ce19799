/** What a user store's author hands to the contract: how to open it, and how to take its backend away. */

import type { UserStore } from "@sallyport/accounts";

/** A user store on trial. */
export interface UserStoreSubject {
  /**
   * An instance over one backend. Every further call gives another one over the same backend, as another process would have it. The backend may have
   * users already: every clause brings its own and looks at no others. Whoever opens instances closes them, when the contract is through.
   */
  open(): Promise<UserStore>;

  /**
   * Makes the backend unreachable for every instance, open ones too, and answers with what heals it. Without it the clauses about
   * failure say nothing.
   */
  readonly fail?: (() => Promise<() => Promise<void>>) | undefined;
}
