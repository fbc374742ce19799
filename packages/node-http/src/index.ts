/** The public surface of `@sallyport/node-http`. */
export { admit, type Guard } from "./admit.ts";
export { type AdapterOptions, answer, type Handle, type NodeHandleOptions } from "./answer.ts";
export type { Exchange } from "./exchange.ts";
export { type NodeHandler, toNodeHandler } from "./node-handler.ts";
export { type Endpoints, endpointsOf, oauth } from "./oauth.ts";
export { type ProtectedHandler, type ProtectedRequest, protect } from "./protect.ts";
