/** What a person approves for a transaction, and what they need not be asked again. MCP security best practices, "Per-client consent storage". */
import { isLoopbackRedirectUri } from "../protocol/redirect-uri.ts";
import type { Approval, BindingCookie, BrowserBinding } from "./browser-binding.ts";
import type { IdentityProviders, OfferedProvider } from "./identity-providers.ts";
import type { Transaction, Transactions } from "./transactions.ts";

export interface ApprovalsOptions {
  readonly browserBinding: BrowserBinding;
  readonly transactions: Transactions;
  readonly identityProviders: IdentityProviders;
}

type Cookies = ReadonlyMap<string, string>;

/** The approvals of one server. */
export class Approvals {
  readonly #options: ApprovalsOptions;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** The provider that this browser has gone to before for just this; `undefined` where the person has to be shown a page. */
  remembered(cookies: Cookies, transaction: Transaction): OfferedProvider | undefined {
    // Any program on the person's computer can listen on a loopback address and claim to be the client that was approved.
    if (isLoopbackRedirectUri(transaction.redirectUri)) return undefined;
    const { browserBinding, identityProviders } = this.#options;
    return identityProviders.all.find((provider) =>
      browserBinding.remembers(cookies, this.#approval(transaction, provider)),
    );
  }

  /** The cookie that remembers it; `undefined` where nothing may be remembered. */
  remember(cookies: Cookies, transaction: Transaction, chosen: OfferedProvider): BindingCookie | undefined {
    if (isLoopbackRedirectUri(transaction.redirectUri)) return undefined;
    const { browserBinding, identityProviders } = this.#options;
    const others = identityProviders.all.filter((provider) => provider !== chosen);
    return browserBinding.remember(
      cookies,
      this.#approval(transaction, chosen),
      others.map((provider) => this.#approval(transaction, provider)),
    );
  }

  #approval(transaction: Transaction, provider: OfferedProvider): Approval {
    const { clientId, redirectUri, resourceScope, resources, unasked } = transaction;
    const scope = [...this.#options.transactions.scopeFor(transaction, provider), ...resourceScope];
    return { clientId, redirectUri, scope, resources, provider: provider.id, unasked };
  }
}
