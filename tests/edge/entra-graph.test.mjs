// Microsoft Graph by its preset, at the stand-in for the Microsoft identity platform; and sign-ins that the platform refuses.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ada, grace, startEntraWorld } from "./entra-world.mjs";

let world;
let browser;
let page;
before(async () => {
  const apiVars = ({ graph }) => ({ Graph: { Preset: "Graph", BaseUrl: `${graph.address}/v1.0`, Scopes: "User.Read User.Read.All" } });
  world = await startEntraWorld({ apiVars, app: { assignmentRequired: true, assigned: [ada.username] } });
  page = `${world.publicOrigin}/api/Graph`;
  browser = world.browser();
  await browser.signIn("/", ada);
});
after(() => world.close());

test("the preset's token is for Microsoft Graph, and a page follows the links of its answers to the end", async () => {
  const me = await browser.script("/api/Graph/me");
  assert.deepEqual([me.status, me.json().userPrincipalName], [200, ada.username]);
  assert.match(world.graph.requests.at(-1).claims.scp, /User\.Read\.All/);
  const names = [];
  let address = `${page}/users?$top=1`;
  while (address) {
    const answer = await browser.script(address);
    assert.equal(answer.status, 200, answer.text);
    names.push(...answer.json().value.map(({ userPrincipalName }) => userPrincipalName));
    address = answer.json()["@odata.nextLink"];
    assert.ok(!address || address.startsWith(`${page}/users?`), address);
  }
  assert.ok(names.length > 1 && names.includes(ada.username) && names.includes(grace.username), String(names));
});

test("a delta link brings what has changed since, by way of the gateway", async () => {
  let answer = await browser.script("/api/Graph/users/delta?$top=100");
  const link = answer.json()["@odata.deltaLink"];
  assert.ok(link.startsWith(`${page}/users/delta?`), link);
  world.graph.changes.push({ id: "new", displayName: "Zoë" });
  answer = await browser.script(link);
  assert.deepEqual(answer.json().value.map(({ id }) => id), ["new"]);
});

test("a batch asks for several things at once", async () => {
  const body = JSON.stringify({ requests: [{ id: "1", method: "GET", url: "/me" }, { id: "2", method: "GET", url: "/users?$top=1" }] });
  const answer = await browser.script("/api/Graph/$batch", { method: "POST", headers: { "content-type": "application/json" }, body });
  const responses = Object.fromEntries(answer.json().responses.map(({ id, body }) => [id, body]));
  assert.equal(responses[1].userPrincipalName, ada.username);
  assert.ok(responses[2]["@odata.nextLink"].startsWith(`${page}/users?`));
});

test("who is not assigned reads so, may choose another account, and comes to the page with that one", async () => {
  const refused = await world.browser();
  const shown = await refused.signIn("/page/one?x=1", grace);
  assert.equal(shown.status, 403);
  assert.match(shown.text, /You are not assigned to this application/);
  assert.doesNotMatch(shown.text, /AADSTS|Trace ID|50105/);
  const trace = shown.text.match(/Reference: <code>([^<]+)</)[1];
  const [line] = (await world.events()).filter(({ event, trace: own }) => event === "op.error" && own === trace);
  assert.equal(line.op_error_code, "AADSTS50105");
  assert.match(line.op_trace_id, /^[0-9a-f-]{36}$/);
  assert.match(line.op_correlation_id, /^[0-9a-f-]{36}$/);
  const link = shown.text.match(/href="([^"]+)">Try again with another account</)[1].replaceAll("&amp;", "&");
  const picker = await refused.navigate(link, { from: shown.url });
  const form = await refused.press(picker, { account: "" });
  assert.equal((await refused.answerSignIn(form, ada)).url, `${world.publicOrigin}/page/one?x=1`);
});

test("who cancels starts again where they wanted to go", async () => {
  const visitor = world.browser();
  const shown = await visitor.press(await visitor.navigate("/page/two"), { cancel: "yes" });
  assert.match(shown.text, /Sign-in was declined/);
  const link = shown.text.match(/href="([^"]+)">Start again</)[1];
  assert.equal(link, `${world.publicOrigin}/page/two`);
});

test("token requests carry an id that our log has as well", async () => {
  const ids = world.entra.requests.filter(({ url }) => url.endsWith("/oauth2/v2.0/token")).map(({ headers }) => headers["client-request-id"]);
  assert.ok(ids.length > 0);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
