// Route rules in the real runtime: one deployment with a rule of each kind, and requests that no browser would send.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { interactionPolicy } from "oidc-provider";

import { confirmed } from "../../demo/settings.mjs";
import { exchange, sendRaw } from "../worker/exchange.mjs";
import { alice, bob } from "./people.mjs";
import { connect, startSockets } from "./web-sockets.mjs";
import { startWorld } from "./world.mjs";

const spa = "https://spa.example";
const isAlice = { Claims: { preferred_username: "alice" } };

const Routes = [
  { Path: "/open/**", Access: "Anonymous" },
  { Path: "/maybe/**", Access: "Optional" },
  { Path: "/json/**", Access: "Api" },
  { Path: "/shared/**", Access: "Api", CorsOrigins: spa },
  { Path: "/admin/**", Require: isAlice },
  { Path: "/hidden/**", Require: isAlice, Hide: true },
  { Path: "/strong/**", AcrValues: confirmed },
  { Path: "/vault/**", Sensitive: true },
  { Path: "/**", Host: "docs.example", Access: "Anonymous" },
  { Path: "/admin/**", Host: "docs.example", Require: isAlice },
  { Path: "/api/Orders/**", Require: isAlice },
];

/** An OP that takes `acr_values` for a demand, and has the end-user sign in again for it. */
function adjust(configuration) {
  const policy = interactionPolicy.base();
  const wanted = ({ oidc }) => oidc.params.acr_values?.split(" ") ?? [];
  const isMet = (ctx) => wanted(ctx).length === 0 || wanted(ctx).includes(ctx.oidc.acr);
  const check = new interactionPolicy.Check(
    "essential_acrs",
    "another sign-in is wanted",
    (ctx) => (isMet(ctx) ? interactionPolicy.Check.NO_NEED_TO_PROMPT : interactionPolicy.Check.REQUEST_PROMPT),
    (ctx) => ({ acr: { values: wanted(ctx) } }),
  );
  policy.get("login").checks.remove("essential_acrs");
  policy.get("login").checks.add(check);
  return { ...configuration, acrValues: [confirmed], interactions: { ...configuration.interactions, policy } };
}

let world;
let ofAlice;
let ofBob;
before(async () => {
  world = await startWorld({ vars: { Gateway: { Routes } }, provider: { adjust }, accountsApart: true });
  [ofAlice, ofBob] = [world.browser(), world.browser()];
  await ofAlice.signIn("/page/one", alice);
  await ofBob.signIn("/page/one", bob);
});
after(() => world.close());

/** What a request came to, and whether it arrived at the origin. */
async function fate(send) {
  const count = world.origin.requests.length;
  const answer = await send();
  const [arrived] = world.origin.requests.slice(count);
  if (arrived) return arrived.headers["x-ms-client-principal-name"] ?? "nobody";
  const isProblem = answer.headers["content-type"] === "application/problem+json";
  return isProblem ? `${answer.status} ${answer.json().code}` : answer.status;
}

test("each access has its answer for whoever comes", async () => {
  const stranger = world.browser();
  const left = world.browser();
  await left.signIn("/page/one", bob);
  const { session } = left;
  await left.signOut({ atOp: false });
  for (const [path, signedIn, unknown, ended] of [
    ["/open/x", ["nobody", "nobody"], ["nobody", "nobody"], ["nobody", "nobody"]],
    ["/maybe/x", ["alice", "alice"], ["nobody", "nobody"], ["nobody", "nobody"]],
    ["/json/x", ["alice", "alice"], ["401 login_required", "401 login_required"], ["401 session_expired", "401 session_expired"]],
    ["/page/x", ["alice", "alice"], ["401 login_required", 302], ["401 session_expired", 302]],
  ]) {
    const fates = async (browser, prepare = () => {}) => {
      const seen = [];
      for (const how of ["script", "step"]) {
        prepare();
        seen.push(await fate(() => browser[how](path)));
      }
      return seen;
    };
    assert.deepEqual(await fates(ofAlice), signedIn, path);
    assert.deepEqual(await fates(stranger), unknown, path);
    assert.deepEqual(await fates(left, () => (left.session = session)), ended, path);
  }
  await ofBob.signIn("/page/one", bob);
});

