import fc from "fast-check";
import { expect, test } from "vitest";
import { HOSTILE } from "../test/records.ts";
import { networkOf } from "./client-address.ts";

test.each([
  ["192.0.2.1"],
  ["192.0.2.1:443"],
  [" 192.0.2.1 "],
  ["::ffff:192.0.2.1"],
  ["::FFFF:c000:201"],
  ["0:0:0:0:0:ffff:192.0.2.1"],
  ["::ffff:192.0.2.1%eth0"],
  ["[::ffff:192.0.2.1]:65535"],
  ["64:ff9b::192.0.2.1"],
  ["64:ff9b::c000:201"],
])("RFC 4291 §2.5.5.2: %j is one IPv4 address, however it is written", (written) => {
  expect(networkOf(written)).toBe("192.0.2.1");
});

test.each([
  ["2001:db8:1:2::"],
  ["2001:db8:1:2:ffff:ffff:ffff:ffff"],
  ["2001:0DB8:0001:0002::1"],
  ["[2001:db8:1:2::1]"],
  ["[2001:db8:1:2::1]:443"],
  ["2001:db8:1:2::1%eth0"],
  ["2001:db8:1:2::1%br-lan.7"],
  ["[2001:db8:1:2::1%25eth0]:443"],
])("%j is counted with everybody in its /64", (written) => {
  expect(networkOf(written)).toBe("2001:db8:1:2::");
});

test("a neighbouring /64 is another network", () => {
  expect(networkOf("2001:db8:1:3::1")).not.toBe(networkOf("2001:db8:1:2::1"));
  expect(networkOf("2001:db8:1:2::1")).not.toBe(networkOf("2001:db8:0:2::1"));
});

test("only the well-known prefix of a translator leads to an IPv4 address", () => {
  expect(networkOf("64:ff9b:1:2::192.0.2.1")).toBe("64:ff9b:1:2::");
  expect(networkOf("64:ff9b:0:2::192.0.2.1")).toBe("64:ff9b:0:2::");
});

test.each([
  ["1"],
  ["3221225985"],
  ["0xc0.0.2.1"],
  ["192.0.2"],
  ["192.0.2.01"],
  ["0300.0.2.1"],
  ["192.0.2.256"],
  ["192.0.2.1/32"],
  ["192.0.2.1%eth0"],
  ["192.0.2.1, 198.51.100.1"],
  ["[192.0.2.1"],
  ["[[::1]]"],
  ["[::1]443"],
  ["::1%"],
  [":::1"],
  ["1:2:3:4:5:6:7:8:9"],
  ["::ffff:0300.0.2.1"],
  ["2001:db8::/64"],
  ["unknown"],
  ["_hidden"],
  ["localhost"],
  [`192.0.2.1${" ".repeat(200)}`],
  ["１９２.0.2.1"],
  [":443"],
  ["[]:443"],
])("%j is no address", (junk) => {
  expect(networkOf(junk)).toBeUndefined();
});

test("nor is any other text that a stranger makes up, of whatever length", () => {
  expect(HOSTILE.filter((text) => networkOf(text) !== undefined)).toEqual([]);
});

test("an address that is not known stays so", () => {
  expect(networkOf(undefined)).toBeUndefined();
});

test("whatever comes out can be put in again", () => {
  const written = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((address) => `::ffff:${address}`),
    fc.ipV4().map((address) => `64:ff9b::${address}`),
    fc.ipV6().map((address) => `[${address}]:443`),
  );
  fc.assert(
    fc.property(written, (address) => {
      const network = networkOf(address);
      expect(network).toBeDefined();
      expect(networkOf(network)).toBe(network);
    }),
  );
});

test("every IPv4 address is a network of its own", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => networkOf(address) === address));
});

test("any text is an address or none, and never an error", () => {
  const nearly = fc.stringMatching(/^[[\]%:.0-9a-f]{0,60}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly), (text) => {
      const network = networkOf(text);
      expect(networkOf(network)).toBe(network);
    }),
    { numRuns: 2000 },
  );
});
