/** The identity providers of one server, of which a person chooses one; each with a callback and subjects of its own. RFC 9700 §4.4. */
import type { IdentityProvider, OwnAccounts } from "./identity-provider.ts";
import type { UpstreamScopes } from "./scope-policy.ts";

/** The id of the provider that the `upstream…` options describe; records that were written before there were others mean it. */
export const UNNAMED_PROVIDER = "upstream";

/** One of them. */
export interface OfferedProvider extends UpstreamScopes {
  readonly id: string;
  /** What people know it as. */
  readonly name: string;
  /** Whether the subjects of its people begin with its id. */
  readonly qualified: boolean;
  readonly identityProvider: IdentityProvider;
}

/** All of them, in the order in which they are offered. */
export class IdentityProviders {
  readonly all: readonly [OfferedProvider, ...OfferedProvider[]];
  readonly #byId: ReadonlyMap<string, OfferedProvider>;

  constructor(all: readonly [OfferedProvider, ...OfferedProvider[]]) {
    this.all = all;
    this.#byId = new Map(all.map((provider) => [provider.id, provider]));
  }

  /** The only one; `undefined` where there is a choice. */
  get only(): OfferedProvider | undefined {
    return this.all.length === 1 ? this.all[0] : undefined;
  }

  /** Accounts of our own, where one of them has some. */
  get accounts(): OwnAccounts | undefined {
    return this.all.find(({ identityProvider }) => identityProvider.accounts !== undefined)?.identityProvider.accounts;
  }

  /** By its id. A record that names none is of the time when there was only one. */
  find(id: string | undefined): OfferedProvider | undefined {
    return this.#byId.get(id ?? UNNAMED_PROVIDER);
  }
}

/** How a person is named who is this one at that provider. Two providers may well have the same name for two people. */
export function subjectAt({ id, qualified }: Pick<OfferedProvider, "id" | "qualified">, subject: string): string {
  return qualified ? `${id}|${subject}` : subject;
}
