// Bodies of requests that are passed on. They are not read here either: one native stream flows into another.

// What arrives together with its head, as far as a time limit in seconds can tell.
const SHORT = 64 * 1024;

/**
 * The body to send, and a promise of when it has been sent: an upload takes as long as its sender does, and only then is
 * the receiver late. A short body is sent as it is, without such a promise.
 *
 * Whoever sends a body whose promise is rejected must give the request up. The platform would end one without a length as
 * if it were whole; so its stream is left open.
 */
export function upload(request) {
  const length = request.headers.get("content-length");
  if (request.body === null || (length !== null && Number(length) <= SHORT)) return { body: request.body };
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  return { body: readable, sent: request.body.pipeTo(writable, { preventAbort: true }) };
}
