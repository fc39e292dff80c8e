// How Rust is compiled for a measurement on the host, so that it measures what is deployed.

/**
 * The environment for cargo. In wasm the ciphers have no vector instructions; without them here as well, the numbers are
 * those of the same code, and no machine's abilities are in them.
 */
export function compiledAsDeployed() {
  const soft = ["chacha20_force_soft", "poly1305_force_soft"].flatMap((flag) => ["--cfg", flag]).join(" ");
  return { ...process.env, RUSTFLAGS: [process.env.RUSTFLAGS, soft].filter(Boolean).join(" ") };
}
