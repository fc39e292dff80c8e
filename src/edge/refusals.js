// Refusals that stand: src/flow/at_once.rs. Nobody has to be asked about them again, but each request has its own trace.

import { remember } from "./again.js";
import { log, pairs } from "./glue.js";

/** Keeps a refusal. `trace` stands once in `body` and once in `line`. */
export function keepRefusal(text, referer, trace, status, headerLines, body, line) {
  const init = { status, headers: new Headers(pairs(headerLines)) };
  const [shown, logged] = [body.split(trace), line.split(trace)];
  remember(text, (request) => {
    if ((request.headers.get("referer") ?? undefined) !== referer) return undefined;
    const own = traceOf(request);
    log(logged[0] + own + logged[1]);
    return new Response(shown[0] + own + shown[1], init);
  });
}

/** As `trace` of src/flow/incoming.rs has it. */
function traceOf(request) {
  const ray = request.headers.get("cf-ray");
  if (ray !== null && /^[0-9A-Za-z-]{0,40}$/.test(ray)) return ray;
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) hex += (byte + 256).toString(16).slice(1);
  return hex;
}
