// A certificate for 127.0.0.1 that only the parts of one run trust: @hono/oidc-auth takes no OP without https.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { quietly } from "../../scripts/step.mjs";

/** `{ key, cert }` in PEM; the certificate is its own authority. */
export async function certificate(folder) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await quietly("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
