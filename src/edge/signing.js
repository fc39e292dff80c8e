// Signatures of our own, made by WebCrypto: see src/edge/signing.rs.

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

// By key id. A key may be used by any request, unlike a promise of one, which belongs to the request that made it.
const signingKeys = new Map();

/** Signs; `pkcs8` is the private key called `kid`. */
export async function sign(kid, pkcs8, data) {
  // Views of wasm memory, which other requests may move while the key is imported.
  const [der, signed] = [pkcs8.slice(), data.slice()];
  let key = signingKeys.get(kid);
  if (key === undefined) {
    key = await crypto.subtle.importKey("pkcs8", der, ES256, false, ["sign"]);
    signingKeys.set(kid, key);
  }
  return new Uint8Array(await crypto.subtle.sign(ES256, key, signed));
}

/** The public half of a private key: the coordinates as a JWK has them. */
export async function publicPoint(pkcs8) {
  const key = await crypto.subtle.importKey("pkcs8", pkcs8.slice(), ES256, true, ["sign"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", key);
  return [x, y];
}
