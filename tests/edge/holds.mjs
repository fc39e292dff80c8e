// Moments in the middle of a token request.

/**
 * The OP does what the next token request asks for, and its answer waits: `held` tells that it does, `release` lets it go.
 */
export function holdTokenResponse(op) {
  const { promise: held, resolve: isHeld } = Promise.withResolvers();
  const { promise: released, resolve: release } = Promise.withResolvers();
  op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    op.intercept = undefined;
    const end = response.end.bind(response);
    response.end = (...chunks) => {
      isHeld();
      released.then(() => end(...chunks));
    };
    return false;
  };
  return { held, release };
}
