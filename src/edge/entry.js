// The Worker's main module: hands each request to wasm and returns what it returns, without awaiting it. After a panic
// in wasm it starts a fresh instance, so that one bad request never takes the isolate with it.

import { internalError, takeTrap } from "./glue.js";
import wasm from "./vestibule_bg.wasm";
import { __wbg_reset_state, initSync, serve } from "./vestibule.js";

initSync({ module: wasm });

export default {
  fetch(request, env) {
    try {
      if (takeTrap()) __wbg_reset_state();
      return serve(request, env);
    } catch (trap) {
      console.error(JSON.stringify({ event: "worker.trapped", reason: String(trap) }));
      takeTrap();
      __wbg_reset_state();
      return internalError();
    }
  },
};
