// APIs that get the application's own token (client credentials, RFC 6749 §4.4).

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { resources, startWorld } from "./world.mjs";

const life = 60;
const apiVars = { Orders: { RequestAppToken: true } };
let ahead = 0;
let world;
let alone;
before(async () => {
  const start = (more) => startWorld({ provider: { accessTokenSeconds: life }, apiVars, ...more });
  [world, alone] = await Promise.all([start(), start({ withAccounts: false })]);
});
after(() => Promise.all([world.close(), alone.close()]));
beforeEach(async () => {
  // No token of an earlier test is good any more.
  ahead += life + 10;
  for (const place of [world, alone]) {
    await place.advance(ahead);
    place.issued.grants.length = 0;
    for (const api of [place.orders, place.invoices]) api.requests.length = 0;
  }
});

async function signedIn(place, account = alice) {
  const browser = place.browser();
  await browser.signIn("/", account);
  return browser;
}

const whoami = (browser, name = "Orders") => browser.script(`/api/${name}/whoami`);

function grants(place) {
  return place.issued.grants.filter(({ params }) => params.grant_type === "client_credentials");
}

async function assertServedAsApplication(place, browser) {
  const { sub, aud, scope } = (await whoami(browser)).json();
  assert.deepEqual([sub, aud, scope], [place.client.clientId, resources.Orders, "orders.read orders.write"]);
}

for (const [where, place] of Object.entries({ "with the objects": () => world, "on Workers KV alone": () => alone })) {
  test(`${where}: the API gets the client's own token, one for all users, and other APIs get theirs`, async () => {
    const [hers, his] = [await signedIn(place(), alice), await signedIn(place(), bob)];
    for (let round = 0; round < 3; round += 1) {
      for (const browser of [hers, his]) await assertServedAsApplication(place(), browser);
      await place().freshInstance();
    }
    assert.equal(grants(place()).length, 1);
    assert.deepEqual(grants(place())[0].params.resource, resources.Orders);
    assert.equal((await whoami(hers, "Invoices")).json().sub, alice.claims.sub);
    assert.equal((await whoami(his, "Invoices")).json().sub, bob.claims.sub);
  });

  test(`${where}: the token is renewed when its window has come, and once after the API refused it`, async () => {
    const browser = await signedIn(place());
    await assertServedAsApplication(place(), browser);
    await place().advance(ahead + 35);
    await assertServedAsApplication(place(), browser);
    assert.equal(grants(place()).length, 2);
    const refused = place().orders.requests.at(-1).headers.authorization;
    place().orders.intercept = (request, response) => {
      if (request.headers.authorization !== refused) return false;
      response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' }).end();
      return true;
    };
    await assertServedAsApplication(place(), browser);
    await assertServedAsApplication(place(), browser);
    place().orders.intercept = undefined;
    assert.equal(grants(place()).length, 3);
  });
}

test("fifty calls at once, of two users and through a fresh instance, make one grant", async () => {
  const browsers = [await signedIn(world, alice), await signedIn(world, bob)];
  await world.freshInstance();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, number) => whoami(browsers[number % 2])));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(world.orders.requests.map(({ headers }) => headers.authorization)).size, 1);
  assert.equal(grants(world).length, 1);
});

test("nobody reaches such an API without being signed in, and a sign-out takes no other user's way there", async () => {
  assertProblem(await whoami(world.browser()), 401, "login_required");
  const [hers, his] = [await signedIn(world, alice), await signedIn(world, bob)];
  await whoami(hers);
  const { session } = hers;
  await hers.signOut({ atOp: false });
  hers.session = session;
  assertProblem(await whoami(hers), 401, "session_expired");
  await assertServedAsApplication(world, his);
});

test("an outage of the object, or of Workers KV, costs a grant and nothing else", async () => {
  const browser = await signedIn(world);
  await whoami(browser, "Invoices");
  await world.worker.command({ account: "down", store: "down" });
  await assertServedAsApplication(world, browser);
  await assertServedAsApplication(world, browser);
  await world.worker.command({ account: "up", store: "up" });
  assert.equal(grants(world).length, 1);
});

test("an OP that refuses the application says so to the operator, and to nobody else", async () => {
  const browser = await signedIn(world);
  world.op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    response.writeHead(400, { "content-type": "application/json" }).end('{"error":"unauthorized_client"}');
    return true;
  };
  assertProblem(await whoami(browser), 500, "misconfigured");
  world.op.intercept = undefined;
  assert.equal((await whoami(browser, "Invoices")).status, 200);
});
