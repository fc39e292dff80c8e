// Directories of customers at the stand-in: the user flows of Azure AD B2C, and an external tenant behind a custom domain.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { decodeJwt } from "jose";

import { startEntraWorld } from "./entra-world.mjs";
import { assertPage } from "./refusals.mjs";

const b2c = {
  id: "b2c2c2c2-8c44-4e0f-a6d3-00000000b2c0",
  domain: "contosob2c.onmicrosoft.example",
  name: "Contoso customers",
  kind: "b2c",
  policies: { B2C_1_susi: "signIn", B2C_1_reset: "resetPassword", B2C_1_edit: "editProfile" },
  requiresIdTokenHint: true,
};
const ciam = {
  id: "c1a2c1a2-8c44-4e0f-a6d3-0000000c1a20",
  domain: "contosociam.onmicrosoft.example",
  name: "Contoso guests",
  kind: "ciam",
};
const customer = (tenant, username) => ({
  username,
  password: "asp",
  home: tenant.id,
  oid: `${username}-object`,
  name: "Cleo Customer",
  email: username,
});
const [cleo, tony] = ["cleo@example.com", "tony@example.com"].map((name) => customer(b2c, name));
const ann = customer(ciam, "ann@example.com");

const flows = {
  SignUpSignInPolicyId: "B2C_1_susi",
  ResetPasswordPolicyId: "B2C_1_reset",
  EditProfilePolicyId: "B2C_1_edit",
};
const withoutGraph = { Graph: undefined };

let customers;
let external;
before(async () => {
  [customers, external] = await Promise.all([
    startEntraWorld({
      app: { tenant: b2c.id, audience: "AzureADMyOrg" },
      entra: { tenants: [b2c], users: [cleo, tony] },
      azureAd: { TenantId: undefined, Domain: b2c.domain, OmitIdTokenHint: false, ...flows },
      apiVars: withoutGraph,
    }),
    startEntraWorld({
      app: { tenant: ciam.id, audience: "AzureADMyOrg" },
      entra: { tenants: [ciam], users: [ann] },
      tenant: ciam.domain,
    }),
  ]);
});
after(() => Promise.all([customers?.close(), external?.close()]));

const claimsOf = async (browser) => (await browser.script("/.auth/me")).json().claims;
const formOf = (page, title) => assert.match(page.text, new RegExp(`<h1>${title}</h1>`));

test("a customer signs in by the user flow, calls an API, and is renewed by the same flow", async () => {
  const browser = customers.browser();
  const page = await browser.signIn("/page/one", cleo);
  assert.deepEqual([page.status, page.url], [200, `${customers.publicOrigin}/page/one`]);
  assert.equal((await claimsOf(browser)).name, cleo.name);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  await customers.advance(3000);
  await browser.navigate("/page/keep");
  await customers.advance(6000);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  await customers.advance(0);
  const tokenRequests = customers.entra.requests.filter(
    ({ method, url }) => method === "POST" && url.endsWith("/token"),
  );
  assert.deepEqual(
    [...new Set(tokenRequests.map(({ url }) => url.toLowerCase()))],
    [`/${b2c.domain}/b2c_1_susi/oauth2/v2.0/token`],
  );
});

test("whoever forgot the password sets a new one, and is on the page that they wanted", async () => {
  const browser = customers.browser();
  const reset = await browser.press(await browser.navigate("/page/two"), { forgot: "yes" });
  formOf(reset, "Reset your password");
  const page = await browser.press(reset, { username: tony.username, newPassword: "viper" });
  assert.deepEqual([page.status, page.url], [200, `${customers.publicOrigin}/page/two`]);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
});

test("cancelling is an error page, and no way into the password's flow", async () => {
  const browser = customers.browser();
  assertPage(await browser.press(await browser.navigate("/"), { cancel: "yes" }), 403);
  const reset = await browser.press(await browser.navigate("/"), { forgot: "yes" });
  assertPage(await browser.press(reset, { cancel: "yes" }), 403);
  assert.equal(browser.session, undefined);
});

test("a profile is edited, and one sign-out ends what came from either flow", async () => {
  const [browser, other] = [customers.browser(), customers.browser()];
  await other.signIn("/", cleo);
  await browser.signIn("/", cleo);
  const form = await browser.navigate("/.auth/login?policy=edit_profile&return_to=/page/profile");
  formOf(form, "Edit your profile");
  const page = await browser.press(form, { displayName: "Cleopatra" });
  assert.equal(page.url, `${customers.publicOrigin}/page/profile`);
  assert.equal((await claimsOf(browser)).name, "Cleopatra");
  const out = await browser.signOut({ atOp: false });
  const sent = new URL(out.url);
  assert.equal(sent.pathname.toLowerCase(), `/${b2c.domain}/b2c_1_edit/oauth2/v2.0/logout`);
  assert.equal(decodeJwt(sent.searchParams.get("id_token_hint")).tfp, "b2c_1_edit");
  const { page: end } = await browser.leave(out);
  assert.equal(new URL(end.url).pathname, "/signout-callback-oidc");
  await customers.advance(60);
  assert.equal((await other.script("/.auth/me")).status, 401);
  await customers.advance(0);
});

test("a user of an external tenant signs in, whose issuer is at another host than its endpoints", async () => {
  const browser = external.browser();
  assert.equal((await browser.signIn("/", ann)).status, 200);
  assert.equal((await claimsOf(browser)).tid, ciam.id);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  assert.equal((await browser.script("/api/Graph/me")).json().displayName, ann.name);
});
