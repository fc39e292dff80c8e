// How clients prove who they are to the stand-in: secrets, certificates, and assertions of an outside issuer.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { exportJWK, generateKeyPair, SignJWT } from "jose";

import { contoso } from "../../demo/entra.mjs";
import { certificate } from "./certificate.mjs";
import { assertion, assertionType, assertRefused, client, Party, secret, startWith } from "./entra-party.mjs";

const outside = { issuer: "https://issuer.example/", subject: "system:serviceaccount:Default:app" };
const grant = { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" };
const certified = { ...client, clientId: "66666666-aaaa-4bbb-8ccc-000000000006", secrets: undefined };

let entra;
let party;
let own, stranger, authority, rolled;
let outsider;
before(async () => {
  [own, stranger, authority] = ["own", "stranger", "authority"].map((name) => certificate(name));
  rolled = certificate("app.example", { issuer: authority });
  outsider = await generateKeyPair("RS256");
  const jwks = { keys: [{ ...(await exportJWK(outsider.publicKey)), kid: "outsider", alg: "RS256" }] };
  const trustedNames = [{ subject: "CN=app.example", authority: authority.pem }];
  const registration = { ...certified, certificates: [own.pem], trustedNames, federated: [{ ...outside, jwks }] };
  entra = await startWith({
    app: { secrets: [{ value: secret }, { value: "expired", expiresAt: 1 }] },
    otherApps: [registration],
  });
  party = new Party(entra, { app: certified });
});
after(() => entra.close());

const basic = (id, value) => ({ authorization: `Basic ${Buffer.from(`${id}:${value}`).toString("base64")}` });
const withoutBody = { ...grant, client_id: undefined, client_secret: undefined };
const withSecret = (form, headers) => new Party(entra).token({ ...grant, ...form }, headers);

test("a secret is taken in the body, or form-encoded in a header", async () => {
  assert.equal((await withSecret()).status, 200);
  const encoded = new URLSearchParams({ s: secret }).toString().slice(2);
  assert.equal((await withSecret(withoutBody, basic(client.clientId, encoded))).status, 200);
  assertRefused(await withSecret(withoutBody, basic(client.clientId, secret)), 9002313, "invalid_request");
});

test("a wrong, an expired and a missing secret are told apart", async () => {
  assertRefused(await withSecret({ client_secret: "wrong" }), 7000215, "invalid_client", 401);
  assertRefused(await withSecret({ client_secret: "expired" }), 7000222, "invalid_client", 401);
  assertRefused(await withSecret({ client_secret: undefined }), 7000218, "invalid_client", 401);
  assertRefused(await withSecret({ client_id: undefined }), 900144, "invalid_request");
  assertRefused(await withSecret({ client_id: "nobody" }), 700016, "unauthorized_client");
});

test("a client authenticates in one way", async () => {
  assertRefused(await withSecret({}, basic(client.clientId, "x")), 9002313, "invalid_request");
  const two = { client_secret: secret, client_assertion: "x", client_assertion_type: assertionType };
  assertRefused(await withSecret(two), 9002313, "invalid_request");
  const differing = { ...grant, client_id: "another", client_secret: undefined };
  assertRefused(await withSecret(differing, basic(client.clientId, "x")), 9002313, "invalid_request");
});

const signed = (options) => assertion(entra, { certificate: own, clientId: certified.clientId, ...options });
const withAssertion = (compact, form = {}) =>
  party.token({ ...grant, client_assertion_type: assertionType, client_assertion: compact, ...form });

for (const alg of ["PS256", "RS256"]) {
  test(`an assertion with ${alg} and the thumbprint that belongs to it is taken, once`, async () => {
    const compact = await signed({ alg });
    assert.equal((await withAssertion(compact)).status, 200);
    assertRefused(await withAssertion(compact), 9002313, "invalid_request");
  });
}

test("the audience may be the token endpoint of the tenant's GUID, whichever address was used", async () => {
  party.authority = contoso.domain;
  assert.equal((await withAssertion(await signed({}))).status, 200);
  party.authority = contoso.id;
});

const thumbprint = ({ der }) => createHash("sha256").update(der).digest("base64url");
const now = () => Math.floor(Date.now() / 1000);
const wrongAssertions = {
  "of a certificate that is not registered": [700027, () => ({ certificate: stranger })],
  "by another key under the registered thumbprint": [
    700027,
    () => ({ certificate: { ...own, privateKey: stranger.privateKey } }),
  ],
  "without a thumbprint": [700027, () => ({ header: { "x5t#S256": undefined } })],
  "with PS256 and the thumbprint of RS256": [700027, () => ({ header: { "x5t#S256": undefined, x5t: "abc" } })],
  "with a kid alone": [700027, () => ({ header: { "x5t#S256": undefined, kid: thumbprint(own) } })],
  "for the issuer instead of the token endpoint": [700023, () => ({ claims: { aud: entra.issuerOf(contoso.id) } })],
  "for the token endpoint of another tenant": [
    700023,
    () => ({ claims: { aud: `${entra.instance}common/oauth2/v2.0/token` } }),
  ],
  "about another subject": [700021, () => ({ claims: { sub: "another" } })],
  "that lives longer than ten minutes": [700024, () => ({ claims: { exp: now() + 1200 } })],
  "that is over": [700024, () => ({ claims: { nbf: now() - 1200, exp: now() - 600 } })],
  "that is not good yet": [700024, () => ({ claims: { nbf: now() + 500 } })],
  "without an end": [700024, () => ({ claims: { exp: undefined } })],
  "without a beginning": [700024, () => ({ claims: { nbf: undefined } })],
};
for (const [what, [number, options]] of Object.entries(wrongAssertions)) {
  test(`an assertion ${what} is refused`, async () => {
    assertRefused(await withAssertion(await signed(options())), number, "invalid_client", 401);
  });
}

test("an assertion needs its type, its form and its id", async () => {
  const compact = await signed({});
  assertRefused(await withAssertion(compact, { client_assertion_type: undefined }), 900144, "invalid_request");
  assertRefused(await withAssertion(compact, { client_assertion_type: "jwt" }), 9002313, "invalid_request");
  assertRefused(await withAssertion("not.a.jwt"), 50027, "invalid_client", 401);
  assertRefused(await withAssertion(await signed({ claims: { jti: undefined } })), 9002313, "invalid_request");
});

test("a certificate in the header is taken for its subject and issuer", async () => {
  const x5c = (one) => ({ certificate: one, header: { x5c: [one.der.toString("base64")] } });
  assert.equal((await withAssertion(await signed(x5c(rolled)))).status, 200);
  assertRefused(await withAssertion(await signed({ certificate: rolled })), 700027, "invalid_client", 401);
  const forged = { name: authority.name, privateKey: stranger.privateKey };
  const wrongNames = [certificate("app.example"), certificate("other", { issuer: authority })];
  for (const wrong of [
    certificate("app.example", { issuer: stranger }),
    certificate("app.example", { issuer: forged }),
    ...wrongNames,
  ]) {
    assertRefused(await withAssertion(await signed(x5c(wrong))), 700027, "invalid_client", 401);
  }
  const old = certificate("app.example", { issuer: authority, days: -1 });
  assertRefused(await withAssertion(await signed(x5c(old))), 700027, "invalid_client", 401);
  const mixed = {
    certificate: rolled,
    header: { x5c: [rolled.der.toString("base64")], "x5t#S256": thumbprint(stranger) },
  };
  assertRefused(await withAssertion(await signed(mixed)), 700027, "invalid_client", 401);
});

function federated(claims = {}, key = outsider.privateKey) {
  const all = {
    iss: outside.issuer,
    sub: outside.subject,
    aud: "api://AzureADTokenExchange",
    exp: now() + 600,
    ...claims,
  };
  return new SignJWT(all).setProtectedHeader({ alg: "RS256", kid: "outsider" }).sign(key);
}

test("an assertion of a trusted outside issuer is taken, as often as it is good", async () => {
  const compact = await federated();
  for (let time = 0; time < 2; time += 1) assert.equal((await withAssertion(compact)).status, 200);
});

test("an outside assertion must fit issuer, audience and subject to the letter", async () => {
  const refused = async (number, claims, key) =>
    assertRefused(await withAssertion(await federated(claims, key)), number, "invalid_client", 401);
  await refused(700211, { iss: "https://issuer.example" });
  await refused(700212, { aud: entra.instance });
  await refused(700213, { sub: outside.subject.toLowerCase() });
  await refused(700024, { exp: now() - 600 });
  await refused(700027, {}, (await generateKeyPair("RS256")).privateKey);
  assertRefused(
    await new Party(entra).token({
      ...grant,
      client_secret: undefined,
      client_assertion_type: assertionType,
      client_assertion: await federated(),
    }),
    700211,
    "invalid_client",
    401,
  );
});
