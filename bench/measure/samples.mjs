// CPU for each request in µs, by scenario, contestant and round.

export class Samples {
  #of = new Map();

  add(scenario, contestant, round, microseconds) {
    this.of(scenario, contestant).set(round, microseconds);
  }

  /** By round. */
  of(scenario, contestant) {
    const key = `${scenario} ${contestant}`;
    if (!this.#of.has(key)) this.#of.set(key, new Map());
    return this.#of.get(key);
  }
}
