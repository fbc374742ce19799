/** Where a vendor is, as an operator writes it. */
import { ConfigurationError } from "@sallyport/oauth-core/upstream";

/**
 * A host as https URL, without a slash at the end.
 *
 * @throws {ConfigurationError} naming `option`, also for a whole URL: what is put together from one would lead elsewhere
 */
export function hostUrl(option: string, host: string): string {
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(given(option, host)))
    throw new ConfigurationError(option, "must be a host, such as acme.example.com");
  return `https://${host.toLowerCase()}`;
}

/** A URL without a slash at the end. Whether it may be used is checked where it is used. */
export function baseOf(option: string, url: string): string {
  return given(option, url).replace(/\/+$/, "");
}

/** A text that has to be there: what usually is not is an environment variable. @throws {ConfigurationError} naming `option` */
export function given(option: string, value: string): string {
  if (typeof value !== "string" || value === "") throw new ConfigurationError(option, "is missing");
  return value;
}
