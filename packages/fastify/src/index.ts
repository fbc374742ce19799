/** The public surface of `@sallyport/fastify`. */
export type { AdapterOptions, Endpoints, Guard } from "@sallyport/node-http";
export { oauth } from "./oauth.ts";
export { protect } from "./protect.ts";
