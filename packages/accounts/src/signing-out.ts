/** Signs a person out everywhere: browsers, applications, and whatever is under way. */
import { type AccountActor, ConfigurationError, type Home, type Observe } from "@sallyport/oauth-core/accounts";
import type { BrowserSessions } from "./browser-sessions.ts";
import type { Directory } from "./directory.ts";
import type { User } from "./user-store.ts";

export interface SigningOutOptions {
  readonly directory: Directory;
  readonly sessions: BrowserSessions;
  readonly grants: Home["grants"];
  readonly observe: Observe;
}

/** The ends of one server's sign-ins. */
export class SigningOut {
  readonly #options: SigningOutOptions;

  constructor(options: SigningOutOptions) {
    this.#options = options;
  }

  /** @throws {AccountError} `user_unknown` */
  async everywhere(userId: string, by: AccountActor): Promise<User> {
    const user = await this.#options.directory.signOutEverywhere(userId);
    await this.clear(user, by);
    return user;
  }

  /**
   * Ends what the raised epoch has made worthless already: no session counts, no token is refreshed and no code redeemed from then on. What is left to do is to end the
   * access tokens that are out, and to let go of the records.
   *
   * Where the storage can't list, they can't be found: the access tokens then count until they expire, and the operator is told.
   */
  async clear({ id }: Pick<User, "id">, by: AccountActor): Promise<void> {
    const { sessions, grants, observe } = this.#options;
    await sessions.endOthers(id);
    try {
      await grants.endAll({ subject: id });
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const message =
        "tokenStorage has no list: somebody was signed out everywhere, and access tokens that are out count until they expire.";
      observe({ type: "warning", message });
    }
    observe({ type: "account.signed_out", subject: id, by, everywhere: true });
  }
}
