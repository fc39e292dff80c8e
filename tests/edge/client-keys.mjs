// Keys and certificates of a client as operators make them, with openssl, and a Worker that signs for a client.

import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const kinds = { RSA: ["-newkey", "rsa:2048"], "P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] };

/** A key of that kind with a certificate by an authority of its own, and whatever else openssl makes of the two. */
export function makeClientKey(kind = "RSA") {
  const folder = mkdtempSync(join(tmpdir(), "client-key-"));
  const path = (name) => join(folder, name);
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  openssl("req", "-x509", ...kinds.RSA, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "90", "-subj", "/CN=authority");
  openssl("req", ...kinds[kind], "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=client");
  openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "60", "-out", "certificate.pem");
  const read = (name) => readFileSync(path(name), "utf8");
  const key = createPrivateKey(read("key.pem"));
  return {
    key: read("key.pem"),
    certificate: read("certificate.pem"),
    authority: read("ca.pem"),
    privateJwk: key.export({ format: "jwk" }),
    publicJwk: createPublicKey(key).export({ format: "jwk" }),
    /** A PFX file in base64, with the authority's certificate in it. */
    pfx: (password, ...more) => {
      const from = ["-inkey", "key.pem", "-in", "certificate.pem", "-certfile", "ca.pem"];
      openssl("pkcs12", "-export", ...from, "-passout", `pass:${password}`, ...more, "-out", "client.pfx");
      return readFileSync(path("client.pfx")).toString("base64");
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** A Worker that answers with an assertion for whatever audience is asked for, if it is asked with the token `bearer`. */
export function signer({ jwk, iss, sub, seconds, bearer }) {
  const authorization = bearer ? `Bearer ${bearer}` : null;
  return `
    const encode = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
    const text = (value) => encode(new TextEncoder().encode(JSON.stringify(value)));
    const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    export default {
      async fetch(request) {
        const aud = new URL(request.url).searchParams.get("audience");
        const isAllowed = request.headers.get("authorization") === ${JSON.stringify(authorization)};
        if (request.method !== "GET" || !isAllowed) return new Response("no", { status: 403 });
        const now = Math.floor(Date.now() / 1000);
        const names = ${JSON.stringify({ iss, sub })};
        const claims = { ...names, aud, jti: crypto.randomUUID(), iat: now, nbf: now, exp: now + ${seconds} };
        const input = text({ alg: "ES256" }) + "." + text(claims);
        const key = await crypto.subtle.importKey("jwk", ${JSON.stringify(jwk)}, ES256, false, ["sign"]);
        const signature = new Uint8Array(await crypto.subtle.sign(ES256, key, new TextEncoder().encode(input)));
        return Response.json({ value: input + "." + encode(signature) });
      },
    };`;
}
