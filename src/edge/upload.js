// Bodies of requests that are passed on. They are not read here either: one native stream flows into another.

// What arrives together with its head, as far as a time limit in seconds can tell.
const SHORT = 64 * 1024;

/**
 * The body to send, and a promise of when nothing more of it will be: an upload takes as long as its sender does, and only
 * then is the receiver late. A short body is sent as it is, without such a promise.
 *
 * The promise is rejected if the sender breaks off, and the request must then be given up. The platform would end a body
 * without a length as if it were whole; so its stream is left open.
 */
export function upload(request) {
  const { body } = request;
  if (body === null) return { body };
  const length = request.headers.get("content-length");
  // Some clients say so even of a GET, for which the platform makes a body that it then refuses to send.
  if (length === "0") return { body: null };
  if (length !== null && Number(length) <= SHORT) return { body };
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  // A receiver that wants no more has the stream cancelled, which closes it; its answer may still come.
  const sent = body.pipeTo(writable, { preventAbort: true }).catch(() => body.getReader().closed);
  return { body: readable, sent };
}
