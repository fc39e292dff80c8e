// Which client sends a token request, and whether it is that client: a secret in the body or in a header, or a signed
// assertion (RFC 6749 §2.3.1, RFC 7523 §2.2).

import { timingSafeEqual } from "node:crypto";

import { appAt } from "./apps.mjs";
import { verifyClientAssertion } from "./client-assertion.mjs";
import { malformed, missing, Refusal } from "./errors.mjs";

/** `{ clientId, credential }`, where `credential` is what `azpacr` says of it: "1" for a secret, "2" for an assertion. */
export async function authenticateClient(entra, authority, request, form) {
  const basic = basicCredentials(request);
  if (basic && ["client_secret", "client_assertion"].some((name) => form.has(name))) {
    throw malformed("the client authenticates in more than one way");
  }
  const clientId = basic?.clientId ?? form.get("client_id");
  if (!clientId) throw missing("client_id");
  if (form.has("client_id") && form.get("client_id") !== clientId)
    throw malformed("client_id differs from that of the header");
  const app = appAt(entra, authority, clientId);
  const secret = basic?.secret ?? form.get("client_secret");
  if (form.has("client_assertion")) {
    if (secret !== null) throw malformed("the client authenticates in more than one way");
    await verifyClientAssertion(entra, authority, app, form);
    return { clientId, credential: "2" };
  }
  if (secret === null) {
    const text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    throw new Refusal(7000218, "invalid_client", text);
  }
  expectSecret(entra, app, secret);
  return { clientId, credential: "1" };
}

/** Both halves are form-encoded before they are joined. */
function basicCredentials(request) {
  const [scheme, value] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "basic" || !value) return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  const colon = text.indexOf(":");
  const decoded = (part) => decodeURIComponent(part.replaceAll("+", " "));
  try {
    return { clientId: decoded(text.slice(0, colon)), secret: decoded(text.slice(colon + 1)) };
  } catch {
    throw malformed("the Authorization header is not form-encoded");
  }
}

function expectSecret(entra, app, secret) {
  const secrets = (app.secrets ?? []).map((one) => (typeof one === "string" ? { value: one } : one));
  const found = secrets.find(({ value }) => isEqual(value, secret));
  if (!found) {
    const text =
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret " +
      `value, not the client secret ID, for a secret added to app '${app.clientId}'.`;
    throw new Refusal(7000215, "invalid_client", text);
  }
  if (found.expiresAt !== undefined && found.expiresAt <= entra.now()) {
    throw new Refusal(
      7000222,
      "invalid_client",
      `The provided client secret keys for app '${app.clientId}' are expired.`,
    );
  }
}

function isEqual(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
