// Certificates and federated credentials at the stand-in for the Microsoft identity platform, which verifies both as strictly.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";

import { decodeProtectedHeader } from "jose";

import { makeClientKey, signer } from "./client-keys.mjs";
import { ada, startEntraWorld } from "./entra-world.mjs";
import { assertPage } from "./refusals.mjs";

const keys = {};
before(() => {
  keys.own = makeClientKey();
  keys.other = makeClientKey();
  keys.p256 = makeClientKey("P-256");
});
after(() => Object.values(keys).forEach((key) => key.remove()));

/** A deployment without a secret of its own, whose credentials these are. */
function startWorldOf({ entries, secrets, azureAd, ...more }) {
  const named = Object.entries(secrets).map(([name, value]) => [`AzureAd__ClientCredentials__${name}`, value]);
  return startEntraWorld({
    azureAd: { ClientCredentials: entries, ...azureAd },
    secrets: { AzureAd__ClientSecret: undefined, ...Object.fromEntries(named) },
    ...more,
  });
}

async function used(world) {
  const browser = world.browser();
  assert.equal((await browser.signIn("/", ada)).status, 200);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  return world.entra.issued.map(({ params }) => params.client_assertion);
}

const pem = ({ key, certificate, authority }) => authority + certificate + key;
const happened = async (world, name) => (await world.events()).filter(({ event }) => event === name);

test("a registered certificate proves who the app is: PS256 with its SHA-256 thumbprint, anew for each request", async () => {
  for (const [entry, secrets] of [
    [{ SourceType: "Pem" }, { "0__Pem": pem(keys.own) }],
    [{ SourceType: "Base64Encoded" }, { "0__Base64EncodedValue": keys.own.pfx("p"), "0__CertificatePassword": "p" }],
  ]) {
    const world = await startWorldOf({ entries: [entry], secrets, app: { secrets: [], certificates: [keys.own.certificate] } });
    try {
      const assertions = await used(world);
      assert.equal(new Set(assertions).size, 2);
      for (const assertion of assertions) {
        const { alg, x5c, x5t, ...rest } = decodeProtectedHeader(assertion);
        assert.deepEqual([alg, x5c, x5t, Object.keys(rest).sort()], ["PS256", undefined, undefined, ["typ", "x5t#S256"]]);
      }
    } finally {
      await world.close();
    }
  }
});

test("with SendX5C a certificate is trusted by its subject and issuer", async () => {
  const { subject } = new X509Certificate(keys.own.certificate);
  const app = { secrets: [], trustedNames: [{ subject, authority: keys.own.authority }] };
  const secrets = { "0__Pem": pem(keys.own) };
  const world = await startWorldOf({ entries: [{ SourceType: "Pem" }], secrets, azureAd: { SendX5C: true }, app });
  try {
    const [first] = await used(world);
    assert.equal(decodeProtectedHeader(first).x5c.length, 2);
  } finally {
    await world.close();
  }
});

test("a certificate that is not registered gives way to the next one, and alone it is the operator's fault", async () => {
  const app = { secrets: [], certificates: [keys.own.certificate] };
  const entries = [{ SourceType: "Pem" }, { SourceType: "Pem" }];
  const both = await startWorldOf({ entries, secrets: { "0__Pem": pem(keys.other), "1__Pem": pem(keys.own) }, app });
  const alone = await startWorldOf({ entries: [entries[0]], secrets: { "0__Pem": pem(keys.other) }, app });
  try {
    await used(both);
    assert.deepEqual(both.entra.issued.slice(0, 2).map(({ status }) => status), [401, 200]);
    assert.equal((await happened(both, "client_credential.rolled_over")).length, 1);
    assertPage(await alone.browser().signIn("/", ada), 500);
    const { code, reason } = (await happened(alone, "request.refused")).at(-1);
    assert.deepEqual([code, reason], ["misconfigured", "the OP refused this client: invalid_client"]);
  } finally {
    await Promise.all([both.close(), alone.close()]);
  }
});

test("a federated credential needs no secret at all, and its assertion is used until it ends", async () => {
  const issuer = "https://workloads.example";
  const jwks = { keys: [{ ...keys.p256.publicJwk, alg: "ES256", use: "sig" }] };
  const app = { secrets: [], federated: [{ issuer, subject: "gateway", jwks }] };
  const services = { SIGNER: signer({ jwk: keys.p256.privateJwk, iss: issuer, sub: "gateway", seconds: 3600 }) };
  const entries = [{ SourceType: "CustomSignedAssertion", AssertionService: "SIGNER" }];
  const world = await startWorldOf({ entries, secrets: {}, app, services });
  try {
    const assertions = await used(world);
    assert.equal(assertions.length, 2);
    // Where the account has an object, that one may run in an isolate of its own.
    assert.equal(new Set(assertions).size, 1);
    assert.ok(!JSON.stringify(await world.worker.log()).includes(assertions[0].split(".")[1]));
  } finally {
    await world.close();
  }
});
