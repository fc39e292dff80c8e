// X.509 certificates for client assertions, made by hand (RFC 5280 §4.1): Node can read them but not make them.

import { createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** `{ pem, der, privateKey, name }` of a certificate for `name`, signed by `issuer` (one made here) or by itself. */
export function certificate(name, { issuer, days = 30, modulusLength = 2048 } = {}) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  const signer = issuer ?? { name, privateKey };
  const der = signed(toBeSigned({ name, issuerName: signer.name, privateKey, days }), signer.privateKey);
  const lines = der
    .toString("base64")
    .match(/.{1,64}/g)
    .join("\n");
  return { name, privateKey, der, pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}

const sha256WithRsa = sequence(objectId("2a864886f70d01010b"), Buffer.from("0500", "hex"));

function toBeSigned({ name, issuerName, privateKey, days }) {
  const now = Date.now();
  const validity = sequence(time(now - 2 * 86_400_000), time(now + days * 86_400_000));
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const serial = element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const version = element(0xa0, element(0x02, Buffer.from([2])));
  return sequence(version, serial, sha256WithRsa, distinguished(issuerName), validity, distinguished(name), key);
}

function signed(body, privateKey) {
  const signature = sign("sha256", body, privateKey);
  return sequence(body, sha256WithRsa, element(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

/** A name of one common name. */
function distinguished(name) {
  return sequence(element(0x31, sequence(objectId("550403"), element(0x0c, Buffer.from(name)))));
}

function time(milliseconds) {
  const text = new Date(milliseconds).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return element(0x17, Buffer.from(`${text}Z`));
}

function objectId(hex) {
  return element(0x06, Buffer.from(hex, "hex"));
}

function sequence(...parts) {
  return element(0x30, Buffer.concat(parts));
}

function element(tag, content) {
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}
