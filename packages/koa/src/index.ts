/** The public surface of `@sallyport/koa`. */
export type { AdapterOptions, Endpoints, Guard } from "@sallyport/node-http";
export { oauth } from "./oauth.ts";
export { type ProtectedState, protect } from "./protect.ts";
