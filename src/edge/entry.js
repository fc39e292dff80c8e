// The Worker's main module: hands each request to wasm and returns what it returns, without awaiting it.

import { onLook } from "./carried.js";
import { passedOn } from "./glue.js";
import { enter } from "./instance.js";
import { standingPlan, told } from "./standing.js";
import { internalError, rejection } from "./traps.js";
import { decides, goesOn, serve, standing, stands } from "./vestibule.js";

export { AccountObject } from "./account-object.js";

// For a WebSocket that has outlived the instance that served its handshake as well.
onLook((request, env, context) => enter(() => goesOn(request, env, context), rejection));

export default {
  fetch(request, env, context) {
    return enter(() => {
      const text = told(request, decides);
      const found = standingPlan(text, request, standing, stands);
      if (found === undefined) return serve(request, env, context, text);
      return passedOn(request, env, context, found.url, found.plan);
    }, internalError);
  },
};
