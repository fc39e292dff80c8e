// Promise 3: the object that was authorised is the object that is forwarded.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { sendRaw } from "../worker/exchange.mjs";
import { startWorld } from "./world.mjs";

let world;
let browser;
before(async () => {
  world = await startWorld();
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());

function atOrigin() {
  return world.origin.requests.at(-1)?.url;
}

test("a request target arrives at the origin as it was judged", async () => {
  const targets = [
    ...["/page/a%20b", "/page/caf%C3%A9", "/page/%zz", "/page/a;b=c", "/page/a,b", "//page", "/page//x", "/page/a%2Fb"],
    ...["/page/100%25", "/..a/b..", "/.well-known/x", "/page?x=/../y", "/page?a=%2e%2e%2f&b=%00", "/page?", "/page??x"],
    ...["/page?x#y", "/apix/Orders/x", "/.authx/me", "/signin-oidcx", "/page/:8080", "/page/@evil", "/page?return_to=//evil"],
  ];
  for (const target of targets) {
    const answer = await browser.script("/", { target });
    assert.notEqual(answer.status, 400, target);
    // A fragment never belongs to a request, and an empty query is none.
    const wanted = target.split("#")[0].replace(/\?$/, "");
    assert.equal(atOrigin().replace(/\?$/, ""), wanted);
  }
});

test("dot segments are resolved before anything is decided, and what remains ambiguous is refused", async () => {
  const resolved = { "/page/../.auth/me": 200, "/page/./../api/Orders/whoami": 200, "/page/%2e%2e/.auth/me": 200 };
  for (const [target, status] of Object.entries(resolved)) {
    const count = world.origin.requests.length;
    assert.equal((await browser.script("/", { target })).status, status, target);
    assert.equal(world.origin.requests.length, count, target);
  }
  const refused = ["/page/..%2f.auth/me", "/page/%2e%2e%2fadmin", "/page/..%5cadmin", "/a%255c..%255cb", "/page/%00", "/%252e%252e%252fx"];
  for (const target of [...refused, "/page/%0d%0aX-Evil:1", "/api/Orders/..%2f..%2fadmin", "/api/Orders/%2e%2e%2fx", "/page/%7f"]) {
    const count = [world.origin.requests.length, world.orders.requests.length];
    const answer = await browser.script("/", { target });
    assert.deepEqual([answer.status, answer.json().code], [400, "bad_request"], target);
    assert.deepEqual([world.origin.requests.length, world.orders.requests.length], count, target);
  }
});

test("a path of ours never reaches the origin, nor does one below it", async () => {
  const count = world.origin.requests.length;
  const targets = ["/.auth", "/.auth/", "/.auth/x", "/.auth/me/", "/.auth//me", "/.auth/operator", "/api", "/api/Orders%2fx"];
  for (const target of [...targets, "/.auth/backchannel-logout/x"]) {
    assert.equal((await browser.script("/", { target })).status, 404, target);
  }
  for (const target of ["/signout-oidc", "/signout-oidc?x"]) assert.equal((await browser.script("/", { target })).status, 400, target);
  assert.equal(world.origin.requests.length, count);
});

test("no header changes where a request goes", async () => {
  const names = ["x-forwarded-uri", "x-forwarded-prefix", "x-forwarded-path", "x-original-url", "x-original-uri", "x-rewrite-url"];
  const more = ["x-envoy-original-path", "x-http-method-override", "x-forwarded-host", "forwarded", "x_forwarded_uri"];
  for (const name of [...names, ...more, "X-Forwarded-Proto", "cf-worker", "x-middleware-subrequest"]) {
    const headers = { [name]: "/.auth/health" };
    assert.equal((await browser.script("/page/kept?x=1", { headers })).status, 200, name);
    assert.equal(atOrigin(), "/page/kept?x=1");
    const { headers: arrived } = world.origin.requests.at(-1);
    if (/^(x[-_]forwarded|x-original|x-rewrite|x-envoy|forwarded)/i.test(name)) assert.notEqual(arrived[name.toLowerCase()], "/.auth/health", name);
    const anonymous = await world.browser().script("/page/kept", { headers });
    assert.equal(anonymous.status, 401, name);
  }
});

test("another Host changes neither the route nor any address that we write", async () => {
  const evil = "evil.example";
  const started = await world.browser().step("/page/one", { headers: { host: evil, "x-forwarded-host": evil } });
  assert.equal(new URL(started.headers.location).searchParams.get("redirect_uri"), `${world.publicOrigin}/signin-oidc`);
  const cookie = `__Host-session=${browser.session}`;
  const me = await world.browser().script("/.auth/me", { headers: { host: evil, cookie } });
  assert.doesNotMatch(JSON.stringify([me.text, me.headers]), /evil/);
  await world.browser().script("/page/one", { headers: { host: evil, cookie } });
  assert.equal(world.origin.requests.at(-1).headers["x-forwarded-host"], `localhost:${world.port}`);
  assert.equal(world.origin.requests.at(-1).headers.host, `127.0.0.1:${world.origin.port}`);
});

test("nobody but us tells the origin who is there, whatever the spelling of the header", async () => {
  const names = ["X-MS-CLIENT-PRINCIPAL", "x_ms_client_principal", "X-Ms_Client-Principal-Name", "x-ms-client-principal-id"];
  const more = ["x-ms-token-aad-access-token", "Remote-User", "remote_user", "X-Remote-User", "x-auth-request-user", "X_Real_IP"];
  const headers = { "x-harmless": "kept", connection: "x-ms-client-principal, x-forwarded-proto, x-hop" , "x-hop": "1" };
  for (const name of [...names, ...more, "Proxy-Authorization", "Authorization"]) headers[name] = "mallory";
  await browser.script("/page/one", { headers });
  const arrived = world.origin.requests.at(-1);
  assert.equal(arrived.headers["x-harmless"], "kept");
  assert.ok(!arrived.rawHeaders.includes("mallory"), arrived.rawHeaders.join(" "));
  assert.ok(arrived.headers["x-ms-client-principal"], "Connection must not take our own header away");
  assert.equal(arrived.headers["x-forwarded-proto"], "http");
  assert.equal(arrived.headers["x-hop"], undefined);
});

test("requests that no client library sends are refused or judged like any other", async () => {
  const cookie = `Cookie: __Host-session=${browser.session}\r\nSec-Fetch-Site: same-origin\r\nConnection: close`;
  const heads = {
    absolute: `GET http://evil.example/page/absolute HTTP/1.1\r\nHost: evil.example\r\n${cookie}\r\n\r\n`,
    space: `GET /page/a b HTTP/1.1\r\nHost: localhost\r\n${cookie}\r\n\r\n`,
    backslash: `GET /page\\..\\.auth/me HTTP/1.1\r\nHost: localhost\r\n${cookie}\r\n\r\n`,
    tab: `GET /page/\t/x HTTP/1.1\r\nHost: localhost\r\n${cookie}\r\n\r\n`,
    latin1: `GET /page/\xe9 HTTP/1.1\r\nHost: localhost\r\n${cookie}\r\n\r\n`,
  };
  for (const [name, head] of Object.entries(heads)) {
    const count = world.origin.requests.length;
    const answer = await sendRaw(world.port, Buffer.from(head, "latin1"));
    assert.match(answer, /^HTTP\/1\.1 (200|400|401|403|404) /, name);
    const arrived = world.origin.requests.slice(count).map(({ url }) => url);
    for (const url of arrived) assert.match(url, /^\/page\/[\w%]+(\/x)?$/, name);
  }
});
