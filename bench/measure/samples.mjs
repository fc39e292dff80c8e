// CPU for each request in µs, by scenario, contestant and turn.

export class Samples {
  #of = new Map();

  add(scenario, contestant, turn, microseconds) {
    this.of(scenario, contestant).set(turn, microseconds);
  }

  /** By turn. */
  of(scenario, contestant) {
    const key = `${scenario} ${contestant}`;
    if (!this.#of.has(key)) this.#of.set(key, new Map());
    return this.#of.get(key);
  }
}
