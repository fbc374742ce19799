/** The public surface of `@sallyport/node-http`. */
export { type Handle, type NodeHandler, type NodeHandlerOptions, toNodeHandler } from "./node-handler.ts";
export { type Endpoints, oauth } from "./oauth.ts";
export { type Guard, type ProtectedHandler, type ProtectedRequest, protect, type Requirement } from "./protect.ts";
