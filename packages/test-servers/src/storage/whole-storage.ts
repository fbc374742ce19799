/** A storage as its own package knows it. */

import type { TokenStorage } from "@sallyport/oauth-core/storage";

/** With every verb, those that others may lack included. */
export type WholeStorage = Required<TokenStorage>;
