// The storage of an account's object, in a real one: each method of the class that the Worker runs on, and what SQLite
// keeps when the object itself is gone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Miniflare } from "miniflare";

import { inProject } from "../../scripts/project.mjs";

let runtime;
before(async () => {
  const text = (...path) => ({ type: "esm", contents: readFileSync(inProject(...path), "utf8") });
  const modules = {
    "storage-object.js": text("tests", "worker", "storage-object.js"),
    "account-storage.js": text("build", "worker", "account-storage.js"),
  };
  const config = {
    name: "storage",
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(readFileSync(inProject("wrangler.toml"), "utf8"))[1],
    manifest: { mainModule: "storage-object.js", modulesRoot: inProject("build", "worker"), modules },
    env: { OBJECTS: { type: "durable-object", worker: "storage", exportName: "StorageObject" } },
    exports: { StorageObject: { type: "durable-object", storage: "sqlite" } },
  };
  runtime = new Miniflare({
    host: "127.0.0.1",
    cf: false,
    telemetry: { enabled: false },
    handleStructuredLogs: ({ message }) => logged.push(message),
    workers: [{ config, dev: { rootPath: inProject() } }],
  });
  await runtime.ready;
});
after(() => runtime.dispose());

const logged = [];
const now = Math.floor(Date.now() / 1000);
const longest = 1000;
const sealed = { bytes: [0, 255, 39, 0, 128] };
const metadata = `{"device":"Firefox's \\"1\\""}`;
const session = (id, issuedAt, lifetime, entry = sealed) => [id, issuedAt, issuedAt + lifetime, 3, entry, metadata];
const put = (row) => ["putSession", ...row];

/** An object of its own for each test: calls of it in order, each with its result. */
function object() {
  const name = crypto.randomUUID();
  const calls = async (...list) => {
    const answer = await runtime.dispatchFetch("http://storage/", { method: "POST", body: JSON.stringify({ name, calls: list }) });
    return answer.json();
  };
  return { calls, evict: () => runtime.unsafeEvictDurableObject("storage", "StorageObject", { name }) };
}

test("a session is read as it was written, and what was never written is not there", async () => {
  const { calls } = object();
  const row = session("a", now, 60);
  assert.deepEqual(await calls(["session", "a"], put(row), ["session", "a"], ["session", "b"]), [null, null, row, null]);
});

test("a session without an entry is another thing than none, and a second write takes the place of the first", async () => {
  const { calls } = object();
  const [, first, , second] = await calls(
    put(session("a", now, 60)),
    ["session", "a"],
    put(session("a", now, 60, null)),
    ["session", "a"],
  );
  assert.deepEqual([first[4], second[4]], [sealed, null]);
});

test("all sessions are read as they were written, those without an entry and those that have ended among them", async () => {
  const { calls } = object();
  const rows = [session("a", now, 60), session("b", now - 90, 60), session("c", now, 60, null)];
  const results = await calls(["sessions"], ...rows.map(put), ["sessions"], ["endUntil", now], ["sessions"]);
  assert.deepEqual([results[0], results[4], results[6]], [[], rows, []]);
});

test("sessions and watermark outlive the object's memory", async () => {
  const { calls, evict } = object();
  const row = session("a", now, 60);
  assert.deepEqual(await calls(["endUntil", now - 1], put(row), ["flush"]), [null, null, null]);
  await evict();
  assert.deepEqual(await calls(["session", "a"], ["validAfter"]), [row, now - 1]);
});

test("the watermark ends what began up to it, and never moves back", async () => {
  const { calls } = object();
  const later = session("later", now + 1, 60);
  const results = await calls(
    ["validAfter"],
    put(session("earlier", now - 1, 60)),
    put(session("equal", now, 60)),
    put(later),
    ["endUntil", now],
    ["endUntil", now - 500],
    ["validAfter"],
    ["session", "earlier"],
    ["session", "equal"],
    ["session", "later"],
  );
  assert.deepEqual([results[0], ...results.slice(6)], [null, now, null, null, later]);
});

test("what has ended is deleted, and the next end is told", async () => {
  const { calls } = object();
  const results = await calls(
    put(session("past", now - 60, 59)),
    put(session("at once", now - 60, 60)),
    put(session("later", now, 90)),
    put(session("next", now, 30)),
    ["expire", now, longest],
    ["session", "past"],
    ["session", "at once"],
    ["expire", now + 30, longest],
    ["session", "later"],
  );
  assert.deepEqual(results.slice(4), [now + 30, null, null, now + 90, session("later", now, 90)]);
});

