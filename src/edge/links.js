// Links in an API's JSON answers to their next page (`@odata.nextLink`) or to what has changed since (`@odata.deltaLink`).
// Those that point at the API become addresses of the gateway, so that a page can follow them as they are. The body flows
// through here piece by piece; none of it is kept but the beginning of what may be such a link.

// What says something about the bytes that were sent.
const OF_THE_BYTES = ["content-encoding", "content-length", "content-md5", "content-digest", "digest", "repr-digest"];

/** The answer, or another one with its links changed. `links` is the API's address, LF and that of the gateway for it. */
export function relinked(answer, links) {
  if (!isReadable(answer)) return answer;
  const [from, to] = links.split("\n");
  const copy = new Response(answer.body.pipeThrough(new TransformStream(new Relinking(from, to))), answer);
  for (const name of OF_THE_BYTES) copy.headers.delete(name);
  return copy;
}

/** Whether it is JSON, whole, and nothing that the platform leaves compressed. */
function isReadable({ body, headers, status }) {
  if (body === null || status === 206) return false;
  const isJson = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers.get("content-type") ?? "");
  return isJson && /^(?:identity|gzip|br)?$/i.test(headers.get("content-encoding") ?? "");
}

const [AT, BACKSLASH, COLON, O, QUOTE, SLASH, U] = bytes('@\\:o"/u');
// With whatever stands before it in the same name: links of a property are named after it.
const NAMES = [bytes('@odata.nextLink"'), bytes('@odata.deltaLink"')];
const NOTHING = new Uint8Array();
// White space around the colon, and each character of an address in its longest form.
const LONGEST_GAP = 64;
const LONGEST_CHARACTER = 6;

/** A transformer for a TransformStream of bytes. */
export class Relinking {
  #from;
  #held = NOTHING;
  #longest;
  #to;

  constructor(from, to) {
    this.#from = bytes(`${from}/`);
    // As it stands in a JSON string.
    this.#to = bytes(JSON.stringify(to).slice(1, -1));
    this.#longest = NAMES[1].length + LONGEST_GAP + this.#from.length * LONGEST_CHARACTER;
  }

  transform(chunk, controller) {
    const data = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    this.#held = NOTHING;
    let written = 0;
    for (let at = data.indexOf(AT); at >= 0; at = data.indexOf(AT, at + 1)) {
      if (at + 1 < data.length && data[at + 1] !== O) continue;
      const cursor = new Cursor(data, at, at + this.#longest);
      const start = linkAt(cursor);
      const end = start > 0 ? addressAt(cursor, this.#from) : -1;
      if (cursor.isShort) {
        this.#held = data.slice(at);
        break;
      }
      if (end < 0) continue;
      pass(controller, data.subarray(written, start));
      controller.enqueue(this.#to);
      written = end;
    }
    pass(controller, data.subarray(written, data.length - this.#held.length));
  }

  flush(controller) {
    pass(controller, this.#held);
  }
}

/** Where the value of a member of one of the names begins; -1 if this is none. */
function linkAt(cursor) {
  const { at } = cursor;
  const isName = NAMES.some((name) => {
    cursor.at = at;
    return name.every((byte) => cursor.next() === byte);
  });
  // A string that a colon follows is a name.
  return isName && cursor.token() === COLON && cursor.token() === QUOTE ? cursor.at : -1;
}

/** Where the address ends, before its last slash; -1 if there is another one. */
function addressAt(cursor, address) {
  let end = -1;
  for (const byte of address) {
    end = cursor.at;
    if (cursor.character() !== byte) return -1;
  }
  return end;
}

/** Reads the bytes of JSON up to `limit`. */
class Cursor {
  /** Whether more bytes would have been read than there are yet. */
  isShort = false;

  constructor(data, at, limit) {
    Object.assign(this, { data, at, limit });
  }

  /** -1 where there is none. */
  next() {
    if (this.at >= this.limit) return -1;
    if (this.at < this.data.length) return this.data[this.at++];
    this.isShort = true;
    return -1;
  }

  /** The next byte that is no white space. */
  token() {
    let byte = this.next();
    while (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) byte = this.next();
    return byte;
  }

  /** The next character of a string, if it is one of ASCII. */
  character() {
    const byte = this.next();
    if (byte !== BACKSLASH) return byte;
    const escaped = this.next();
    if (escaped !== U) return escaped === SLASH ? SLASH : -1;
    const hex = String.fromCharCode(...[0, 1, 2, 3].map(() => Math.max(this.next(), 0)));
    return /^[0-9a-f]{4}$/i.test(hex) ? Number.parseInt(hex, 16) : -1;
  }
}

function pass(controller, data) {
  if (data.length > 0) controller.enqueue(data);
}

function joined(first, second) {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function bytes(text) {
  return new TextEncoder().encode(text);
}
