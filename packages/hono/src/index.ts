/** The public surface of `@sallyport/hono`. */
export type { AdapterOptions } from "./adapter-options.ts";
export { type Endpoints, oauth } from "./oauth.ts";
export { type Guard, type ProtectedEnv, protect } from "./protect.ts";
