// Moments in the middle of a request to the OP or to the origin.

/**
 * The OP does what the next token request asks for, and its answer waits: `held` tells that it does, `release` lets it go.
 */
export function holdTokenResponse(op) {
  return holdResponse(op, "/token");
}

/** The same for the next page of the origin. */
export function holdPage(origin) {
  return holdResponse(origin, "/page/");
}

function holdResponse(server, path) {
  const { promise: held, resolve: isHeld } = Promise.withResolvers();
  const { promise: released, resolve: release } = Promise.withResolvers();
  server.intercept = (request, response) => {
    if (!request.url.startsWith(path)) return false;
    server.intercept = undefined;
    const end = response.end.bind(response);
    response.end = (...chunks) => {
      isHeld();
      released.then(() => end(...chunks));
    };
    return false;
  };
  return { held, release };
}
