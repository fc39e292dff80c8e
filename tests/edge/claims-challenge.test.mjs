// An API that is not content with its access token (RFC 6750 §3, OIDC Core 5.5), and one that wants to be asked later.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { alice } from "./people.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

const claims = { id_token: { acr: { values: ["urn:example:mfa"] } } };
const insufficient = `Bearer realm="a, b", error="insufficient_claims", claims="${btoa(JSON.stringify(claims))}"`;
const invalid = 'Basic realm="x", Bearer error="invalid_token", error_description="expired, or so"';

let world;
let browser;
before(async () => {
  world = await startWorld({ provider: { accessTokenSeconds: 600 } });
});
after(() => world.close());
beforeEach(async () => {
  world.orders.intercept = undefined;
  browser = world.browser();
  await browser.signIn("/", alice);
  assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
  world.op.requests.length = 0;
  world.issued.refreshed.length = 0;
  world.orders.requests.length = 0;
});

const whoami = () => browser.script("/api/Orders/whoami");
const tokens = () => world.orders.requests.map(({ headers }) => headers.authorization);

/** Answers those requests with 401 whose token is `isRefused`. */
function refuse(challenge, isRefused) {
  world.orders.intercept = (request, response) => {
    if (!isRefused(request.headers.authorization)) return false;
    response.writeHead(401, { "www-authenticate": challenge, "content-type": "text/plain" }).end("refused");
    return true;
  };
}

function refuseFirstToken(challenge) {
  let first;
  refuse(challenge, (token) => token === (first ??= token));
}

const paths = { "from memory alone": () => {}, "by an instance that has to read the entry": () => world.freshInstance() };
const challenges = { insufficient_claims: insufficient, invalid_token: invalid };
for (const [path, prepare] of Object.entries(paths)) {
  for (const [error, challenge] of Object.entries(challenges)) {
    test(`${error} to a call ${path}: one renewal and one more attempt`, async () => {
      refuseFirstToken(challenge);
      await prepare();
      assert.equal((await whoami()).json().sub, alice.claims.sub);
      const [first, second, ...more] = tokens();
      assert.notEqual(first, second);
      assert.deepEqual([more, world.issued.refreshed.length], [[], 1]);
      assert.equal((await whoami()).status, 200);
      assert.equal(tokens().at(-1), second);
      assert.equal(world.issued.refreshed.length, 1);
    });
  }

  test(`a body is sent once, ${path}: the challenge goes to the caller, whose next call has another token`, async () => {
    refuseFirstToken(insufficient);
    await prepare();
    const post = () => browser.script("/api/Orders/echo", { method: "POST", body: "once" });
    const refused = await post();
    assert.deepEqual([refused.status, refused.text, refused.headers["www-authenticate"]], [401, "refused", insufficient]);
    assert.equal(tokens().length, 1);
    assert.deepEqual((await post()).text, "once");
    assert.equal(world.issued.refreshed.length, 1);
  });

  test(`insufficient_claims for ever to a script, ${path}: it is told to send its user`, async () => {
    refuse(insufficient, () => true);
    await prepare();
    const answer = await whoami();
    assertProblem(answer, 401, "interaction_required");
    assert.match(answer.json().login_url, /[?&]request=/);
    assert.doesNotMatch(decodeURIComponent(answer.json().login_url), /acr|mfa/);
    assert.deepEqual([new Set(tokens()).size, world.issued.refreshed.length], [2, 1]);
    const location = new URL((await browser.step(answer.json().login_url)).headers.location);
    assert.deepEqual(JSON.parse(location.searchParams.get("claims")), claims);
  });

  test(`invalid_token for ever, ${path}: after one renewal the answer is the API's`, async () => {
    refuse(invalid, () => true);
    await prepare();
    const answer = await whoami();
    assert.deepEqual([answer.status, answer.text], [401, "refused"]);
    assert.deepEqual([new Set(tokens()).size, world.issued.refreshed.length], [2, 1]);
  });
}

test("insufficient_claims for ever to a page: the sign-in carries the claims, and a loop ends with a page that says so", async () => {
  refuse(insufficient, () => true);
  const page = await browser.navigate("/api/Orders/whoami");
  assertPage(page, 403);
  assert.equal(page.url, `${world.publicOrigin}/api/Orders/whoami`);
  const asked = world.op.requests.filter(({ url }) => url.startsWith("/auth?"));
  const carried = asked.map(({ url }) => JSON.parse(new URL(url, world.op.issuer).searchParams.get("claims")));
  assert.deepEqual(carried, [claims, claims]);
  assertProblem(await whoami(), 403, "interaction_loop");
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("insufficient_claims until the user has signed in for them: one sign-in, and the page is there", async () => {
  const before = new Set(world.issued.refreshed);
  refuse(insufficient, () => !world.op.requests.some(({ url }) => url.startsWith("/auth?")));
  const page = await browser.navigate("/api/Orders/whoami");
  assert.deepEqual([page.status, page.url, before.size], [200, `${world.publicOrigin}/api/Orders/whoami`, 0]);
  assert.equal(world.op.requests.filter(({ url }) => url.startsWith("/auth?")).length, 1);
});

test("a crowd whose token is refused costs one renewal", async () => {
  // A token is told from its successor by the second in which it was issued.
  await world.advance(2);
  refuseFirstToken(invalid);
  const answers = await Promise.all(Array.from({ length: 30 }, whoami));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.deepEqual([world.issued.refreshed.length, new Set(tokens()).size], [1, 2]);
});

for (const status of [429, 503]) {
  test(`${status} with Retry-After: a GET is sent once more after that time, a request with a body is not`, async () => {
    let busy = 2;
    world.orders.intercept = (request, response) => {
      if (busy === 0) return false;
      busy -= 1;
      request.resume().on("end", () => response.writeHead(status, { "retry-after": "1" }).end());
      return true;
    };
    const post = await browser.script("/api/Orders/echo", { method: "POST", body: "once" });
    assert.deepEqual([post.status, post.headers["retry-after"], world.orders.requests.length], [status, "1", 1]);
    assert.equal((await whoami()).status, 200);
    assert.equal(world.orders.requests.length, 3);
    assert.deepEqual(world.issued.refreshed, []);
  });
}
