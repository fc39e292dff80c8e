// How the Worker authenticates at a real OP without a shared secret: by keys in every form in which operators have them,
// imported into WebCrypto, and by assertions that somebody else signs.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";

import { freePort } from "../worker/free-port.mjs";
import { makeClientKey, signer } from "./client-keys.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const keys = {};
before(() => {
  keys.rsa = makeClientKey();
  keys.p256 = makeClientKey("P-256");
});
after(() => Object.values(keys).forEach((key) => key.remove()));

/** A world whose client has this public key, and a Worker with these credentials. */
async function worldOf({ entries, secrets, alg, jwk, vars = {}, named = {}, ...more }) {
  const adjust = (configuration) => {
    const [client] = configuration.clients;
    delete client.client_secret;
    const own = { token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: alg };
    Object.assign(client, own, { jwks: { keys: [{ ...jwk, use: "sig" }] } });
    return configuration;
  };
  const ofEntries = Object.entries(secrets).map(([name, value]) => [`OpenIdConnect__ClientCredentials__${name}`, value]);
  const world = await startWorld({
    ...more,
    provider: { adjust, ...more.provider },
    vars: { OpenIdConnect: { ClientCredentials: entries, ...vars } },
    secrets: { OpenIdConnect__ClientSecret: undefined, ...Object.fromEntries(ofEntries), ...named },
  });
  const assertions = [];
  world.op.provider.on("grant.success", (ctx) => assertions.push(ctx.oidc.body.client_assertion));
  return Object.assign(world, { assertions });
}

const happened = async (world, name) => (await world.events()).filter(({ event }) => event === name);
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
const thumbprint = ({ certificate }) => createHash("sha256").update(new X509Certificate(certificate).raw).digest("base64url");

const unicode = "pä\u{1f511} w";
const cases = {
  "RS256 by PEM with a certificate": () => ({
    entries: [{ SourceType: "Pem" }], secrets: { "0__Pem": keys.rsa.certificate + keys.rsa.key }, alg: "RS256", key: keys.rsa,
    header: { "x5t#S256": thumbprint(keys.rsa) },
  }),
  "PS256 by PEM with a key id": () => ({
    entries: [{ SourceType: "Pem", SigningAlgorithm: "PS256", KeyId: "k1" }], secrets: { "0__Pem": keys.rsa.key }, alg: "PS256",
    key: keys.rsa, jwk: { kid: "k1" }, header: { kid: "k1" },
  }),
  "ES256 by PEM": () => ({ entries: [{ SourceType: "Pem" }], secrets: { "0__Pem": keys.p256.key }, alg: "ES256", key: keys.p256, header: {} }),
  "ES256 by a PFX file with an empty password, for the token endpoint": () => ({
    entries: [{ SourceType: "Base64Encoded" }], secrets: { "0__Base64EncodedValue": keys.p256.pfx("") }, alg: "ES256", key: keys.p256,
    header: { "x5t#S256": thumbprint(keys.p256) }, vars: { ClientAssertionAudience: "TokenEndpoint" },
  }),
  "RS256 by a PFX file with its chain": () => ({
    entries: [{ SourceType: "Base64Encoded" }],
    secrets: { "0__Base64EncodedValue": keys.rsa.pfx(unicode), "0__CertificatePassword": unicode }, alg: "RS256", key: keys.rsa,
    vars: { SendX5C: true },
    header: {
      "x5t#S256": thumbprint(keys.rsa),
      x5c: [keys.rsa.certificate, keys.rsa.authority].map((pem) => new X509Certificate(pem).raw.toString("base64")),
    },
  }),
  "PS256 by a JWK": () => ({
    entries: [{ SourceType: "Jwk" }], alg: "PS256", key: keys.rsa, jwk: { kid: "j1" }, header: { kid: "j1" },
    secrets: { "0__Jwk": JSON.stringify({ ...keys.rsa.privateJwk, alg: "PS256", use: "sig", key_ops: ["verify"], kid: "j1" }) },
  }),
  "ES256 by a JWK in a list that is one secret": () => ({
    entries: undefined, alg: "ES256", key: keys.p256, header: {}, secrets: {}, all: [{ SourceType: "Jwk", Jwk: JSON.stringify(keys.p256.privateJwk) }],
  }),
};
for (const [name, make] of Object.entries(cases)) {
  test(`an OP takes ${name}, at every endpoint`, async () => {
    const { entries, secrets, alg, key, jwk, header, vars, all } = make();
    const named = all ? { OpenIdConnect__ClientCredentials: JSON.stringify(all) } : {};
    const world = await worldOf({ entries, secrets, alg, jwk: { ...key.publicJwk, ...jwk }, vars, named });
    try {
      const browser = world.browser();
      await browser.signIn();
      assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
      await browser.signOut({ atOp: false });
      await until(async () => (await happened(world, "token.revoked")).length === 1);
      assert.equal(world.assertions.length, 2);
      const claims = world.assertions.map((assertion) => {
        const [head, body] = assertion.split(".").slice(0, 2).map(decoded);
        assert.deepEqual(head, { alg, typ: "JWT", ...header });
        return body;
      });
      const { clientId } = world.client;
      const audience = vars?.ClientAssertionAudience ? `${world.op.issuer}/token` : world.op.issuer;
      for (const { iss, sub, aud, iat, nbf, exp } of claims) assert.deepEqual([iss, sub, aud, nbf, exp], [clientId, clientId, audience, iat, iat + 600]);
      assert.notEqual(claims[0].jti, claims[1].jti);
      assert.ok(!JSON.stringify(await world.worker.log()).includes("eyJ"));
    } finally {
      await world.close();
    }
  });
}

