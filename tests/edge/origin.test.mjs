// What the origin can be, and what is rewritten on the way there and back.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { exchange } from "../worker/exchange.mjs";
import { until } from "./until.mjs";
import { connect } from "./web-sockets.mjs";
import { startWorld } from "./world.mjs";

// Tells what it was asked, answers a WebSocket with what it hears, and redirects to its own address.
const service = `
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get("upgrade") === "websocket") {
      const { 0: theirs, 1: ours } = new WebSocketPair();
      ours.accept();
      ours.addEventListener("message", ({ data }) => ours.send(data));
      return new Response(null, { status: 101, webSocket: theirs });
    }
    if (pathname === "/redirect") return new Response(null, { status: 302, headers: { location: request.url + "ed" } });
    const { method, url, headers, cf } = request;
    return Response.json({ method, url, headers: Object.fromEntries(headers), country: cf?.country, body: await request.text() });
  },
};`;

async function signedIn(world) {
  const browser = world.browser();
  await browser.signIn();
  return browser;
}

describe("a service binding", () => {
  let world;
  let browser;
  before(async () => {
    const Gateway = { Origin: undefined, OriginService: "APP", ResponseHeaders: { "X-Frame-Options": "DENY" } };
    world = await startWorld({ vars: { Gateway }, services: { APP: service }, cf: { country: "CH" } });
    browser = await signedIn(world);
  });
  after(() => world.close());

  test("sees what the browser asked for, and who is signed in", async () => {
    const headers = { "x-ms-client-principal-id": "spoofed", cookie: "theme=dark" };
    const answer = await browser.script("/a%2Fb//c?d=%20", { method: "POST", body: "body", headers });
    const seen = answer.json();
    assert.deepEqual([seen.method, seen.url, seen.body], ["POST", `${world.publicOrigin}/a%2Fb//c?d=%20`, "body"]);
    assert.equal(seen.country, "CH");
    assert.equal(seen.headers.host, new URL(world.publicOrigin).host);
    assert.match(seen.headers["x-ms-client-principal-id"], /^(?!spoofed)./);
    assert.equal(seen.headers["x-forwarded-host"], new URL(world.publicOrigin).host);
    assert.doesNotMatch(String(seen.headers.cookie), /__Host-/);
    assert.equal(answer.headers["x-frame-options"], "DENY");
  });

  test("answers nobody without a session", async () => {
    const answer = await world.browser().script("/page/one");
    assert.deepEqual([answer.status, answer.json().code], [401, "login_required"]);
  });

  test("redirects as it likes", async () => {
    const answer = await browser.script("/redirect");
    assert.deepEqual([answer.status, answer.headers.location], [302, `${world.publicOrigin}/redirected`]);
  });

  test("has its WebSockets carried, which end with the session", async () => {
    const other = await signedIn(world);
    const { socket, messages, closed } = await connect(other, "/chat");
    socket.send("Zoë");
    await until(() => messages.at(-1) === "Zoë");
    await other.signOut({ atOp: false });
    assert.deepEqual(await closed, [4401, "signed out"]);
  });
});

describe("a static-assets binding", () => {
  let directory;
  let world;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "vestibule-assets-"));
    writeFileSync(join(directory, "index.html"), "<h1>a page</h1>");
    writeFileSync(join(directory, "app.js"), "// a script");
    const Gateway = { Origin: undefined, OriginService: "ASSETS" };
    world = await startWorld({ vars: { Gateway }, assets: directory });
  });
  after(async () => {
    await world?.close();
    rmSync(directory, { recursive: true });
  });

  test("serves pages and scripts to whoever is signed in, and to nobody else", async () => {
    const stranger = world.browser();
    for (const path of ["/index.html", "/", "/app.js"]) {
      const answer = await stranger.script(path);
      assert.deepEqual([answer.status, answer.json().code], [401, "login_required"], path);
    }
    const browser = world.browser();
    const page = await browser.signIn("/");
    assert.deepEqual([page.status, page.text], [200, "<h1>a page</h1>"]);
    const script = await browser.script("/app.js");
    assert.deepEqual([script.status, script.text], [200, "// a script"]);
    const again = await browser.script("/app.js", { headers: { "if-none-match": script.headers.etag } });
    assert.deepEqual([again.status, again.text], [304, ""]);
    assert.equal((await browser.script("/missing")).status, 404);
    assert.equal((await browser.script("/app.js", { method: "POST", body: "x" })).status, 405);
  });
});

