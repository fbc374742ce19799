/** The public surface of `@sallyport/test-servers`. */
export { freePort } from "./free-port.ts";
export { installedPostgres, installedRedis, installedValkey } from "./installation.ts";
export { type PostgresServer, startPostgres } from "./postgres.ts";
export { Program } from "./program.ts";
export {
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from "./redis.ts";
export { until } from "./until.ts";
