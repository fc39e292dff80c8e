// Opens PFX files (PKCS #12, RFC 7292): see src/edge/signing.rs. Of all that such a file can be, this reads what today's
// tools write: DER, one password, PBES2 with AES (RFC 8018 §6.2), and a MAC, which is verified before anything is decrypted.

const MALFORMED = 1;
const PASSWORD = 2;
const UNSUPPORTED = 3;
const KEY_NOT_ALONE = 4;

/** The private key as PKCS#8, then each certificate. Rejects with one of the numbers above. */
export async function openPfx(file, password) {
  // A view of wasm memory, which other requests may move in the meantime.
  const bytes = file.slice();
  try {
    return await open(bytes, password);
  } catch (failure) {
    throw typeof failure === "number" ? failure : MALFORMED;
  }
}

async function open(file, password) {
  const pfx = new Elements(file).enter(SEQUENCE);
  pfx.take(INTEGER);
  const safe = dataOf(pfx.enter(SEQUENCE));
  await verify(pfx.enter(SEQUENCE), safe, password);
  const found = { keys: [], certificates: [] };
  for (const info of new Elements(safe).enter(SEQUENCE).all()) await collect(await contentsOf(info, password), password, found);
  if (found.keys.length !== 1) throw KEY_NOT_ALONE;
  return [found.keys[0], ...found.certificates];
}

/** The bags of one `ContentInfo`, which is encrypted as a whole or not. */
async function contentsOf(info, password) {
  const type = info.oid();
  const content = info.enter(EXPLICIT);
  if (type === DATA) return content.take(OCTET_STRING);
  if (type !== ENCRYPTED_DATA) throw UNSUPPORTED;
  const encrypted = content.enter(SEQUENCE);
  encrypted.take(INTEGER);
  const inner = encrypted.enter(SEQUENCE);
  inner.oid();
  return decrypt(inner.enter(SEQUENCE), inner.take(IMPLICIT_OCTETS), password);
}

async function collect(bags, password, { keys, certificates }) {
  for (const bag of new Elements(bags).enter(SEQUENCE).all()) {
    const type = bag.oid();
    const value = bag.take(EXPLICIT);
    if (type === KEY_BAG) keys.push(value);
    else if (type === SHROUDED_KEY_BAG) {
      const key = new Elements(value).enter(SEQUENCE);
      keys.push(await decrypt(key.enter(SEQUENCE), key.take(OCTET_STRING), password));
    } else if (type === CERTIFICATE_BAG) {
      const certificate = new Elements(value).enter(SEQUENCE);
      if (certificate.oid() === X509) certificates.push(certificate.enter(EXPLICIT).take(OCTET_STRING));
    }
  }
}

function dataOf(info) {
  // Signed by a key instead: nobody writes that.
  if (info.oid() !== DATA) throw UNSUPPORTED;
  return info.enter(EXPLICIT).take(OCTET_STRING);
}

async function verify(mac, data, password) {
  const digestInfo = mac.enter(SEQUENCE);
  const hash = DIGESTS[digestInfo.enter(SEQUENCE).oid()];
  const expected = digestInfo.take(OCTET_STRING);
  const salt = mac.take(OCTET_STRING);
  const iterations = mac.isAtEnd ? 1 : mac.number();
  if (hash === undefined || iterations > MOST_ITERATIONS) throw UNSUPPORTED;
  // Of an empty password, some tools keep the zero at its end, and some nothing.
  const encodings = password === "" ? [[0, 0], []] : [bmp(password)];
  for (const encoded of encodings) {
    const raw = await derive(hash, encoded, salt, iterations);
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: hash.name }, false, ["verify"]);
    if (await crypto.subtle.verify("HMAC", key, expected, data)) return;
  }
  throw PASSWORD;
}

/** A key for the MAC (RFC 7292 B.2): as long as one hash, so that its first round is all of it. */
async function derive({ name, block }, password, salt, iterations) {
  const filled = (bytes) => Array.from({ length: Math.ceil(bytes.length / block) * block }, (_, at) => bytes[at % bytes.length]);
  let hash = Uint8Array.from([...new Array(block).fill(3), ...filled(salt), ...filled(password)]);
  for (let round = 0; round < iterations; round += 1) hash = await crypto.subtle.digest(name, hash);
  return hash;
}

