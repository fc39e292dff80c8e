// What the Worker runtime does natively and wasm must not: requests, answers and bodies stay here as handles, and only
// text that a decision needs crosses. Every function is called from Rust (src/edge/*.rs); none decides anything.

import { ALGORITHMS } from "./algorithms.js";
import { TIMED_OUT } from "./deadline.js";
import { MAY_BE_CACHED, edit, edited, parsed } from "./edited.js";
import { counted } from "./metrics.js";
import { answeredBy } from "./traps.js";
import { upload } from "./upload.js";

/** The head of a request as one string: see RequestHead::parse. One crossing costs less than one per header. */
export function head(request, headers = request.headers) {
  let text = `${request.method}\n${request.url}\n`;
  for (const [name, value] of headers) text += `${name}\n${value}\n`;
  return text;
}

// What our own bindings can do, each by its name. One of another kind might as well be missing.
const ABILITIES = { ACCOUNTS: "idFromName", METRICS: "writeDataPoint", TOKEN_CACHE: "list", TOKEN_CACHE_DB: "prepare" };

/** The environment as JSON: plain values under "vars", the names of all other bindings under "bindings". */
export function environment(env) {
  const vars = {};
  const bindings = [];
  for (const [name, value] of Object.entries(env)) {
    if (isPlain(value)) vars[name] = value;
    else if (!(name in ABILITIES) || typeof value[ABILITIES[name]] === "function") bindings.push(name);
  }
  return JSON.stringify({ vars, bindings });
}

function isPlain(value) {
  if (typeof value !== "object" || value === null) return typeof value !== "function";
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

const NO_CONNECTION = 1;
const TOO_LARGE = 3;

// What the runtime makes of `cache: "no-store"` for Cloudflare's cache: nothing is kept there, and nothing taken from there.
// The option itself would also tell the origin, in headers.
const PAST_THE_CACHE = { cacheTtl: -1, cacheLevel: "bypass" };

/**
 * A plan by which requests are passed on: over the network, or to the binding `service` of `env`. `edits` and `answerEdits`
 * are those of `edit`, `switches` and `links` those of edited.js. With `issuedAt`, an answer that another attempt may better
 * is looked at again; `point` is counted with any other, if it is given.
 */
export function plan(service, edits, timeout, switches, answerEdits, cookies, links, issuedAt, point) {
  const answerPlan = { switches, edits: parsed(answerEdits), cookies, links };
  return { service, edits: parsed(edits), timeout, mayBeCached: (switches & MAY_BE_CACHED) !== 0, answerPlan, issuedAt, point };
}

/** Passes a request on by a plan. Rejects with TIMED_OUT, or with whatever else kept the answer away. */
export function forward(request, env, url, plan) {
  return sentOn(request, env, url, plan).then((answer) => edited(answer, request, plan.answerPlan));
}

/** The answer as it came. Headers are copied natively, and the body is handed over unread. */
function sentOn(request, env, url, { service, edits, timeout, mayBeCached }) {
  const headers = new Headers(request.headers);
  edit(headers, edits);
  // A redirect is an answer for the browser. Followed here, it would take a token to wherever it points.
  const { body, sent } = upload(request);
  const init = { method: request.method, headers, body, redirect: "manual" };
  if (service !== undefined) init.cf = request.cf;
  else if (!mayBeCached) init.cf = PAST_THE_CACHE;
  const begin = () => (service === undefined ? globalThis : env[service]).fetch(url, init);
  if (sent === undefined) return inTime(begin, timeout);
  const controller = new AbortController();
  init.signal = controller.signal;
  return onceSent(sent, begin, controller, timeout);
}

/**
 * The answer, if its head comes in time; its body may take as long as it likes. A signal would cost as much as all the
 * header work, and to clear the timer as much as to set it: the runtime drops it with the request.
 */
function inTime(begin, timeout) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, timeout, TIMED_OUT);
    begin().then(resolve, reject);
  });
}

/** The same, in time after all of the body is sent. If it never is, the request is given up. */
function onceSent(sent, begin, controller, timeout) {
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settled = begin().then(resolve, reject);
    settled.then(() => (isSettled = true));
    sent.then(
      () => isSettled || setTimeout(reject, timeout, TIMED_OUT),
      () => isSettled || controller.abort(),
    );
  });
}

/**
 * Passes a request on for a handler to return the promise. A failure becomes an answer through `onForwardFailure`, and an
 * answer that another attempt may better another one through `onSecondLook`, which counts its own.
 */
