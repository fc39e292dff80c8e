// Bodies pass in both directions as they come: none is held back, gathered in memory or changed.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { crc32 } from "node:zlib";

import { open } from "../worker/exchange.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const mebibyte = 1024 * 1024;
const large = 1024 * mebibyte;
// What lies in buffers between the two ends: those of sockets, and of workerd's streams.
const mostOnTheWay = 64 * mebibyte;

let world;
let browser;
before(async () => {
  world = await startWorld();
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());
afterEach(() => {
  world.origin.intercept = undefined;
});

const url = (path) => `${world.publicOrigin}${path}`;

/** The origin does this with requests for the path. */
function originDoes(path, act) {
  world.origin.intercept = (request, response) => {
    if (request.url !== path) return false;
    act(request, response);
    return true;
  };
}

/** A body of so many bytes, no two chunks of which are the same; `sent` is what was taken of it so far. */
function bodyOf(length) {
  const block = randomBytes(mebibyte);
  const sent = { length: 0, hash: 0 };
  const chunks = function* () {
    while (sent.length < length) {
      const chunk = Buffer.from(block);
      chunk.writeUInt32LE(sent.length / mebibyte);
      sent.length += chunk.length;
      sent.hash = crc32(chunk, sent.hash);
      yield chunk;
    }
  };
  return { stream: Readable.from(chunks(), { objectMode: false, highWaterMark: mebibyte }), sent };
}

/** Reads a stream to its end. */
async function consumed(stream) {
  const received = { length: 0, hash: 0 };
  for await (const chunk of stream) {
    received.length += chunk.length;
    received.hash = crc32(chunk, received.hash);
  }
  return received;
}

/** A number that grows no more, as far as one can see. */
async function settled(look) {
  for (let last = -1; ; await pause(250)) {
    const now = look();
    if (now > 0 && now === last) return now;
    last = now;
  }
}

/** Runs something, and gives by how many bytes the memory of this process's workerd grew in the meantime. */
async function growth(act) {
  const pid = workerd();
  const resident = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
  const before = resident();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, resident());
  }, 20);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, resident()) - before;
}

