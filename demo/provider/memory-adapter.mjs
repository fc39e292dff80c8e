// oidc-provider's storage interface over one Map per provider. Its built-in one is shared by every provider of the
// process, so two tests would see each other's sessions.

export function memoryAdapterFactory() {
  const entries = new Map();
  return class MemoryAdapter {
    constructor(model) {
      this.model = model;
    }

    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
      entries.set(`${this.model}:${id}`, { payload, expiresAt });
    }

    async find(id) {
      const key = `${this.model}:${id}`;
      const entry = entries.get(key);
      if (entry && entry.expiresAt <= Date.now()) entries.delete(key);
      else return entry?.payload;
    }

    async findByUid(uid) {
      return this.#payloads().find((payload) => payload.uid === uid);
    }

    async findByUserCode(userCode) {
      return this.#payloads().find((payload) => payload.userCode === userCode);
    }

    async consume(id) {
      entries.get(`${this.model}:${id}`).payload.consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id) {
      entries.delete(`${this.model}:${id}`);
    }

    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(key);
      }
    }

    #payloads() {
      return [...entries]
        .filter(([key, entry]) => key.startsWith(`${this.model}:`) && entry.expiresAt > Date.now())
        .map(([, entry]) => entry.payload);
    }
  };
}
