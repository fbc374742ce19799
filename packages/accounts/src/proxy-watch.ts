/** Notices a proxy that nobody told us of: behind it all people seem to come from one address. */
import ipaddr from "ipaddr.js";
import { networkOf } from "./client-address.ts";

/** What proxies add, RFC 7239 and what was usual before it. */
const ADDED = ["forwarded", "x-forwarded-for"] as const;
/** Addresses from which nobody comes over the internet; the network of `::1` is `::`. */
const NEAR: readonly string[] = ["loopback", "private", "linkLocal", "uniqueLocal", "unspecified"];

/**
 * Whether an address is probably a proxy's and not the person's: it is one of this network, and the request says that it came from somewhere else.
 *
 * What stands in the header is not believed: whoever writes it only takes away the count of their own address, and only from inside this network.
 */
export function isUnknownProxy(request: Request, address: string | undefined): boolean {
  if (address === undefined || !ADDED.some((name) => request.headers.has(name))) return false;
  const network = networkOf(address);
  return network !== undefined && NEAR.includes(ipaddr.parse(network).range());
}
