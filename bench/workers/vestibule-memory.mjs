// Vestibule, and an address that collects all garbage and says how large the memory of its wasm has grown.

import vestibule from "./entry.js";
import { initSync } from "./vestibule.js";

export { AccountObject } from "./entry.js";

// The instance is there already: this gives its exports.
const { memory } = initSync();

export default {
  fetch(request, env, context) {
    if (!request.url.endsWith("/bench/memory")) return vestibule.fetch(request, env, context);
    gc();
    return new Response(String(memory.buffer.byteLength));
  },
};
