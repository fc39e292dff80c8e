// The authorization endpoint (OIDC Core 3.1.2, code flow). What is asked of the user is in interaction.mjs.

import { randomUUID } from "node:crypto";

import { appAt } from "./apps.mjs";
import { browserSession } from "./browser-sessions.mjs";
import { parseClaims } from "./claims-request.mjs";
import { malformed, missing, Refusal } from "./errors.mjs";
import { proceed, refuse } from "./interaction.mjs";
import { showRefusal } from "./pages.mjs";
import { readForm } from "./requests.mjs";
import { expectOneApiOfFlow, parseScopes, unknownAtAuthorization } from "./scopes.mjs";

const responseModes = ["query", "fragment", "form_post"];
const prompts = ["login", "none", "consent", "select_account", "create"];

export async function authorize(entra, authority, request, response) {
  const query = new URL(request.url, entra.instance).searchParams;
  const form = request.method === "POST" ? await readForm(request) : query;
  const session = browserSession(entra, request, response);
  const attempt = { id: randomUUID(), authority, progress: {} };
  try {
    Object.assign(attempt, whereTo(entra, authority, form));
    Object.assign(attempt, whatFor(entra, attempt, form));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!attempt.redirectUri || error.isOnPage) return showRefusal(entra, response, error);
    return refuse(entra, attempt, response, error);
  }
  entra.attempts.set(attempt.id, attempt);
  return proceed(entra, attempt, session, response);
}

/** Everything that must hold before the browser may be sent back to the app. */
function whereTo(entra, authority, form) {
  const once = (name) => single(form, name);
  const clientId = once("client_id");
  if (!clientId) throw missing("client_id");
  const app = appAt(entra, authority, clientId);
  const redirectUri = once("redirect_uri");
  if (!redirectUri) throw missing("redirect_uri");
  if (!app.redirectUris.includes(redirectUri)) {
    const text =
      `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured ` +
      `for the application '${clientId}'.`;
    throw new Refusal(50011, "invalid_request", text, { isOnPage: true });
  }
  const responseMode = once("response_mode") ?? "query";
  return {
    app,
    redirectUri,
    state: once("state"),
    responseMode: responseModes.includes(responseMode) ? responseMode : "query",
  };
}

function whatFor(entra, { app, authority }, form) {
  const once = (name) => single(form, name);
  if (!once("response_type")) throw missing("response_type");
  if (once("response_type") !== "code") {
    const text = `response_type '${once("response_type")}' is not enabled for the application.`;
    throw new Refusal(700054, "unsupported_response_type", text);
  }
  const mode = once("response_mode");
  if (mode && !responseModes.includes(mode)) {
    throw new Refusal(
      70007,
      "invalid_request",
      `'${mode}' is not a supported value of 'response_mode' when requesting a token.`,
    );
  }
  const prompt = once("prompt");
  if (prompt && !prompts.includes(prompt)) {
    throw new Refusal(90023, "invalid_request", `Unsupported 'prompt' value: ${prompt}.`);
  }
  if (!once("scope")) throw missing("scope");
  const scopes = parseScopes(entra, once("scope"), unknownAtAuthorization(app));
  expectOneApiOfFlow(authority, scopes, once("scope"));
  const claims = parseClaims(once("claims"));
  const hints = { loginHint: once("login_hint"), domainHint: once("domain_hint"), sid: once("sid") };
  return {
    ...scopes,
    claims,
    prompt,
    ...hints,
    pkce: pkce(once),
    nonce: once("nonce"),
    wantsClientInfo: once("client_info") === "1",
  };
}

/** RFC 7636 §4.3: 43 characters at least; `plain` where no method is named. */
function pkce(once) {
  const challenge = once("code_challenge");
  const method = once("code_challenge_method") ?? "plain";
  if (challenge === undefined) return undefined;
  if (!["plain", "S256"].includes(method) || !/^[A-Za-z0-9._~-]{43,128}$/.test(challenge)) {
    throw new Refusal(501491, "invalid_request", "Invalid size or form of Code_Challenge parameter.");
  }
  return { challenge, method };
}

function single(form, name) {
  const values = form.getAll(name);
  if (values.length > 1) throw malformed(`${name} is given twice`);
  return values[0] || undefined;
}
