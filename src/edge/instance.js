// The instance of the wasm module, which requests and account objects of an isolate share. After a panic a fresh one
// takes its place, so that one bad call never takes the isolate with it.

import { report, takeTrap, trapped } from "./traps.js";
import wasm from "./vestibule_bg.wasm";
import { __wbg_reset_state, initSync } from "./vestibule.js";

// By this name wasm's futures have their tasks called. The platform's own function goes through C++ and back for each
// task; a promise's reaction is called in the same order, and by V8 itself.
globalThis.queueMicrotask = (task) => void Promise.resolve().then(task);

initSync({ module: wasm });

/** Makes a call into wasm; what the call cannot answer because it trapped, `instead` does. */
export function enter(call, instead) {
  try {
    if (takeTrap()) __wbg_reset_state();
    return call();
  } catch (trap) {
    report(trap);
    trapped();
    takeTrap();
    __wbg_reset_state();
    return instead();
  }
}
