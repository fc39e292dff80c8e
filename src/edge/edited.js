// What is changed on an answer that is passed on. Its body is handed over unread, but for the links of an API that wants it.

import { relinked } from "./links.js";
import { unlessBroken } from "./traps.js";

// The bits of `switches`: see `start` in glue.rs.
const FORCE_NO_STORE = 1;
const DROP_COOKIES = 2;
const RELOCATE = 4;
export const MAY_BE_CACHED = 8;

const NONE = [];

/** What `edit` applies, from `(name LF value LF)*`. */
export function parsed(edits) {
  return edits === "" ? NONE : edits.split("\n");
}

/** Sets headers, one after the other. An empty value removes its header, and `vary` is added to what is there. */
export function edit(headers, edits) {
  for (let index = 0; index + 1 < edits.length; index += 2) {
    const name = edits[index];
    const value = edits[index + 1];
    if (value === "") headers.delete(name);
    else if (name === "vary") headers.append(name, value);
    else headers.set(name, value);
  }
}

/** The answer itself wherever possible: a new Response object costs, and only what must change is worth it. */
export function edited(answer, request, { switches, edits, cookies, links }) {
  if (links !== undefined) answer = relinked(answer, links);
  const location = switches & RELOCATE ? elsewhere(answer, request) : undefined;
  const passing = cookiesToPass(answer.headers, switches & DROP_COOKIES);
  const isUntouched = edits.length === 0 && cookies === "" && location === undefined && passing === undefined;
  if (isUntouched && isKept(answer.headers, switches)) return answer;
  const copy = new Response(answer.body, answer);
  const { headers } = copy;
  edit(headers, edits);
  if (location !== undefined) headers.set("location", location);
  if (cookies !== "") for (const name of OVERRIDING) headers.delete(name);
  if (cookies !== "" || !isKept(headers, switches)) headers.set("cache-control", "no-store");
  if (passing !== undefined) {
    headers.delete("set-cookie");
    for (const cookie of passing) headers.append("set-cookie", cookie);
  }
  for (const cookie of cookies.split("\n")) if (cookie !== "") headers.append("set-cookie", cookie);
  return copy;
}

// What a cache may believe although Cache-Control says no-store (RFC 9213 §2.2, RFC 9111 §5.3 and §5.4).
const OVERRIDING = ["expires", "pragma", "cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"];

/** Whether the answer's own Cache-Control stays as it is. Without any, a cache may judge for itself what is for everybody. */
function isKept(headers, switches) {
  const stated = headers.get("cache-control");
  if (stated === null) return (switches & MAY_BE_CACHED) !== 0;
  return !(switches & FORCE_NO_STORE) || /\b(no-store|private)\b/i.test(stated);
}

/** The answer's own cookies that pass; `undefined` if all do. */
function cookiesToPass(headers, dropAll) {
  if (!headers.has("set-cookie")) return undefined;
  if (dropAll) return [];
  const all = headers.getSetCookie();
  const passing = all.filter((cookie) => !OURS.test(cookie));
  return passing.length === all.length ? undefined : passing;
}

// The names of src/session/cookie.rs. A cookie without a name is sent as its value alone, which may look like one of ours.
const OURS = /^[\s=]*__Host-(?:(?:session|logout)(?:\.[^=;]*)?|login[.-][^=;]*)\s*(?:[=;]|$)/i;

let relocate;
/** Sets the function that says where a redirect leads, given its request and its Location; nothing if it stays. */
export function onRedirect(says) {
  relocate = says;
}

function elsewhere(answer, request) {
  if (answer.status < 300 || answer.status > 399) return undefined;
  const location = answer.headers.get("location");
  if (location === null) return undefined;
  return unlessBroken(() => relocate(request, location), () => undefined);
}