describe("a URL", () => {
  let world;
  let browser;
  before(async () => {
    const Gateway = {
      StripPathPrefix: "/app",
      RequestHeaders: { "X-Tenant": "one" },
      RemoveRequestHeaders: "Accept-Language",
      ResponseHeaders: { "X-Frame-Options": "DENY", Vary: "X-Tenant" },
      RemoveResponseHeaders: "Server X-Powered-By",
    };
    world = await startWorld({ vars: { Gateway } });
    browser = await signedIn(world);
  });
  after(() => world.close());
  afterEach(() => {
    world.origin.intercept = undefined;
  });

  /** The next requests for this path are answered so. */
  function answerWith(status, headers, body = "") {
    world.origin.intercept = (_request, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };
  }

  const own = () => `http://127.0.0.1:${world.origin.port}`;

  test("gets the rest of the path, and headers of the operator's", async () => {
    const answer = await browser.script("/app/echo?a=%2F", { headers: { "accept-language": "en", "x-tenant": "two" } });
    const { url, headers } = answer.json();
    assert.deepEqual([url, headers["x-tenant"], headers["accept-language"]], ["/echo?a=%2F", "one", undefined]);
    assert.equal(headers["x-forwarded-prefix"], "/app");
    assert.equal(headers.host, new URL(own()).host);
  });

  test("has headers of its answers set and taken away", async () => {
    const theirs = { server: "x/1", "x-powered-by": "y", "x-frame-options": "ALLOWALL", vary: "Cookie", "x-own": "kept" };
    answerWith(200, { ...theirs, "cache-control": "public, max-age=60" }, "body");
    const { headers, text } = await browser.script("/app/page/one");
    assert.deepEqual([headers.server, headers["x-powered-by"], headers["x-frame-options"]], [undefined, undefined, "DENY"]);
    assert.deepEqual([headers.vary, headers["x-own"]], ["Cookie, X-Tenant", "kept"]);
    assert.deepEqual([headers["cache-control"], text], ["public, max-age=60", "body"]);
  });

  test("redirects to its own address by way of the public one", async () => {
    for (const [path, location, expected] of [
      ["/app/x", `${own()}/y?z=%2F#w`, `${world.publicOrigin}/app/y?z=%2F#w`],
      ["/app/x", "/y", "/y"],
      ["/app/x", "https://elsewhere.example/y", "https://elsewhere.example/y"],
    ]) {
      answerWith(303, { location });
      const answer = await browser.script(path);
      assert.deepEqual([answer.status, answer.headers.location], [303, expected]);
    }
    assert.equal((await browser.script("/x")).status, 404);
    answerWith(201, { location: `${own()}/y` });
    assert.equal((await browser.script("/app/x")).headers.location, `${own()}/y`);
  });

  test("is asked past Cloudflare's cache, and hears nothing of that", async () => {
    await world.worker.command({ fetches: true });
    await browser.script("/app/echo");
    await browser.script("/api/Orders/orders");
    const fetches = (await world.worker.log()).filter((line) => line.test === "fetch");
    const asked = fetches.filter(({ url }) => url.endsWith("/echo") || url.endsWith("/orders"));
    const bypass = { cacheTtl: -1, cacheLevel: "bypass" };
    assert.deepEqual(asked.map(({ cf }) => cf), [bypass, bypass]);
    for (const { headers } of [world.origin.requests.at(-1), world.orders.requests.at(-1)]) {
      assert.deepEqual([headers["cache-control"], headers.pragma], [undefined, undefined]);
    }
  });
});

