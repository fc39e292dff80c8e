// The Worker's main module: hands each request to wasm and returns what it returns, without awaiting it.

import { env } from "cloudflare:workers";

import { answeredAgain, remember } from "./again.js";
import { onLook } from "./carried.js";
import { passedOn } from "./glue.js";
import { enter } from "./instance.js";
import { standingPlan, told } from "./standing.js";
import { internalError, rejection } from "./traps.js";
import { decides, goesOn, prepare, serve, standing, stands } from "./vestibule.js";

export { AccountObject } from "./account-object.js";

// What this cannot do, the first request does.
enter(() => prepare(env), () => {});

// For a WebSocket that has outlived the instance that served its handshake as well.
onLook((request, env, context) => enter(() => goesOn(request, env, context), rejection));

export default {
  /** In three ways, the dearer the rarer: by what was kept of the same request, by a plan that stands for its like, or anew. */
  fetch(request, env, context) {
    return enter(() => {
      // Read once: to read them again would cost as much.
      const headers = [...request.headers];
      const text = told(request, headers, decides);
      const answer = answeredAgain(text, request, env, context) ?? plannedAgain(text, request, env, context);
      return answer ?? serve(request, headers, env, context, text);
    }, internalError);
  },
};

/** Passes a request on by the plan that stands for it, which is asked for less the next time; nothing if none does. */
function plannedAgain(text, request, env, context) {
  const place = standing(text, Date.now());
  if (place === undefined) return undefined;
  const { url, plan, isKept } = standingPlan(place, request);
  remember(text, (again, env, context) => {
    if (isKept() && stands(place, Date.now())) return passedOn(again, env, context, url, plan);
  });
  return passedOn(request, env, context, url, plan);
}