function workerd() {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const [own, ...others] = processes.filter((id) => {
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${id}/stat`, "utf8"));
      return name.includes("workerd") && Number(parent) === process.pid;
    } catch {
      // It has ended.
      return false;
    }
  });
  assert.ok(own && others.length === 0, "there is one workerd of this test");
  return own;
}

function upload(path, body) {
  return open(url(path), { method: "PUT", headers: browser.scriptHeaders(), body });
}

test("a gibibyte passes in each direction, and the Worker's memory stays as it is", async (t) => {
  const bodies = [bodyOf(large), bodyOf(large)];
  const [up, down] = bodies;
  originDoes("/up", async (request, response) => response.end(JSON.stringify(await consumed(request))));
  const pass = async () => {
    const answer = JSON.parse(Buffer.concat(await (await upload("/up", up.stream)).toArray()));
    assert.deepEqual(answer, up.sent);
    originDoes("/down", (_request, response) => down.stream.pipe(response));
    const received = await consumed(await open(url("/down"), { headers: browser.scriptHeaders() }));
    assert.deepEqual(received, down.sent);
    for (const { sent } of bodies) assert.equal(sent.length, large);
  };
  if (process.platform !== "linux") {
    t.diagnostic("the memory of workerd is read from /proc, which this system does not have: only the bodies are checked");
    return pass();
  }
  const grown = await growth(pass);
  t.diagnostic(`workerd grew by ${Math.round(grown / mebibyte)} MiB`);
  assert.ok(grown < 100 * mebibyte, `workerd grew by ${grown} bytes`);
});

test("an origin that is not read writes no further, and goes on when it is", async () => {
  const { stream, sent } = bodyOf(256 * mebibyte);
  originDoes("/down", (_request, response) => stream.pipe(response));
  const answer = await open(url("/down"), { headers: browser.scriptHeaders() });
  const ahead = await settled(() => sent.length);
  assert.ok(ahead < mostOnTheWay, `${ahead} bytes are on the way`);
  assert.deepEqual(await consumed(answer), sent);
});

test("an origin that does not read is not sent any more, and is when it does", async () => {
  const { stream, sent } = bodyOf(256 * mebibyte);
  let read;
  originDoes("/up", (request, response) => {
    read = async () => response.end(JSON.stringify(await consumed(request)));
  });
  const answer = upload("/up", stream);
  const ahead = await settled(() => sent.length);
  assert.ok(ahead < mostOnTheWay, `${ahead} bytes are on the way`);
  read();
  assert.deepEqual(JSON.parse(Buffer.concat(await (await answer).toArray())), sent);
});

test("each event arrives before the next is sent, and a renewed session before the first", async () => {
  let response;
  originDoes("/events", (_request, its) => {
    response = its;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" }).flushHeaders();
  });
  const place = await startWorld();
  try {
    const other = place.browser();
    await other.signIn();
    place.origin.intercept = world.origin.intercept;
    await place.advance(2000);
    const headers = { cookie: `__Host-session=${other.session}`, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none" };
    const answer = await open(`${place.publicOrigin}/events`, { headers });
    assert.match(answer.headers["set-cookie"][0], /^__Host-session=./);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["content-type"], "text/event-stream");
    const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
    for (let event = 0; event < 20; event += 1) {
      response.write(`data: ${event}\n\n`);
      assert.equal((await received.next()).value, `data: ${event}\n\n`);
    }
    response.end();
    assert.equal((await received.next()).done, true);
  } finally {
    await place.close();
  }
});

for (const length of [undefined, 200_005]) {
  test(`what is uploaded arrives before the rest is sent, ${length ? "with" : "without"} a length`, async () => {
    let arrived;
    let respond;
    originDoes("/up", (request, response) => {
      arrived = request;
      respond = () => response.end("done");
    });
    const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders() };
    const all = { ...headers, ...(length && { "content-length": length }) };
    const request = httpRequest(url("/up"), { host: "127.0.0.1", method: "PUT", headers: all });
    request.write("first");
    await until(() => arrived);
    const framing = [arrived.headers["content-length"], arrived.headers["transfer-encoding"]];
    assert.deepEqual(framing, length ? [String(length), undefined] : [undefined, "chunked"]);
    const received = arrived.setEncoding("utf8")[Symbol.asyncIterator]();
    assert.equal((await received.next()).value, "first");
    request.write("second");
    assert.equal((await received.next()).value, "second");
    request.end("x".repeat((length ?? 200_000) - "firstsecond".length));
    let rest = 0;
    for await (const { length: more } of received) rest += more;
    assert.equal(rest, (length ?? 200_000) - "firstsecond".length);
    respond();
    const [answer] = await once(request, "response");
    assert.equal(Buffer.concat(await answer.toArray()).toString(), "done");
  });
}

test("an answer passes while the upload goes on that it answers", async () => {
  originDoes("/up", (request, response) => {
    response.writeHead(200);
    request.pipe(response);
  });
  const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders() };
  const request = httpRequest(url("/up"), { host: "127.0.0.1", method: "PUT", headers });
  request.write("0");
  const [answer] = await once(request, "response");
  const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
  assert.equal((await received.next()).value, "0");
  for (let part = 1; part < 20; part += 1) {
    request.write(String(part));
    assert.equal((await received.next()).value, String(part));
  }
  request.end();
  assert.equal((await received.next()).done, true);
});

test("a browser that hangs up in the middle of an upload does not seem to have ended it", async () => {
  for (const length of [undefined, 1_000_000]) {
    let arrived;
    originDoes("/up", (request) => {
      arrived = request;
    });
    const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders() };
    const all = { ...headers, ...(length && { "content-length": length }) };
    const request = httpRequest(url("/up"), { host: "127.0.0.1", method: "PUT", headers: all });
    request.on("error", () => {});
    request.write("first");
    await until(() => arrived);
    request.destroy();
    await assert.rejects(arrived.toArray());
  }
  assert.equal((await browser.script("/echo")).status, 200);
});

for (const [when, prepare] of [["at once", () => {}], ["after a look at the store", () => world.freshInstance()]]) {
  test(`a browser that hangs up before the answer, which is decided ${when}, leaves nothing open`, async () => {
    let response;
    originDoes("/hang", (_request, its) => {
      response = its;
    });
    await prepare();
    const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders() };
    const request = httpRequest(url("/hang"), { host: "127.0.0.1", headers });
    request.on("error", () => {});
    request.end();
    await until(() => response);
    request.destroy();
    const isClosed = once(response, "close");
    response.writeHead(200).write("first");
    bodyOf(256 * mebibyte).stream.pipe(response);
    await isClosed;
    assert.equal(response.writableFinished, false);
    assert.equal((await browser.script("/echo")).status, 200);
  });
}

test("a browser that hangs up in the middle of an answer ends it at the origin", async () => {
  let response;
  originDoes("/events", (_request, its) => {
    response = its;
    response.write("first");
  });
  const answer = await open(url("/events"), { headers: browser.scriptHeaders() });
  assert.equal((await answer[Symbol.asyncIterator]().next()).value.toString(), "first");
  const isClosed = once(response, "close");
  answer.destroy();
  // The platform learns of it when there is something to pass on.
  bodyOf(256 * mebibyte).stream.pipe(response);
  await isClosed;
  assert.equal(response.writableFinished, false);
});

test("an origin that breaks off does not seem to have ended", async () => {
  originDoes("/broken", (_request, response) => {
    response.writeHead(200, { "content-length": 10 });
    response.write("first", () => response.destroy());
  });
  const answer = await open(url("/broken"), { headers: browser.scriptHeaders() });
  await assert.rejects(answer.toArray());
});
