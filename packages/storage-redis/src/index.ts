/** The public surface of `@sallyport/storage-redis`. */
export type { IoRedisClient, IoRedisCluster } from "./io-redis-client.ts";
export type { NodeRedisClient, NodeRedisCluster } from "./node-redis-client.ts";
export { RedisStore, type RedisStoreOptions } from "./redis-store.ts";
export { RedisStoreError, type RedisStoreFailure } from "./redis-store-error.ts";