test("a PFX file that cannot be opened is passed over, and the log says why", async () => {
  const { rsa } = keys;
  for (const [file, password, reason] of [
    [rsa.pfx("right"), "wrong", /CertificatePassword is wrong/],
    // Nothing is encrypted: the MAC alone tells.
    [rsa.pfx("right", "-keypbe", "NONE", "-certpbe", "NONE"), "wrong", /CertificatePassword is wrong/],
    [rsa.pfx("x", "-legacy"), "x", /export it again: `openssl pkcs12 -legacy/],
    [rsa.pfx("x", "-keypbe", "NONE", "-certpbe", "NONE", "-nomac"), "x", /is no PFX file, or one without a MAC/],
    [rsa.pfx("x", "-nokeys"), "x", /must hold one private key/],
    [Buffer.from("hunter2").toString("base64"), "", /is no PFX file/],
    [keys.p256.pfx("x"), "x", /must hold a key for the algorithm that is named/],
  ]) {
    const entries = [{ SourceType: "Base64Encoded", SigningAlgorithm: "PS256" }, { SourceType: "Pem", SigningAlgorithm: "PS256" }];
    const secrets = { "0__Base64EncodedValue": file, "0__CertificatePassword": password || undefined, "1__Pem": rsa.key };
    const world = await worldOf({ entries, secrets, alg: "PS256", jwk: rsa.publicJwk });
    try {
      for (let time = 0; time < 2; time += 1) await world.browser().signIn();
      const unusable = await happened(world, "client_credential.unusable");
      assert.equal(unusable.length, 1);
      assert.match(unusable[0].reason, reason);
      assert.equal(unusable[0].credential, 0);
    } finally {
      await world.close();
    }
  }
});

test("of two credentials the one that the OP takes is found, and remembered", async () => {
  const entries = [{ SourceType: "ClientSecret" }, { SourceType: "Base64Encoded" }];
  const secrets = { "0__ClientSecret": "not this one", "1__Base64EncodedValue": keys.rsa.pfx("x"), "1__CertificatePassword": "x" };
  const world = await worldOf({ entries, secrets, alg: "RS256", jwk: keys.rsa.publicJwk });
  try {
    const tokenRequests = () => world.op.requests.filter(({ url }) => url === "/token").length;
    await world.browser().signIn();
    assert.equal(tokenRequests(), 2);
    await world.browser().signIn();
    assert.equal(tokenRequests(), 3);
    const rolledOver = await happened(world, "client_credential.rolled_over");
    assert.deepEqual(rolledOver.map(({ credential, refused }) => [credential, refused]), [[1, 0]]);
    assert.ok(!JSON.stringify(await world.worker.log()).includes("not this one"));
  } finally {
    await world.close();
  }
});

test("an assertion of a service binding will do, and no secret of the client's is stored", async () => {
  const port = await freePort();
  const entry = { SourceType: "CustomSignedAssertion", AssertionService: "SIGNER", TokenExchangeUrl: `http://127.0.0.1:${port}` };
  // Its end is too near for an assertion to be kept, so that each is used once.
  const services = { SIGNER: signer({ jwk: keys.p256.privateJwk, iss: "edge-tests", sub: "edge-tests", seconds: 50, bearer: "let me in" }) };
  const secrets = { "0__AssertionToken": "let me in" };
  const world = await worldOf({ entries: [entry], secrets, alg: "ES256", jwk: keys.p256.publicJwk, services, provider: { port } });
  try {
    const browser = world.browser();
    await browser.signIn();
    assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
    assert.equal(new Set(world.assertions).size, 2);
    const log = JSON.stringify(await world.worker.log());
    assert.ok(!log.includes("let me in") && !log.includes("eyJ"));
  } finally {
    await world.close();
  }
});
