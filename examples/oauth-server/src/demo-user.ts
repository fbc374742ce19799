/** The person whom the demonstration knows from the start. */
import { AccountError, type Accounts } from "@sallyport/accounts";
import { EnvironmentError } from "@sallyport/example-mcp-server/configuration";

export const DEMO_USER = "demo_user";

/**
 * Makes the demo user, unless an earlier start has: what they have changed since stays as they changed it, their password above all.
 *
 * @throws {EnvironmentError} for a password that nobody may have
 */
export async function ensureDemoUser(accounts: Accounts, password: string): Promise<"made" | "known"> {
  if ((await accounts.findUserByLogin(DEMO_USER)) !== undefined) return "known";
  try {
    await accounts.createUser({
      username: DEMO_USER,
      email: "demo_user@example.com",
      name: "Demo User",
      password,
    });
    return "made";
  } catch (error) {
    // Another process that was started at the same time was first.
    if (error instanceof AccountError && error.reason === "login_taken") return "known";
    if (error instanceof AccountError && error.reason.startsWith("password_"))
      throw new EnvironmentError([`DEMO_PASSWORD: ${error.message}`], error);
    throw error;
  }
}
