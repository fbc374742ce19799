/** What the identity provider remembers: maps of its own, gone with the process. */
import type { Adapter, AdapterPayload } from "oidc-provider";

interface Remembered {
  readonly payload: AdapterPayload;
  /** In milliseconds; not an instant of the protocol, but of this map. */
  readonly expiresAt: number;
}

const SWEEP_FROM = 1000;

/**
 * The storage of one kind of record of one provider.
 *
 * The library's own storage drops the oldest of more than a thousand records, which would end sign-ins in a long test run.
 */
export function memoryAdapter(): Adapter {
  const records = new Map<string, Remembered>();
  let sweepAt = SWEEP_FROM;

  const live = (id: string): AdapterPayload | undefined => {
    const record = records.get(id);
    return record !== undefined && record.expiresAt > Date.now() ? record.payload : undefined;
  };

  const findBy = (member: "uid" | "userCode", value: string): AdapterPayload | undefined => {
    for (const id of records.keys()) {
      const payload = live(id);
      if (payload?.[member] === value) return payload;
    }
    return undefined;
  };

  const sweep = (): void => {
    for (const id of records.keys()) {
      if (live(id) === undefined) records.delete(id);
    }
    sweepAt = Math.max(SWEEP_FROM, records.size * 2);
  };

  return {
    async upsert(id, payload, expiresIn) {
      records.set(id, { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY });
      if (records.size > sweepAt) sweep();
    },
    async find(id) {
      return live(id);
    },
    async findByUid(uid) {
      return findBy("uid", uid);
    },
    async findByUserCode(userCode) {
      return findBy("userCode", userCode);
    },
    async consume(id) {
      const payload = live(id);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      records.delete(id);
    },
    async revokeByGrantId(grantId) {
      for (const [id, { payload }] of records) {
        if (payload.grantId === grantId) records.delete(id);
      }
    },
  };
}
