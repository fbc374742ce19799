/** How a user lies in the server's own storage: whole, in one record, which is changed by compare-and-swap. */

import type { Login, User } from "./user-store.ts";

/** A user; or the mark that a sign-up which got stuck under this id can't be finished any more. */
export type UserRecord = { readonly user: User; readonly mark: string } | { readonly abandoned: true };

/** The user of a record that was read, if there is one. */
export function userOf(entry: { readonly value: UserRecord } | undefined): User | undefined {
  return entry === undefined || "abandoned" in entry.value ? undefined : entry.value.user;
}

/** What somebody can sign in with. */
export function loginsOf({ username, email }: User): readonly Login[] {
  return [...(username === undefined ? [] : [{ username }]), ...(email === undefined ? [] : [{ email }])];
}

/** Whether a login is this user's. */
export function holds(user: User | undefined, login: Login): boolean {
  if (user === undefined) return false;
  return "username" in login ? user.username === login.username : user.email === login.email;
}
