// What a browser saw of the network: every address, header and body, in both directions.

/** Records from now on. `texts()` waits for what is under way and gives `{ where, text }` for each thing seen. */
export function record(context) {
  const seen = [];
  const underWay = [];
  context.on("request", (request) => {
    seen.push({ where: `address of ${request.method()}`, text: request.url() });
    underWay.push(recordHeaders(seen, "request header", request));
    if (request.postData()) seen.push({ where: `body of the request to ${request.url()}`, text: request.postData() });
  });
  context.on("response", (response) => {
    underWay.push(recordHeaders(seen, "response header", response), recordBody(seen, response));
  });
  const texts = async () => {
    await Promise.all(underWay);
    return seen;
  };
  return { texts };
}

async function recordHeaders(seen, where, message) {
  for (const { name, value } of await message.headersArray()) {
    seen.push({ where: `${where} ${name} at ${new URL(message.url()).pathname}`, text: value });
  }
}

async function recordBody(seen, response) {
  const hasNone = response.status() >= 300 && response.status() < 400;
  if (hasNone || response.status() === 204) return;
  seen.push({ where: `body of ${response.url()}`, text: await response.text() });
}

/** The places of `texts` that hold the token, also as part of a URL parameter. */
export function placesOf(token, texts) {
  return texts.filter(({ text }) => text.includes(token) || text.includes(encodeURIComponent(token)));
}

/** What looks like a JWS in compact form: its first part is base64url of `{"…`. */
export function placesOfJwt(texts) {
  return texts.filter(({ text }) => /eyJ[\w-]+\.[\w-]+\.[\w-]*/.test(text));
}
