/** What every real client of these tests does, whatever library it is built from. */
import type { ToolAnswer } from "../tool-call.ts";
import type { Wire } from "../wire.ts";

/** Tokens as a client got them. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string | undefined;
}

/** A client that begins with a URL and nothing else. */
export interface RealClient {
  /** What it asked, and how it was answered. */
  readonly wire: Wire;
  /** The tokens that it uses. A test may change them. */
  tokens: Tokens;
  /** Calls without a token, follows the refusal, registers. Where a person has to go. */
  knock(): Promise<URL>;
  /** Takes what came to the callback, and redeems the code. */
  finish(callback: URL): Promise<void>;
  /** Uses a tool, in the way that this client does. */
  call(tool: string): Promise<ToolAnswer>;
  /** Refreshes with the refresh token that it holds, and goes on holding that one. */
  refresh(): Promise<Tokens>;
  /** Gives its refresh token back. */
  revoke(): Promise<void>;
  close(): Promise<void>;
}

/** The tokens of an answer. @throws where there is no refresh token among them */
export function tokensOf(answer: {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  readonly scope?: string | undefined;
}): Tokens {
  const { access_token, refresh_token, scope } = answer;
  if (refresh_token === undefined) throw new Error("The answer has no refresh token.");
  return { access_token, refresh_token, scope };
}

/** The tokens of a client that has none. */
export const NO_TOKENS: Tokens = { access_token: "", refresh_token: "", scope: undefined };