test("a watermark stays when all sessions are gone, until those that it ends have ended by themselves", async () => {
  const { calls, evict } = object();
  const made = [["endUntil", now - 100], put(session("a", now, 1)), ["expire", now + 1, longest], ["validAfter"], ["flush"]];
  const end = now - 100 + longest;
  assert.deepEqual((await calls(...made)).slice(2), [end, now - 100, null]);
  await evict();
  assert.deepEqual(await calls(["expire", end - 1, longest], ["validAfter"]), [end, now - 100]);
  assert.deepEqual(await calls(["expire", end, longest], ["validAfter"]), [null, null]);
});

test("an object without sessions and watermark keeps nothing at all, and can begin anew", async () => {
  const { calls, evict } = object();
  const [, full, , empty] = await calls(put(session("a", now, 1)), ["databaseSize"], ["expire", now + 1, longest], ["databaseSize"]);
  assert.ok(empty < full, `${empty} < ${full}`);
  const row = session("a", now, 60);
  assert.deepEqual(await calls(["session", "a"], put(row), ["session", "a"], ["flush"]), [null, null, row, null]);
  await evict();
  assert.deepEqual(await calls(["session", "a"]), [row]);
});

test("a logout token counts once, also after the object's memory is gone, until it could not be used any more", async () => {
  const { calls, evict } = object();
  const spend = (token, lifetime = 60) => ["spend", token, now + lifetime];
  const hostile = "'); DROP TABLE logout_token; --";
  const results = await calls(spend("a"), spend("a"), spend("a", 900), spend("b"), spend(hostile), spend(hostile), ["flush"]);
  assert.deepEqual(results, [true, false, false, true, true, false, null]);
  await evict();
  assert.deepEqual(await calls(spend("a"), ["expire", now + 59, longest], spend("a")), [false, now + 60, false]);
  // Nothing else is kept, so that all of it goes with the last token.
  assert.deepEqual(await calls(["expire", now + 60, longest], ["flush"], ["tables"], spend("a", 120)), [null, null, [], true]);
});

test("the end of a logout token is told when it comes before that of every session", async () => {
  const { calls } = object();
  const results = await calls(put(session("a", now, 90)), ["spend", "t", now + 30], ["expire", now, longest], ["expire", now + 30, longest]);
  assert.deepEqual(results.slice(2), [now + 30, now + 90]);
});

test("what is to be deleted is noted once, until it is deleted, and outlives the object's memory", async () => {
  const { calls, evict } = object();
  const keys = ["account/a/", "account/a/s'1\"--", "sid/\u{1f511}"];
  const note = (key) => ["willDelete", key];
  const results = await calls(["toDelete"], ...keys.map(note), note(keys[0]), ["toDelete"], ["flush"]);
  assert.deepEqual([results[0], results.at(-2).sort()], [[], [...keys].sort()]);
  await evict();
  const rest = await calls(["deleted", keys[1]], ["deleted", "never noted"], ["toDelete"]);
  assert.deepEqual(rest.at(-1).sort(), [keys[0], keys[2]].sort());
});

test("an object that has something to delete keeps that when all its sessions have ended", async () => {
  const { calls } = object();
  const key = "account/a/s";
  const results = await calls(put(session("a", now, 1)), ["willDelete", key], ["expire", now + 1, longest], ["toDelete"], ["deleted", key]);
  assert.deepEqual(results.slice(2, 4), [null, [key]]);
  assert.deepEqual(await calls(["expire", now + 1, longest], ["flush"], ["tables"]), [null, null, []]);
});

test("asking an object that keeps nothing makes it keep nothing, and finds what is written later", async () => {
  const { calls, evict } = object();
  const row = session("a", now, 60);
  const asked = [["session", "a"], ["sessions"], ["validAfter"], ["expire", now, longest]];
  const results = await calls(["databaseSize"], ...asked, ["databaseSize"], ["tables"]);
  assert.deepEqual(results, [results[0], null, [], null, null, results[0], []]);
  assert.deepEqual(await calls(put(row), ["session", "a"], ["validAfter"], ["flush"]), [null, row, null, null]);
  await evict();
  assert.deepEqual(await calls(["session", "a"], ["sessions"]), [row, [row]]);
});

