/** The URLs that an operator configures: whole, and over a wire that nobody else reads. MCP authorization, "Communication Security". */
import { ConfigurationError } from "./errors.ts";

/** Reads one. @throws {ConfigurationError} naming `option` */
export function serverUrl(option: string, value: string): URL {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) throw new ConfigurationError(option, "is no absolute URL");
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  // MCP authorization, "Communication Security": everything over https. Plain http on this very computer is for development, and is chosen by writing it.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback)) {
    throw new ConfigurationError(option, "must be https, or http on localhost, 127.0.0.1 or [::1]");
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw new ConfigurationError(option, "must have neither credentials nor a fragment");
  return url;
}
