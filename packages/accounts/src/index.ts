/** The public surface of `@sallyport/accounts`. */
export { AccountError, type AccountReason } from "./account-error.ts";
export { type Account, type AccountPage, Accounts } from "./accounts.ts";
export type { AccountsConfig } from "./accounts-options.ts";
export type { BrowserSession } from "./browser-sessions.ts";
export type { NewUser, UserChanges } from "./directory.ts";
export type { Link } from "./links.ts";
export type { Mail, MailKind, SendMail } from "./mailer.ts";
export { OAuthServer, type OAuthServerConfig } from "./oauth-server.ts";
export type { PasswordHashingOptions } from "./password-hashing.ts";
export type { Login, User, UserListOptions, UserPage, UserStore } from "./user-store.ts";
