/** The codes and tokens of a stand-in, and whose they are. */
import { randomBytes } from "node:crypto";
import type { UpstreamSession } from "./behaviour.ts";

export class Sessions {
  readonly secrets = new Set<string>();
  readonly #living = new Map<string, UpstreamSession>();

  /** A secret of its own making, or the one that is handed in, which from now on stands for the session. */
  give(kind: string, session: UpstreamSession, secret = `${kind}-${randomBytes(24).toString("hex")}`): string {
    this.secrets.add(secret);
    this.#living.set(secret, session);
    return secret;
  }

  of(secret: string | null | undefined): UpstreamSession | undefined {
    return this.#living.get(secret ?? "");
  }

  spend(secret: string | null): void {
    this.#living.delete(secret ?? "");
  }
}
