// The stand-in's other kinds of tenants: Azure AD B2C with its user flows, and external tenants (CIAM).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";

import { callback, client, Party, signedOut, startWith } from "./entra-party.mjs";

const b2c = {
  id: "b2c2c2c2-8c44-4e0f-a6d3-00000000b2c0",
  domain: "contosob2c.onmicrosoft.example",
  name: "Contoso customers",
  kind: "b2c",
  policies: { B2C_1_susi: "signIn", B2C_1_reset: "resetPassword", B2C_1_edit: "editProfile" },
};
const ciam = {
  id: "c1a2c1a2-8c44-4e0f-a6d3-0000000c1a20",
  domain: "contosociam.onmicrosoft.example",
  name: "Contoso guests",
  kind: "ciam",
};
const person = (tenant, oid) => ({
  username: "cleo@example.com",
  password: "asp",
  home: tenant.id,
  oid,
  name: "Cleo Customer",
  email: "cleo@example.com",
});
const cleo = person(b2c, "c1e0c1e0-0000-4000-8000-00000000b2c1");
const app = { tenant: b2c.id, audience: "AzureADMyOrg" };
const api = {
  clientId: "77777777-aaaa-4bbb-8ccc-000000000007",
  tenant: b2c.id,
  name: "API",
  appIdUri: "https://contosob2c.onmicrosoft.example/api",
  scopes: ["read"],
};

let entra;
let external;
before(async () => {
  entra = await startWith({ tenants: [b2c], users: [cleo], app, otherApps: [api] });
  external = await startWith({
    tenants: [ciam],
    users: [person(ciam, "c1e0c1e0-0000-4000-8000-0000000c1a21")],
    app: { tenant: ciam.id, audience: "AzureADMyOrg" },
  });
});
after(() => Promise.all([entra.close(), external.close()]));

const scope = "openid profile offline_access https://contosob2c.onmicrosoft.example/api/read";
const party = (flow = "B2C_1_susi") => new Party(entra, { authority: `${b2c.domain}/${flow}` });
const metadata = (path) => fetch(`${entra.instance}${path}/v2.0/.well-known/openid-configuration`);

test("a user flow has metadata of its own, under the domain or the GUID, and one issuer with a slash at its end", async () => {
  for (const path of [`${b2c.domain}/B2C_1_susi`, `${b2c.id}/b2c_1_SUSI`, `tfp/${b2c.domain}/B2C_1_susi`]) {
    const document = await (await metadata(path)).json();
    assert.equal(document.issuer, `${entra.instance}${b2c.id}/v2.0/`, path);
    assert.match(document.token_endpoint, /\/b2c_1_susi\/oauth2\/v2\.0\/token$/);
  }
  for (const path of [b2c.domain, `${b2c.domain}/B2C_1_other`, `common/B2C_1_susi`])
    assert.equal((await metadata(path)).status, 400, path);
});

test("a sign-in brings the flow's name, the flow in the account, and keys without an issuer", async () => {
  const one = party();
  const tokens = await one.tokens(cleo, { scope, client_info: "1" }, { client_info: "1" });
  const jwks = new URL(`${entra.instance}${b2c.domain}/B2C_1_susi/discovery/v2.0/keys`);
  const issuer = `${entra.instance}${b2c.id}/v2.0/`;
  const { payload } = await jwtVerify(tokens.id_token, createRemoteJWKSet(jwks), { issuer, audience: client.clientId });
  assert.deepEqual(
    [payload.tfp, payload.sub, payload.name, payload.preferred_username, payload.tid],
    ["b2c_1_susi", cleo.oid, cleo.name, undefined, undefined],
  );
  assert.deepEqual(JSON.parse(Buffer.from(tokens.client_info, "base64url")), {
    uid: `${cleo.oid}-b2c_1_susi`,
    utid: b2c.id,
  });
  assert.ok((await (await fetch(jwks)).json()).keys.every((key) => !("issuer" in key)));
  const access = decodeJwt(tokens.access_token);
  assert.deepEqual([access.aud, access.scp, access.tfp], [api.clientId, "read", "b2c_1_susi"]);
});