/** Two bytes for each letter, and a zero at the end (RFC 7292 B.1). */
function bmp(text) {
  return [...text, "\0"].flatMap((letter) => letter.split("")).flatMap((unit) => [unit.charCodeAt(0) >> 8, unit.charCodeAt(0) & 255]);
}

async function decrypt(algorithm, ciphertext, password) {
  if (algorithm.oid() !== PBES2) throw UNSUPPORTED;
  const parameters = algorithm.enter(SEQUENCE);
  const [derivation, encryption] = [parameters.enter(SEQUENCE), parameters.enter(SEQUENCE)];
  if (derivation.oid() !== PBKDF2) throw UNSUPPORTED;
  const { salt, iterations, hash } = pbkdf2(derivation.enter(SEQUENCE));
  const length = AES_CBC[encryption.oid()];
  if (hash === undefined || length === undefined || iterations > MOST_ITERATIONS) throw UNSUPPORTED;
  const iv = encryption.take(OCTET_STRING);
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveKey"]);
  const from = { name: "PBKDF2", salt, iterations, hash };
  const key = await crypto.subtle.deriveKey(from, secret, { name: "AES-CBC", length }, false, ["decrypt"]);
  const plain = await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key, ciphertext).catch(() => Promise.reject(PASSWORD));
  return new Uint8Array(plain);
}

function pbkdf2(parameters) {
  const salt = parameters.take(OCTET_STRING);
  const iterations = parameters.number();
  if (parameters.tag === INTEGER) parameters.take(INTEGER);
  return { salt, iterations, hash: parameters.isAtEnd ? "SHA-1" : PRFS[parameters.enter(SEQUENCE).oid()] };
}

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;
const IMPLICIT_OCTETS = 0x80;
const EXPLICIT = 0xa0;

// Object identifiers as they are encoded.
const DATA = "2a864886f70d010701";
const ENCRYPTED_DATA = "2a864886f70d010706";
const KEY_BAG = "2a864886f70d010c0a0101";
const SHROUDED_KEY_BAG = "2a864886f70d010c0a0102";
const CERTIFICATE_BAG = "2a864886f70d010c0a0103";
const X509 = "2a864886f70d01091601";
const PBES2 = "2a864886f70d01050d";
const PBKDF2 = "2a864886f70d01050c";
const PRFS = {
  "2a864886f70d0207": "SHA-1",
  "2a864886f70d0209": "SHA-256",
  "2a864886f70d020a": "SHA-384",
  "2a864886f70d020b": "SHA-512",
};
const AES_CBC = { "60864801650304012a": 256, "608648016503040116": 192, "608648016503040102": 128 };
const DIGESTS = {
  "2b0e03021a": { name: "SHA-1", block: 64 },
  "608648016503040201": { name: "SHA-256", block: 64 },
  "608648016503040202": { name: "SHA-384", block: 128 },
  "608648016503040203": { name: "SHA-512", block: 128 },
};

// The platform's own limit for PBKDF2.
const MOST_ITERATIONS = 100_000;

/** The elements in a piece of DER, one after the other. */
class Elements {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd() {
    return this.#at >= this.#bytes.length;
  }

  get tag() {
    return this.#bytes[this.#at];
  }

  /** What is in the next element, which must have this tag. */
  take(tag) {
    if (this.tag !== tag) throw MALFORMED;
    let [length, start] = [this.#bytes[this.#at + 1], this.#at + 2];
    if (length > 0x83 || length === 0x80) throw MALFORMED;
    if (length > 0x80) {
      const octets = this.#bytes.subarray(start, start + length - 0x80);
      start += octets.length;
      length = octets.reduce((sum, octet) => sum * 256 + octet, 0);
    }
    // Also where there is no length at all.
    if (!(start + length <= this.#bytes.length)) throw MALFORMED;
    this.#at = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  enter(tag) {
    return new Elements(this.take(tag));
  }

  *all() {
    while (!this.isAtEnd) yield this.enter(SEQUENCE);
  }

  oid() {
    return Array.from(this.take(OBJECT_IDENTIFIER), (octet) => octet.toString(16).padStart(2, "0")).join("");
  }

  number() {
    return this.take(INTEGER).reduce((sum, octet) => sum * 256 + octet, 0);
  }
}
