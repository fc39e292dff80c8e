// What worker-build generates, without its look for a trap: the crate exports `fetch`.

import wasm from "./passthrough_bg.wasm";
import { fetch, initSync } from "./passthrough.js";

initSync({ module: wasm });

export default { fetch };
