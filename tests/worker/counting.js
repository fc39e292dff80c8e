// The Worker's main module where crossings are counted: the instrumented one, and a way to ask. It runs in workerd and is
// given to it as text.

import { takeCrossings } from "./crossings.js";
import worker, { AccountObject } from "./instrumented.js";

export { AccountObject };

export default {
  fetch(request, env, context) {
    if (request.headers.get("x-test") === "crossings") return Response.json(takeCrossings());
    return worker.fetch(request, env, context);
  },
};
