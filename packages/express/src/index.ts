/** The public surface of `@sallyport/express`. */
export type { AdapterOptions, Endpoints, Guard } from "@sallyport/node-http";
export { oauth } from "./oauth.ts";
export { type Auth, type ProtectedHandler, type ProtectedRequest, protect } from "./protect.ts";
