// What is kept of requests that come again: nobody may fill the isolate's memory with it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answeredAgain, remember } from "../../src/edge/again.js";

const answered = (text) => answeredAgain(text, {}, {}, {});

test("a request is answered by what was kept for its letters, as long as that answers", () => {
  let answer = "first";
  const given = [];
  remember("GET a", (...all) => {
    given.push(all);
    return answer;
  });
  assert.equal(answeredAgain("GET a", 1, 2, 3), "first");
  assert.deepEqual(given, [[1, 2, 3]]);
  assert.equal(answered("GET b"), undefined);
  answer = undefined;
  assert.equal(answered("GET a"), undefined);
  remember("GET a", () => "second");
  assert.equal(answered("GET a"), "second");
});

test("neither long requests nor many are kept", () => {
  const long = "x".repeat(9000);
  remember(long, () => "kept");
  assert.equal(answered(long), undefined);
  const many = Array.from({ length: 5000 }, (_, number) => `GET ${number}`);
  for (const text of many) remember(text, () => text);
  assert.equal(answered(many.at(-1)), many.at(-1));
  assert.ok(many.filter((text) => answered(text) !== undefined).length <= 1024);
});
