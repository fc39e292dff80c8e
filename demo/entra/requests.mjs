// Forms as browsers and clients send them.

import { readBody } from "../listen.mjs";

export async function readForm(request) {
  return new URLSearchParams(await readBody(request));
}
