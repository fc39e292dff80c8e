// The Worker's main module: hands each request to wasm and returns what it returns, without awaiting it.

import { onLook } from "./carried.js";
import { enter } from "./instance.js";
import { internalError, rejection } from "./traps.js";
import { goesOn, serve } from "./vestibule.js";

export { AccountObject } from "./account-object.js";

// For a WebSocket that has outlived the instance that served its handshake as well.
onLook((request, env, context) => enter(() => goesOn(request, env, context), rejection));

export default {
  fetch(request, env, context) {
    return enter(() => serve(request, env, context), internalError);
  },
};
