/** What the author of a storage needs of the core, and nothing that serves requests: the port, and the rules that every storage keeps. */
export { jsonText } from "./state/json-value.ts";
export {
  type AtomicTokenStorage,
  assertTtl,
  isAtomic,
  type KeyPage,
  type ListOptions,
  type TokenStorage,
} from "./state/token-storage.ts";
