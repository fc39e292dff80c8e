// The program `workerd` of the npm package that Wrangler brings along.

import workerd from "workerd";

/** A CommonJS module with a default export, which Node does not unwrap. */
export const program = workerd.default ?? workerd;
