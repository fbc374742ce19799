/** All parts of one server, put together once; endpoints and grant types take from it what they need. */
import type { Runtime } from "../runtime.ts";
import type { AccountStanding } from "./account-standing.ts";
import type { Approvals } from "./approvals.ts";
import type { Bearers } from "./bearers.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import type { Clients } from "./clients.ts";
import type { Codes } from "./codes.ts";
import type { ConnectedGrants } from "./connected-grants.ts";
import type { Observe } from "./events.ts";
import type { Grants } from "./grants.ts";
import type { IdentityProviders } from "./identity-providers.ts";
import type { KeyWatch } from "./key-watch.ts";
import type { ScopePolicy } from "./scope-policy.ts";
import type { SignIns } from "./sign-ins.ts";
import type { PublishingSigner } from "./signer.ts";
import type { TokenIssuance } from "./token-issuance.ts";
import type { Transactions } from "./transactions.ts";
import type { UpstreamSessions } from "./upstream-sessions.ts";

export interface Engine {
  readonly issuer: string;
  readonly resources: readonly string[];
  readonly forwardPkce: boolean;
  readonly consentRequired: boolean;
  readonly runtime: Runtime;
  readonly observe: Observe;
  readonly scopes: ScopePolicy;
  readonly clients: Clients;
  readonly transactions: Transactions;
  readonly browserBinding: BrowserBinding;
  readonly approvals: Approvals;
  readonly identityProviders: IdentityProviders;
  readonly signIns: SignIns;
  readonly codes: Codes;
  readonly grants: Grants;
  readonly issuance: TokenIssuance;
  readonly bearers: Bearers;
  /** Whose keys others verify our tokens by; `undefined` where they are signed with a shared one. */
  readonly publishingSigner: PublishingSigner | undefined;
  readonly upstreamSessions: UpstreamSessions;
  readonly accountStanding: AccountStanding;
  readonly connectedGrants: ConnectedGrants;
  readonly keyWatch: KeyWatch;
}
