/** Compare-and-swap, as a script that Redis runs in one piece. https://redis.io/docs/latest/develop/programmability/eval-intro/ */

import { createHash } from "node:crypto";

/** `KEYS`: the key. `ARGV`: the expected text, the new one, and the ttl in seconds, empty for none. Answers 1 where it has stored. */
export const REPLACE = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == "" then
  redis.call("SET", KEYS[1], ARGV[2])
else
  redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
end
return 1
`.trim();

/** By what Redis knows a script that it has run before; SHA-1 is its choice and guards nothing. */
export const REPLACE_DIGEST = createHash("sha1").update(REPLACE).digest("hex");
