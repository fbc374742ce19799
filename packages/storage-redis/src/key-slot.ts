/** Which of a cluster's slots a key is in. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model */

const SLOTS = 16_384;

/** CRC-16/XMODEM of every byte, from the polynomial x^16 + x^12 + x^5 + 1. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** The slot of a key. Where it has a hash tag, the first `{…}` that is not empty, only that counts. */
export function keySlot(key: string): number {
  const open = key.indexOf("{");
  const close = open === -1 ? -1 : key.indexOf("}", open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed, "utf8")) crc = ((crc << 8) ^ (TABLE[(crc >> 8) ^ byte] ?? 0)) & 0xffff;
  return crc % SLOTS;
}
