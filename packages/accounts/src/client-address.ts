/** Whom an address stands for when guesses are counted: RFC 4291 §2.5.4 gives a whole /64 to one network, and often to one person. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Longer than any address with zone, brackets and port. */
const LONGEST = 100;
/** `[2001:db8::1]:443` and `192.0.2.1:443`. RFC 3986 §3.2.2. */
const WITH_PORT = /^(?:\[([^[\]]*)\](?::\d{1,5})?|([^:]*):\d{1,5})$/;

/**
 * The network that an address is counted under: an IPv4 address as it is, of an IPv6 address its /64. `undefined` for anything that is no address.
 *
 * - Each address has one name, however it is written: an IPv4 address that is mapped into IPv6, or translated to it by a well-known prefix, is the IPv4
 *   address. A port, brackets and a zone are left away.
 * - Whoever has a /64 has 2⁶⁴ addresses, and could take another one for each guess.
 * - What only some programs read as an address (`010.0.0.1`, `1`) is none: it would be two addresses.
 * - What comes out can be put in again.
 *
 * The text has to come from the connection, or from a proxy that is trusted: nobody is slowed down who may write their own.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2 RFC 4291 §2.5.5.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6052#section-2.1 RFC 6052 §2.1}
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || address.length > LONGEST) return undefined;
  const text = address.trim();
  const [, bracketed, beforePort] = WITH_PORT.exec(text) ?? [];
  const bare = bracketed ?? beforePort ?? text;
  // Node's reading is the strict one; the library's also takes octal, hexadecimal and single numbers.
  if (isIP(bare) === 0) return undefined;

  const [withoutZone = ""] = bare.split("%");
  if (isIP(withoutZone) === 4) return withoutZone;
  const { parts } = ipaddr.IPv6.parse(withoutZone);
  return ipv4Within(parts) ?? new ipaddr.IPv6([...parts.slice(0, 4), 0, 0, 0, 0]).toString();
}

/** The IPv4 address that an IPv6 address is only another writing of. */
function ipv4Within(parts: readonly number[]): string | undefined {
  const [a, b, c, d, e, f, high = 0, low = 0] = parts;
  const mapped = a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff;
  // RFC 6052 §2.1: behind a translator all of IPv4 shares this one /64, and one guesser would slow down everybody.
  const translated = a === 0x64 && b === 0xff9b && c === 0 && d === 0;
  return mapped || translated ? [high >> 8, high & 255, low >> 8, low & 255].join(".") : undefined;
}
