// The Worker's main module in the tests: the built one, with the store's calls in the log and a few switches that a
// test throws by header. It runs in workerd and is given to it as text.

import worker from "./entry.js";

const realNow = Date.now.bind(Date);
const realRandom = crypto.getRandomValues.bind(crypto);
let secondsAhead = 0;
let storeIsDown = false;
Date.now = () => realNow() + secondsAhead * 1000;

class WatchedStore {
  constructor(store) {
    for (const operation of ["get", "put", "list", "delete"]) {
      this[operation] = (...args) => {
        console.log(JSON.stringify({ test: "store", operation, key: args[0]?.prefix ?? args[0] }));
        if (storeIsDown) return Promise.reject(new Error("the store is down"));
        return store[operation](...args);
      };
    }
  }
}

let watched;
function watch(env) {
  watched ??= env.TOKEN_CACHE ? { ...env, TOKEN_CACHE: new WatchedStore(env.TOKEN_CACHE) } : env;
  return watched;
}

export default {
  fetch(request, env) {
    const command = request.headers.get("x-test");
    if (command?.startsWith("{")) return obey(JSON.parse(command));
    if (command === "panic") return panicking(request, watch(env));
    if (command === "throw") return worker.fetch(throwing(), watch(env));
    return worker.fetch(request, watch(env));
  },
};

function obey({ mark, clock, store }) {
  if (mark) console.log(JSON.stringify({ test: "mark", mark }));
  if (clock !== undefined) secondsAhead = clock;
  if (store) storeIsDown = store === "down";
  return new Response("done");
}

// A platform without randomness is the one fault that the Worker answers with a panic.
function panicking(request, env) {
  crypto.getRandomValues = () => {
    throw new Error("no randomness");
  };
  const mend = () => {
    crypto.getRandomValues = realRandom;
  };
  try {
    return Promise.resolve(worker.fetch(request, env)).finally(mend);
  } catch (error) {
    mend();
    throw error;
  }
}

function throwing() {
  return {
    get method() {
      throw new Error("thrown through wasm");
    },
  };
}