test("without an API's scope there is no access token, and with the client's own id there is one for it", async () => {
  const plain = await party().tokens(cleo, { scope: "openid offline_access" });
  assert.deepEqual(
    [plain.access_token, typeof plain.id_token, typeof plain.refresh_token],
    [undefined, "string", "string"],
  );
  const own = await party().tokens(cleo, { scope: `openid offline_access ${client.clientId}` });
  assert.equal(decodeJwt(own.access_token).aud, client.clientId);
});

test("one API can be asked for, already at sign-in", async () => {
  const { left } = await party().authorize({ scope: `${scope} api://orders/Read` });
  assert.equal(left.searchParams.get("error"), "invalid_request");
  assert.match(left.searchParams.get("error_description"), /^AADB2C90146: /);
});

test("a forgotten password and a cancelled sign-in are told to the app, and the reset flow changes the password", async () => {
  for (const [button, number] of [
    ["forgot", "AADB2C90118"],
    ["cancel", "AADB2C90091"],
  ]) {
    const one = party();
    const { left } = await one.press(await one.authorize({ scope }), { [button]: "yes" });
    assert.equal(left.origin + left.pathname, callback);
    assert.equal(left.searchParams.get("error"), "access_denied");
    assert.match(left.searchParams.get("error_description"), new RegExp(`^${number}: `));
  }
  const reset = party("B2C_1_reset");
  const page = await reset.authorize({ scope });
  assert.match(page.html, /Reset your password/);
  const { left } = await reset.press(page, { username: cleo.username, newPassword: "viper" });
  const { body } = await reset.redeem(left.searchParams.get("code"));
  assert.equal(decodeJwt(body.id_token).tfp, "b2c_1_reset");
  const old = party();
  assert.equal(
    (await old.press(await old.authorize({ scope }), { username: cleo.username, password: "asp" })).status,
    401,
  );
  assert.ok((await party().signIn({ ...cleo, password: "viper" }, { scope })).left);
});

test("the profile is edited in a flow of its own", async () => {
  const one = party("B2C_1_edit");
  const password = entra.users[0].password;
  const page = await one.signIn({ ...cleo, password }, { scope });
  assert.match(page.html, /Edit your profile/);
  const { left } = await one.press(page, { displayName: "Cleo <Renamed>" });
  const { body } = await one.redeem(left.searchParams.get("code"));
  assert.deepEqual([decodeJwt(body.id_token).name, decodeJwt(body.id_token).tfp], ["Cleo <Renamed>", "b2c_1_edit"]);
});

test("a refresh token stays with its user flow", async () => {
  const one = party();
  const { refresh_token: token } = await one.tokens({ ...cleo, password: entra.users[0].password }, { scope });
  assert.equal((await one.refresh(token, scope)).status, 200);
  one.authority = `${b2c.domain}/B2C_1_edit`;
  assert.equal((await one.refresh(token, scope)).status, 400);
});

test("sign-out wants the ID token where the tenant is set up so", async () => {
  const [tenant] = entra.tenants;
  const { id_token: idToken } = await party().tokens({ ...cleo, password: entra.users[0].password }, { scope });
  const logout = async (parameters) => {
    const response = await fetch(
      `${party().address}/logout?${new URLSearchParams({ post_logout_redirect_uri: signedOut, ...parameters })}`,
    );
    return { status: response.status, html: await response.text() };
  };
  assert.equal((await logout({})).status, 200);
  tenant.requiresIdTokenHint = true;
  for (const parameters of [{}, { id_token_hint: "a.b.c" }, { id_token_hint: `${idToken.slice(0, -8)}AAAAAAAA` }]) {
    const refused = await logout(parameters);
    assert.deepEqual([refused.status, /AADB2C90272/.test(refused.html)], [400, true]);
  }
  assert.match((await logout({ id_token_hint: idToken })).html, /id="onward"/);
  tenant.requiresIdTokenHint = false;
});

test("an external tenant's issuer is at a host of its own", async () => {
  const issuer = `https://${ciam.id}.ciamlogin.com/${ciam.id}/v2.0`;
  const document = await (
    await fetch(`${external.instance}${ciam.domain}/v2.0/.well-known/openid-configuration`)
  ).json();
  assert.deepEqual([document.issuer, new URL(document.token_endpoint).origin], [issuer, external.issuer]);
  const { id_token: token } = await new Party(external, { authority: ciam.domain }).tokens(external.users[0]);
  assert.deepEqual([decodeJwt(token).iss, decodeJwt(token).tid], [issuer, ciam.id]);
});
