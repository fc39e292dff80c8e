// Signatures of our own, made by WebCrypto: see src/edge/signing.rs.

import { ALGORITHMS } from "./algorithms.js";

const { ES256 } = ALGORITHMS;

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

// By the name that they have in the deployment.
const clientKeys = new Map();

/** Signs with a key of this client's: `material` is PKCS#8, or a JWK as text, as `format` says. */
export async function signAsClient(name, format, material, algorithm, data) {
  const [bytes, signed] = [material.slice(), data.slice()];
  const parameters = ALGORITHMS[algorithm];
  let key = clientKeys.get(name);
  if (key === undefined) {
    const imported = format === "jwk" ? JSON.parse(new TextDecoder().decode(bytes)) : bytes;
    key = await crypto.subtle.importKey(format, imported, parameters, false, ["sign"]);
    clientKeys.set(name, key);
  }
  return new Uint8Array(await crypto.subtle.sign(parameters, key, signed));
}