test("whoever left passes as a stranger and loses the cookie", async () => {
  const tampered = world.browser();
  tampered.session = `${ofAlice.session.slice(0, -2)}AA`;
  const answer = await tampered.script("/maybe/x", { headers: { "x-ms-client-principal-name": "alice" } });
  assert.match(answer.setCookies.join(), /^__Host-session=; .*Max-Age=0/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(world.origin.requests.at(-1).headers["x-ms-client-principal-name"], undefined);
});

test("a requirement lets one user pass and not another", async () => {
  for (const [path, expected] of [["/admin/x", "403 forbidden"], ["/hidden/x", "404 not_found"]]) {
    assert.equal(await fate(() => ofAlice.script(path)), "alice", path);
    assert.equal(await fate(() => ofBob.script(path)), expected, path);
  }
  const count = world.orders.requests.length;
  assert.equal(await fate(() => ofBob.script("/api/Orders/whoami")), "403 forbidden");
  assert.equal(world.orders.requests.length, count);
  assert.equal((await ofAlice.script("/api/Orders/whoami")).status, 200);
  assert.equal((await ofBob.script("/api/Invoices/whoami")).status, 200);
});

test("a better sign-in is asked of the OP and counts from then on", async () => {
  const browser = world.browser();
  await browser.signIn("/page/one", alice);
  const told = await browser.script("/strong/x");
  const problem = told.json();
  assert.deepEqual([told.status, problem.code, problem.acr_values], [401, "step_up_required", [confirmed]]);
  assert.equal(new URL(problem.login_url).searchParams.get("acr_values"), confirmed);
  const count = world.origin.requests.length;
  const form = await browser.navigate("/strong/x?y=%20");
  assert.ok(form.url.startsWith(`${world.op.issuer}/interaction/`), form.url);
  const landed = await browser.answerSignIn(form, alice);
  assert.equal(landed.url, `${world.publicOrigin}/strong/x?y=%20`);
  assert.equal(world.origin.requests.slice(count).at(-1).url, "/strong/x?y=%20");
  assert.equal(await fate(() => browser.script("/strong/x")), "alice");
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("an OP that brings no better sign-in is not asked again and again", async () => {
  const plain = await startWorld({ vars: { Gateway: { Routes } } });
  try {
    const browser = plain.browser();
    await browser.signIn("/page/one", alice);
    const { session } = browser;
    const page = await browser.navigate("/strong/x");
    assert.deepEqual([page.status, new URL(page.url).pathname], [403, "/signin-oidc"]);
    assert.equal(browser.session, session);
    assert.equal((await browser.script("/.auth/me")).status, 200);
  } finally {
    await plain.close();
  }
});

test("a sign-out in another isolate holds at the very next request of a sensitive route", async () => {
  const here = world.browser();
  await here.signIn("/page/one", bob);
  assert.equal(await fate(() => here.script("/vault/x")), "bob");
  assert.equal(await fate(() => here.script("/page/one")), "bob");
  const there = world.browser({ isElsewhere: true });
  there.session = here.session;
  const { session } = here;
  await there.signOut({ atOp: false });
  assert.equal(await fate(() => here.script("/vault/x")), "401 session_expired");
  here.session = session;
  assert.equal(await fate(() => here.script("/page/one")), "401 session_expired");
  await ofBob.signIn("/page/one", bob);
});

test("preflights are answered here, and a listed origin reads the answer", async () => {
  const send = (method, origin, headers) =>
    exchange(`${world.publicOrigin}/shared/x`, {
      method,
      headers: { origin, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", ...headers },
    });
  const asking = { "access-control-request-method": "PUT", "access-control-request-headers": "content-type" };
  const count = world.origin.requests.length;
  const granted = await send("OPTIONS", spa, asking);
  assert.equal(granted.status, 204);
  assert.equal(granted.headers["access-control-allow-origin"], spa);
  assert.equal(granted.headers["access-control-allow-credentials"], "true");
  assert.match(granted.headers["access-control-allow-methods"], /\bPUT\b/);
  for (const origin of ["null", "https://spa.example.evil.example", "https://SPA.example", "https://spa.example."]) {
    const refused = await send("OPTIONS", origin, asking);
    assert.deepEqual([refused.status, refused.headers["access-control-allow-origin"]], [403, undefined], origin);
  }
  const stranger = await send("PUT", spa);
  assert.deepEqual([stranger.status, stranger.headers["access-control-allow-origin"]], [401, spa]);
  assert.equal(world.origin.requests.length, count);
  const cookie = `__Host-session=${ofAlice.session}`;
  world.origin.intercept = (_request, response) => {
    response.writeHead(200, { "access-control-allow-origin": "*", vary: "Accept-Language" }).end("mine");
    return true;
  };
  try {
    const answer = await send("PUT", spa, { cookie });
    assert.deepEqual([answer.text, answer.headers["access-control-allow-origin"]], ["mine", spa]);
    assert.deepEqual(answer.headers.vary.split(/, ?/).sort(), ["Accept-Language", "Origin"]);
    const foreign = await send("PUT", "https://evil.example", { cookie });
    assert.deepEqual([foreign.status, foreign.headers["access-control-allow-origin"]], [403, undefined]);
    const read = await send("GET", "https://evil.example", { cookie });
    assert.deepEqual([read.status, read.headers["access-control-allow-origin"]], [403, undefined]);
  } finally {
    world.origin.intercept = undefined;
  }
});

/** As the most lenient origin reads a path. */
function folded(url) {
  let path = url;
  for (let times = 0; times < 3; times += 1) path = path.replace(/%[0-9a-f]{2}/gi, (octet) => String.fromCharCode(parseInt(octet.slice(1), 16)));
  const segments = [];
  for (const segment of path.split(/[?#]/)[0].replaceAll("\\", "/").toLowerCase().split("/")) {
    const name = segment.split(";")[0].replace(/[. ]+$/, (end) => (/^\.+$/.test(segment.split(";")[0]) ? end : ""));
    if (name === "..") segments.pop();
    else if (name !== "" && name !== ".") segments.push(name);
  }
  return `/${segments.join("/")}`;
}

const confusions = [
  ...["/admin", "/admin/", "/admin/x", "/admin%2f..", "/admin%2f../x", "//admin", "//admin/x", "/%61dmin", "/%61dmin/x"],
  ...["/%2561dmin/x", "/ADMIN/x", "/Admin", "/admin;a=b/x", "/admin;/x", "/admin%3bx/y", "/admin./x", "/admin%20/x"],
  ...["/admin%2fx", "/admin%5cx", "/admin\\x", "/admin%00", "/admin%00/x", "/admin%3f", "/admin%23x", "/admin#/open/x"],
  ...["/admin?/open/x", "/open/../admin/x", "/open/%2e%2e/admin/x", "/open/..%2fadmin/x", "/open%2f..%2fadmin/x"],
  ...["/open\\..\\admin\\x", "/open/..;/admin/x", "/open/.;/../admin/x", "/open//../admin/x", "/open/..//admin/x"],
  ...["/./admin/x", "/.//admin/x", "/x/../admin", "/open/x%2f..%2f..%2fadmin", "/%2fadmin/x", "/%5cadmin/x", "/;/admin/x"],
  ...["http://localhost/admin/x", "http://docs.example/admin/x", "http://evil.example//admin/x", "HTTP://x@localhost/admin/x"],
];

test("a request that says that it has no body passes like any other", async () => {
  for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
    for (const path of ["/open/x", "/page/x"]) {
      const headers = { ...ofAlice.scriptHeaders(), "content-length": "0" };
      const count = world.origin.requests.length;
      const { status } = await exchange(`${world.publicOrigin}${path}`, { method, headers });
      assert.ok(status < 500, `${method} ${path}: ${status}`);
      assert.equal(world.origin.requests.slice(count)[0]?.method, method);
    }
  }
});

test("no spelling of a path gets anybody past its rule", async () => {
  for (const session of [undefined, ofBob.session]) {
    for (const target of confusions) {
      for (const [method, host] of [["GET", `localhost:${world.port}`], ["POST", `localhost:${world.port}`], ["GET", "docs.example"], ["GET", "docs.example."]]) {
        const count = world.origin.requests.length;
        const cookie = session ? `Cookie: __Host-session=${session}\r\n` : "";
        const head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${cookie}Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
        const answer = await sendRaw(world.port, Buffer.from(head, "latin1"));
        assert.match(answer, /^HTTP\/1\.1 (200|400|401|403|404|405) /, `${method} ${target} at ${host}`);
        for (const { url } of world.origin.requests.slice(count)) {
          assert.doesNotMatch(folded(url), /^\/admin(\/|$)/, `${method} ${target} at ${host} arrived as ${url}`);
        }
      }
    }
  }
});

test("the oracle of the test above knows what it looks for", () => {
  for (const url of ["/admin", "/%61dmin/x", "//admin;a/x", "/ADMIN./x", "/open/..%2fadmin", "/%2561dmin", "/open/..;/admin"]) {
    assert.match(folded(url), /^\/admin(\/|$)/, url);
  }
  for (const url of ["/open/admin", "/administrators", "/open?/admin"]) assert.doesNotMatch(folded(url), /^\/admin(\/|$)/, url);
});

test("a rule with a host is for this host alone", async () => {
  const at = (host, path = "/x", cookie) =>
    fate(() => exchange(`${world.publicOrigin}${path}`, { headers: { host, "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin", ...(cookie && { cookie }) } }));
  for (const host of ["docs.example", "DOCS.example"]) assert.equal(await at(host), "nobody", host);
  const others = ["docs.example.", "docs.example:8080", "xdocs.example", "docs.example.evil.example", "evil.example"];
  for (const host of [...others, `localhost:${world.port}`]) assert.equal(await at(host), "401 login_required", host);
  const cookie = `__Host-session=${ofBob.session}`;
  for (const host of [...others, "docs.example"]) assert.equal(await at(host, "/admin/x", cookie), "403 forbidden", host);
});

test("requests with two hosts or none are served to nobody", async () => {
  const heads = [
    "GET /x HTTP/1.1\r\nHost: docs.example\r\nHost: localhost\r\n",
    "GET /x HTTP/1.1\r\nHost: docs.example, localhost\r\n",
    "GET /x HTTP/1.1\r\nHost: docs.example/..\r\n",
    "GET /x HTTP/1.1\r\nHost: localhost@docs.example\r\n",
    "GET /x HTTP/1.1\r\nHost: docs.example\\@localhost\r\n",
    "GET /x HTTP/1.1\r\n",
  ];
  for (const head of heads) {
    const count = world.origin.requests.length;
    const answer = await sendRaw(world.port, Buffer.from(`${head}Connection: close\r\n\r\n`, "latin1"));
    const arrived = world.origin.requests.slice(count);
    // Where the platform makes the host of a rule of it, it is this rule's; no other rule is for everybody.
    assert.ok(arrived.length === 0 || /docs\.example/.test(head), head);
    for (const request of arrived) assert.equal(request.headers["x-ms-client-principal"], undefined, head);
    // Some of these the platform itself refuses, in plain words.
    assert.match(answer, /^HTTP\/1\.1 (200|400|401|404|500 Internal Server Error\r\n(?!.*problem)) ?/s, head);
  }
});

const starts = ["//", "///", "/\\", "\\\\", "\\/", "/\t/", "/\n/", "/%09/", "/%2f", "/%5c", "/.//", "/x/..//", "/;//", "@", "https://", "https:/", "HTTPS:\\\\", "\u0001https://", "javascript:"];
const hosts = ["evil.example", "evil.example:443/x", "localhost@evil.example", "localhost%40evil.example", "evil\u3002example", "[::1]"];

test("no target of a sign-in leads elsewhere, as the platform's and Node's parsers read it", async () => {
  const browser = world.browser();
  await browser.signIn("/page/one", alice);
  for (const target of starts.flatMap((start) => hosts.map((host) => start + host))) {
    const from = browser.seen.length;
    const landed = await browser.navigate(`/.auth/login?${new URLSearchParams({ return_to: target })}`);
    assert.equal(new URL(landed.url).origin, world.publicOrigin, target);
    for (const { url, headers } of browser.seen.slice(from)) {
      if (!headers.location) continue;
      const { origin } = new URL(headers.location, url);
      assert.ok([world.publicOrigin, world.op.issuer].includes(origin), `${target} leads to ${headers.location}`);
    }
    const byNode = URL.canParse(target, world.publicOrigin) ? new URL(target, world.publicOrigin).origin : "null";
    if (byNode !== world.publicOrigin) assert.equal(landed.url, `${world.publicOrigin}/`, target);
  }
});

test("WebSockets open where nobody must sign in, and are nobody's", async () => {
  const sockets = await startSockets();
  const open = await startWorld({ vars: { Gateway: { Origin: `http://127.0.0.1:${sockets.port}`, Routes } } });
  try {
    const tampered = open.browser();
    tampered.session = "AAAA";
    for (const browser of [open.browser(), tampered]) {
      for (const path of ["/open/chat", "/maybe/chat"]) {
        const connection = await connect(browser, path, { headers: { "x-ms-client-principal-name": "alice" } });
        assert.ok(connection.socket, `${path}: ${connection.status}`);
        connection.socket.send("hello");
        const { socket, request } = sockets.connections.at(-1);
        const [message] = await new Promise((resolve) => socket.once("message", (...all) => resolve(all)));
        assert.equal(message.toString(), "hello");
        assert.equal(request.headers["x-ms-client-principal-name"], undefined);
        const isExpired = (connection.headers["set-cookie"] ?? []).some((line) => line.startsWith("__Host-session=;"));
        assert.equal(isExpired, browser === tampered && path === "/maybe/chat", path);
        connection.socket.close();
        await connection.closed;
      }
    }
    const refused = await connect(open.browser(), "/page/chat");
    assert.deepEqual([refused.status, refused.json().code], [401, "login_required"]);
  } finally {
    await Promise.all([open.close(), sockets.close()]);
  }
});
