// The links in an API's JSON answers, whatever pieces the body comes in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { Relinking, relinked } from "../../src/edge/links.js";

const from = "https://graph.example/v1.0";
const to = "https://app.example/api/Graph";

/** What becomes of a body in these pieces. */
async function through(pieces) {
  const stream = new Blob([]).stream().constructor.from(pieces.map((piece) => Uint8Array.from(piece)));
  const received = [];
  for await (const piece of stream.pipeThrough(new TransformStream(new Relinking(from, to)))) received.push(piece);
  return Buffer.concat(received).toString();
}

function split(bytes, ...places) {
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index]));
}

const changed = {
  "a next page": [`{"@odata.nextLink":"${from}/me/messages?$skiptoken=X%20y&$top=5","value":[]}`, `{"@odata.nextLink":"${to}/me/messages?$skiptoken=X%20y&$top=5","value":[]}`],
  "a delta link": [`{"@odata.deltaLink":"${from}/users/delta?$deltatoken=1"}`, `{"@odata.deltaLink":"${to}/users/delta?$deltatoken=1"}`],
  "white space": [`{\r\n "@odata.nextLink" \t: \n "${from}/a"\n}`, `{\r\n "@odata.nextLink" \t: \n "${to}/a"\n}`],
  "escaped slashes": ['{"@odata.nextLink":"https:\\/\\/graph.example\\/v1.0\\/a\\/b"}', `{"@odata.nextLink":"${to}\\/a\\/b"}`],
  "other escapes": ['{"@odata.nextLink":"\\u0068ttps:\\u002f\\u002Fgraph.example/v1.0\\u002fa"}', `{"@odata.nextLink":"${to}\\u002fa"}`],
  "a link of a property": [`{"members@odata.nextLink":"${from}/a","é@odata.nextLink":"${from}/b"}`, `{"members@odata.nextLink":"${to}/a","é@odata.nextLink":"${to}/b"}`],
  "answers of a batch": [
    `{"responses":[{"id":"1","body":{"@odata.nextLink":"${from}/a"}},{"id":"2","body":{"@odata.deltaLink":"${from}/b"}}]}`,
    `{"responses":[{"id":"1","body":{"@odata.nextLink":"${to}/a"}},{"id":"2","body":{"@odata.deltaLink":"${to}/b"}}]}`,
  ],
  "many at signs": [`{"mail":"@@o@odata.@odata.n@odata.nextLinks","@odata.nextLink":"${from}/a@odata.nextLink"}`, `{"mail":"@@o@odata.@odata.n@odata.nextLinks","@odata.nextLink":"${to}/a@odata.nextLink"}`],
};

const unchanged = {
  "another host": '{"@odata.nextLink":"https://graph.example.evil/v1.0/a"}',
  "another version": '{"@odata.nextLink":"https://graph.example/beta/a"}',
  "a longer version": `{"@odata.nextLink":"${from}0/a"}`,
  "the API itself": `{"@odata.nextLink":"${from}"}`,
  "another scheme": '{"@odata.nextLink":"http://graph.example/v1.0/a"}',
  "another member": `{"@odata.context":"${from}/$metadata#users","nextLink":"${from}/a","@odata.nextLinks":"${from}/a","@odata.id":"${from}/a"}`,
  "a text about a link": `{"body":"{\\"@odata.nextLink\\":\\"${from}/a\\"}","x":"@odata.nextLink","y":"${from}/a"}`,
  "a name in a list": `["@odata.nextLink","${from}/a"]`,
  "no text": '{"@odata.nextLink":null,"a@odata.nextLink":{"@odata.deltaLink":1}}',
  "an end in between": `{"@odata.nextLink":"${from.slice(0, 12)}`,
  "an end at the name": '{"@odata.next',
  "a bad escape": '{"@odata.nextLink":"\\u00zzttps://graph.example/v1.0/a","x@odata.nextLink":"\\https://graph.example/v1.0/a"}',
  "a wide gap": `{"@odata.nextLink":${" ".repeat(500)}"${from}/a"}`,
  "other letters": '{"name":"Zoë 日本 😀@odata.nextLink","@odata.nextLink":"https://日本.example/v1.0/a"}',
  "no JSON": `@odata.nextLink" : "@odata.nextLink`,
  nothing: "",
};

for (const [name, [body, expected]] of Object.entries({ ...changed, ...Object.fromEntries(Object.entries(unchanged).map(([name, body]) => [name, [body, body]])) })) {
  test(`wherever a body is split: ${name}`, async () => {
    const bytes = Buffer.from(body);
    assert.equal(await through([bytes]), expected);
    assert.equal(await through([...bytes].map((byte) => [byte])), expected, "one by one");
    for (let place = 1; place < bytes.length; place += 1) assert.equal(await through(split(bytes, place)), expected, `at ${place}`);
    for (let place = 1; place + 7 < bytes.length; place += 1) {
      assert.equal(await through(split(bytes, place, place + 7)), expected, `at ${place} and 7 more`);
    }
  });
}

test("nothing but the beginning of a possible link waits for the next piece", () => {
  const passed = [];
  const relinking = new Relinking(from, to);
  const controller = { enqueue: (piece) => passed.push(Buffer.from(piece).toString()) };
  relinking.transform(Buffer.from('{"value":["a@b.example'), controller);
  assert.deepEqual(passed, ['{"value":["a@b.example']);
  relinking.transform(Buffer.from('"],"@odata.next'), controller);
  assert.deepEqual(passed.splice(0).join(""), '{"value":["a@b.example"],"');
  relinking.transform(Buffer.from(`Link":"${from}`), controller);
  assert.deepEqual(passed, []);
  relinking.transform(Buffer.from("/a"), controller);
  assert.deepEqual(passed.join(""), `@odata.nextLink":"${to}/a`);
});

test("a long run of what could be a link is held up to a bound", () => {
  let length = 0;
  const relinking = new Relinking(from, to);
  const controller = { enqueue: (piece) => (length += piece.length) };
  const piece = Buffer.from(`"@odata.nextLink"${" ".repeat(1000)}`);
  relinking.transform(piece, controller);
  assert.equal(length, piece.length);
});

const json = `{"@odata.nextLink":"${from}/a"}`;

test("only JSON that can be read is looked at, and nothing is said about bytes that were not sent", async () => {
  const links = `${from}\n${to}`;
  const answer = (headers, body = json, status = 200) => new Response(body, { status, headers });
  for (const type of ["application/json", "application/json;odata.metadata=minimal;charset=utf-8", "Application/Problem+JSON"]) {
    const stated = { "content-type": type, "content-length": "999", "content-md5": "x", etag: '"1"', "x-own": "kept" };
    const copy = relinked(answer(stated, json, 201), links);
    assert.deepEqual([copy.status, await copy.text()], [201, json.replace(from, to)]);
    assert.deepEqual(Object.fromEntries(copy.headers), { "content-type": type, etag: '"1"', "x-own": "kept" });
  }
  const untouched = [
    answer({ "content-type": "text/plain" }),
    answer({ "content-type": "application/jsonl" }),
    answer({ "content-type": "application/octet-stream" }),
    answer({}, new Blob([json]).stream()),
    answer({ "content-type": "application/json" }, json, 206),
    answer({ "content-type": "application/json" }, null, 204),
    answer({ "content-type": "application/json", "content-encoding": "zstd" }),
    answer({ "content-type": "application/json", "content-encoding": "deflate, gzip" }, gzipSync(json)),
  ];
  for (const answer of untouched) assert.equal(relinked(answer, links), answer);
});
