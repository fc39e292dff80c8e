// Rules of the source that no compiler checks.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { test } from "node:test";

import { filesUnder, inProject } from "../../scripts/project.mjs";

const sources = filesUnder(inProject("src"))
  .filter((file) => /\.(rs|js)$/.test(file))
  .map((file) => ({ path: relative(inProject(), file).replaceAll("\\", "/"), code: withoutComments(readFileSync(file, "utf8")) }));

function withoutComments(text) {
  return text.replace(/^\s*\/\/.*$/gm, "");
}

function filesWith(pattern, among = sources) {
  return among.filter(({ code }) => pattern.test(code)).map(({ path }) => path);
}

function under(prefix) {
  return sources.filter(({ path }) => path.startsWith(`src/${prefix}/`) || path === `src/${prefix}.rs`);
}

test("only src/edge names the Worker runtime", () => {
  const names = /\b(worker|web_sys|js_sys|wasm_bindgen(_futures)?)::/;
  assert.deepEqual(filesWith(names).filter((path) => !/^src\/edge(\.rs$|\/)/.test(path)), []);
  assert.ok(filesWith(names).length > 0);
});

test("the protocol and the session know no I/O: nothing in them is async, asks the clock or draws random numbers", () => {
  const pure = [...under("oidc"), ...under("session")];
  assert.ok(pure.length > 10);
  assert.deepEqual(filesWith(/\basync\b|\.await\b|SystemTime|Instant::now|getrandom|\bRuntime\b/, pure), []);
});

test("dependencies point one way: what is below never names what is above", () => {
  const below = {
    oidc: /crate::(session|flow|edge|router|app|runtime|config)\b/,
    session: /crate::(flow|edge|router|app|runtime)\b/,
    flow: /crate::edge\b/,
  };
  for (const [layer, pattern] of Object.entries(below)) assert.deepEqual(filesWith(pattern, under(layer)), [], layer);
});

test("nothing is followed, passed through on an exception, or left open on failure", () => {
  const glue = sources.filter(({ path }) => path.endsWith(".js"));
  assert.deepEqual(filesWith(/redirect:\s*["'`](follow|error)/), []);
  assert.deepEqual(filesWith(/passThroughOnException|pass_through_on_exception/), []);
  for (const { path, code } of glue) {
    // Whichever of two fetchers a line chooses, both get the same options.
    assert.equal(code.match(/^.*\bfetch\(url, init\)/gm)?.length ?? 0, code.match(/redirect: "manual"/g)?.length ?? 0, path);
    assert.equal(code.match(/\bfetch\(url,(?! init\))/g), null, path);
  }
});

test("no signature is made or verified by the rsa crate in the Worker", () => {
  const args = ["tree", "--target", "wasm32-unknown-unknown", "-e", "normal", "--prefix", "none", "--offline", "--locked"];
  const crates = execFileSync("cargo", args, { cwd: inProject(), encoding: "utf8" }).split("\n").map((line) => line.split(" ")[0]);
  assert.ok(crates.includes("wasm-bindgen"));
  for (const name of ["rsa", "ring", "reqwest", "openssl"]) assert.ok(!crates.includes(name), name);
});