export function passedOn(request, env, context, url, plan) {
  const { answerPlan, issuedAt, point } = plan;
  const passing = point === undefined ? undefined : counted(env, point);
  const onAnswer = (received) => {
    const answer = edited(received, request, answerPlan);
    const { status } = answer;
    if (issuedAt !== undefined && (status === 401 || status === 429 || status === 503)) {
      return answeredBy(() => lookAgain(request, answer, issuedAt, context));
    }
    return passing === undefined ? answer : passing(answer);
  };
  const onFailure = (failure) => answeredBy(() => forwardFailed(request, failure, context));
  return sentOn(request, env, url, plan).then(onAnswer, onFailure);
}

let forwardFailed;
export function onForwardFailure(answer) {
  forwardFailed = answer;
}

let lookAgain;
export function onSecondLook(look) {
  lookAgain = look;
}

/** Fills an array from the platform's cryptographic random source. */
export function fillRandom(bytes) {
  crypto.getRandomValues(bytes);
}

export function status(answer) {
  return answer.status;
}

export function answerHeader(answer, name) {
  return answer.headers.get(name) ?? undefined;
}

/** Lets go of the connection. That it is gone already is no failure. */
export function discard(answer) {
  answer.body?.cancel().catch(() => {});
}

/** A promise that is kept when whichever request of the isolate calls `wake`, or when the time is over. */
export function alarm(milliseconds) {
  const { promise: woken, resolve: wake } = Promise.withResolvers();
  setTimeout(wake, milliseconds);
  return { woken, wake };
}

export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Sends a request to the OpenID Provider, or to the binding `service` of `env`, and reads the whole answer:
 * `[status, Content-Type, Retry-After, body]`.
 */
export async function callOp(env, service, method, url, headerLines, body, timeout, limit) {
  const deadline = new Deadline(timeout);
  try {
    const init = { method, headers: pairs(headerLines), redirect: "manual", signal: deadline.signal };
    // A view of wasm memory, which other requests may move or reuse before the platform has sent it.
    if (body.length > 0) init.body = body.slice();
    const destination = service === undefined ? globalThis : env[service];
    const answer = await destination.fetch(url, init);
    const [type, wait] = ["content-type", "retry-after"].map((name) => answer.headers.get(name));
    return [answer.status, type, wait, await readUpTo(answer.body, limit)];
  } catch (failure) {
    throw failure === TOO_LARGE ? TOO_LARGE : deadline.failure();
  } finally {
    deadline.met();
  }
}

/** The body of a request that is answered here. */
export function readBody(request, limit) {
  return readUpTo(request.body, limit);
}

async function readUpTo(body, limit) {
  const chunks = [];
  let length = 0;
  // A reader of one's own costs half of what `for await` does.
  const reader = body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > limit) {
      reader.cancel().catch(() => {});
      throw TOO_LARGE;
    }
    chunks.push(read.value);
  }
  if (chunks.length === 1) return chunks[0];
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

class Deadline {
  #controller = new AbortController();
  #isOver = false;
  #timer;

  constructor(milliseconds) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#controller.abort();
    }, milliseconds);
  }

  get signal() {
    return this.#controller.signal;
  }

  met() {
    clearTimeout(this.#timer);
  }

  failure() {
    this.met();
    return this.#isOver ? TIMED_OUT : NO_CONNECTION;
  }
}

/** An answer of our own. */
export function answer(status, headerLines, body) {
  return new Response(body === "" ? null : body, { status, headers: pairs(headerLines) });
}

/** `[name, value]` of each header in `(name LF value LF)*`. */
export function pairs(lines) {
  const parts = lines.split("\n");
  const result = [];
  for (let index = 0; index + 1 < parts.length; index += 2) result.push([parts[index], parts[index + 1]]);
  return result;
}

// By the JWK's own text. A key may be used by any request of the isolate.
const verifyingKeys = new Map();
// More than an OpenID Provider publishes at a time; those that it gave up since must not stay for ever.
const MOST_VERIFYING_KEYS = 50;

/** Verifies a signature. A key that cannot be imported verifies nothing. */
export async function verify(jwk, algorithm, ...views) {
  try {
    // Views of wasm memory, which other requests may move while the key is imported.
    const [signature, data] = views.map((view) => view.slice());
    const parameters = ALGORITHMS[algorithm];
    const name = `${algorithm} ${jwk}`;
    let key = verifyingKeys.get(name);
    if (key === undefined) {
      key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), parameters, false, ["verify"]);
      if (verifyingKeys.size >= MOST_VERIFYING_KEYS) verifyingKeys.clear();
      verifyingKeys.set(name, key);
    }
    return await crypto.subtle.verify(parameters, key, signature, data);
  } catch {
    return false;
  }
}

export function log(line) {
  console.log(line);
}
