// What the end-user does at the OP: type a name and a password, or cancel. Consent is never asked for; it is granted
// by `grantEverythingAsked` in configuration.mjs.

import { accountByPassword } from "../accounts.mjs";
import { readBody } from "../listen.mjs";
import { errorPage, signInPage } from "./pages.mjs";

const prefix = "/interaction/";

export function isInteraction(request) {
  return request.url.startsWith(prefix);
}

export async function answerInteraction(provider, request, response) {
  let details;
  try {
    details = await provider.interactionDetails(request, response);
  } catch (error) {
    return sendPage(response, 400, errorPage({ error: error.message, error_description: error.error_description }));
  }
  if (details.prompt.name !== "login") {
    return provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
  }
  if (request.method === "POST") return answerSignIn(provider, details, request, response);
  return sendPage(response, 200, signInForm(details, { username: details.params.login_hint }));
}

async function answerSignIn(provider, details, request, response) {
  const form = new URLSearchParams(await readBody(request));
  if (form.has("cancel")) {
    const denied = { error: "access_denied", error_description: "the end-user cancelled" };
    return provider.interactionFinished(request, response, denied);
  }
  const account = accountByPassword(form.get("username"), form.get("password"));
  if (!account) {
    return sendPage(response, 401, signInForm(details, { username: form.get("username") ?? "", failed: true }));
  }
  const login = { accountId: account.claims.sub, amr: ["pwd"] };
  return provider.interactionFinished(request, response, { login });
}

function signInForm(details, { username, failed }) {
  return signInPage({ action: prefix + details.uid, username, failed, clientId: details.params.client_id });
}

function sendPage(response, status, html) {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  response.end(html);
}