test("an object that an earlier version wrote gets the tables that it lacks when it is asked", async () => {
  const { calls, evict } = object();
  const row = session("a", now, 60);
  await calls(put(row), ["age"], ["flush"]);
  await evict();
  assert.deepEqual(await calls(["session", "a"], ["validAfter"]), [row, null]);
});

test("an object whose tables an earlier version made is read and written as any other", async () => {
  const { calls, evict } = object();
  const row = session("a", now, 60);
  await calls(["asBefore"], put(row), ["willDelete", "k"], ["spend", "t", now + 60], ["flush"]);
  await evict();
  const results = await calls(["session", "a"], ["toDelete"], ["isSpent", "t"], put(session("a", now, 90)), ["expire", now, longest]);
  assert.deepEqual(results, [row, ["k"], true, null, now + 60]);
});

test("a row is one write: no table has an index beside it", async () => {
  const { calls } = object();
  assert.deepEqual(await calls(put(session("a", now, 60)), ["indices"]), [null, []]);
});

test("the session that was written last is not asked of SQLite, unless it may have ended", async () => {
  const { calls } = object();
  const [row, other] = [session("a", now, 60), session("b", now, 60)];
  const ended = await calls(put(row), ["endUntil", now], ["session", "a"], put(row), ["expire", now + 60, longest], ["session", "a"]);
  assert.deepEqual([ended[2], ended[5]], [null, null]);
  const results = await calls(put(row), put(other), ["damage"], ["session", "b"], ["session", "a"], put(row), ["session", "b"]);
  assert.deepEqual(results[3], other);
  for (const failed of results.slice(4)) assert.match(failed.threw, /no such table/);
});

test("the watermark that was read last is forgotten when it goes", async () => {
  const { calls } = object();
  const results = await calls(["validAfter"], ["endUntil", now], ["validAfter"], ["expire", now + longest, longest], ["validAfter"]);
  assert.deepEqual(results, [null, null, now, null, null]);
});

test("whoever watches is called when a session may have ended, and not otherwise", async () => {
  const { calls } = object();
  const ends = ["ends"];
  const results = await calls(
    put(session("a", now, 60)),
    ["sessions"],
    ends,
    put(session("a", now, 60, null)),
    ends,
    ["endUntil", now],
    ends,
    ["expire", now, longest],
    ends,
  );
  assert.deepEqual([results[2], results[4], results[6], results[8]], [0, 1, 2, 3]);
});

test("of several moments the earliest wakes the object", async () => {
  const { calls } = object();
  const moments = [500, 900, 300, 700].map((seconds) => ["wakeAt", now + seconds]);
  const results = await calls(...moments, ["flush"], ["alarmAt"]);
  assert.equal(results.at(-1), (now + 300) * 1000);
});

test("an object that has been woken is woken again", async () => {
  const { calls } = object();
  const woken = [["wakeAt", now + 300], ["flush"], ["wake"], ["expire", now, longest]];
  const results = await calls(...woken, ["wakeAt", now + 500], ["flush"], ["alarmAt"]);
  assert.equal(results.at(-1), (now + 500) * 1000);
});

test("an alarm that cannot be set is no unhandled rejection, and writes are still made durable", async () => {
  const { calls } = object();
  const row = session("a", now, 60);
  const results = await calls(["breakAlarms"], ["wakeAt", now + 5], put(row), ["flush"], ["session", "a"]);
  assert.deepEqual(results, [null, null, null, null, row]);
  assert.deepEqual(logged, []);
});

test("a statement that fails throws, and half a transaction is undone", async () => {
  const { calls } = object();
  const results = await calls(["endUntil", now - 100], ["damage"], ["session", "a"], ["endUntil", now], ["validAfter"]);
  assert.match(results[2].threw, /no such table/);
  assert.match(results[3].threw, /no such table/);
  assert.equal(results[4], now - 100);
});

test("what was not written ends nothing", async () => {
  const { calls } = object();
  const results = await calls(put(session("a", now, 60)), ["damage"], put(session("a", now, 60, null)), ["endUntil", now], ["ends"]);
  assert.equal(results.at(-1), 0);
});
