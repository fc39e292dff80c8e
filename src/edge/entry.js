// The Worker's main module: hands each request to wasm and returns what it returns, without awaiting it.

import { enter } from "./instance.js";
import { internalError } from "./traps.js";
import { serve } from "./vestibule.js";

export { AccountObject } from "./account-object.js";

export default {
  fetch(request, env, context) {
    return enter(() => serve(request, env, context), internalError);
  },
};