describe("cookies of the origin", () => {
  let world;
  let browser;
  before(async () => {
    world = await startWorld();
    browser = await signedIn(world);
  });
  after(() => world.close());

  test("pass as they are, and separately, except those that look like ours", async () => {
    const attempt = world.browser();
    await attempt.step("/.auth/login");
    const names = attempt.seen.flatMap(({ setCookies }) => setCookies).map((line) => line.split("=")[0]);
    assert.match(names.join(), /^__Host-login-[^,]+$/);
    const theirs = [
      "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/",
      'b="x, y"; HttpOnly',
      "__Host-session2=theirs; Path=/; Secure",
      "x__Host-session=theirs",
      "c=__Host-session=theirs",
      "d",
    ];
    const forged = [
      "__Host-session=evil; Path=/; Secure",
      "__Host-session.Staff=evil; Path=/; Secure",
      "__Host-login.Staff-x=evil; Path=/; Secure",
      "__Host-session=; Path=/; Secure; Max-Age=0",
      " __Host-session =evil; Path=/; Secure",
      "=__Host-session=evil; Path=/; Secure",
      "__host-SESSION=evil; Path=/; Secure",
      "__Host-logout=evil; Path=/; Secure",
      "__Host-login.Staff.x=evil; Path=/; Secure",
      "=__Host-logout.Staff=evil; Path=/; Secure",
      ...names.map((name) => `${name}=evil; Path=/; Secure`),
    ];
    const cached = { "cache-control": "no-cache" };
    for (const [lines, expected] of [[theirs, theirs], [forged, []], [[theirs[0], ...forged, ...theirs.slice(1)], theirs]]) {
      world.origin.intercept = (_request, response) => {
        response.writeHead(200, { ...cached, "set-cookie": lines }).end("body");
        return true;
      };
      const answer = await exchange(`${world.publicOrigin}/page/one`, { headers: browser.scriptHeaders() });
      assert.deepEqual([answer.setCookies, answer.text], [expected, "body"]);
      assert.equal(answer.headers["cache-control"], "no-cache");
    }
    world.origin.intercept = undefined;
    assert.equal((await browser.script("/page/one")).status, 200);
  });

  test("an answer with a cookie of ours is stored nowhere, whatever the origin says", async () => {
    await world.advance(2000);
    const body = gzipSync("body");
    world.origin.intercept = (_request, response) => {
      const headers = {
        "cache-control": "public, max-age=600",
        "cdn-cache-control": "max-age=600",
        "cloudflare-cdn-cache-control": "max-age=600",
        "surrogate-control": "max-age=600",
        expires: "Wed, 21 Oct 2099 07:28:00 GMT",
        pragma: "cache",
        etag: '"1"',
        "content-encoding": "gzip",
        "set-cookie": ["__Host-session=evil; Path=/; Secure", "a=1"],
      };
      response.writeHead(200, headers).end(body);
      return true;
    };
    const answer = await browser.step("/page/one", { headers: { "accept-encoding": "gzip" } });
    world.origin.intercept = undefined;
    const { headers, setCookies } = answer;
    assert.deepEqual([setCookies.length, setCookies[0]], [2, "a=1"]);
    assert.match(setCookies[1], /^__Host-session=(?!evil)/);
    assert.equal(headers["cache-control"], "no-store");
    for (const name of ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "expires", "pragma"]) {
      assert.equal(headers[name], undefined, name);
    }
    assert.deepEqual([headers.etag, headers["content-encoding"], answer.bytes], ['"1"', "gzip", body]);
  });
});

test("what is for everybody is left to caches, and what is not is not", async () => {
  const world = await startWorld({ vars: { Gateway: { Routes: [{ Path: "/public/**", Access: "Anonymous" }] } } });
  const browser = await signedIn(world);
  world.origin.intercept = (_request, response) => !!response.writeHead(200, { etag: '"1"' }).end("body");
  for (const [path, stated] of [["/public/a", undefined], ["/private/a", "no-store"]]) {
    const answer = await exchange(`${world.publicOrigin}${path}`, { headers: browser.scriptHeaders() });
    assert.deepEqual([answer.status, answer.headers["cache-control"], answer.headers.etag], [200, stated, '"1"'], path);
  }
  const stranger = await exchange(`${world.publicOrigin}/public/a`);
  assert.deepEqual([stranger.status, stranger.text, stranger.setCookies], [200, "body", []]);
  await world.close();
});
