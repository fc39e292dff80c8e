// What the end-user does at the OP: type a name and a password, allow an API to be used, or say no.

import { accountByPassword } from "../accounts.mjs";
import { readBody } from "../listen.mjs";
import { confirmed } from "../settings.mjs";
import { consentPage, errorPage, signInPage } from "./pages.mjs";

const prefix = "/interaction/";

export function isInteraction(request) {
  return request.url.startsWith(prefix);
}

export async function answerInteraction({ provider, resources }, request, response) {
  let details;
  try {
    details = await provider.interactionDetails(request, response);
  } catch (error) {
    return sendPage(response, 400, errorPage({ error: error.message, error_description: error.error_description }));
  }
  const question = details.prompt.name === "login" ? signIn(details) : consent(details, resources);
  if (!question) return finish(provider, request, response, { consent: {} });
  if (request.method !== "POST") return sendPage(response, 200, question.page());
  const form = new URLSearchParams(await readBody(request));
  if (form.has("cancel")) {
    const denied = { error: "access_denied", error_description: "the end-user cancelled" };
    return provider.interactionFinished(request, response, denied);
  }
  const result = await question.answer(form, provider);
  if (!result) return sendPage(response, 401, question.page({ username: form.get("username") ?? "", failed: true }));
  return finish(provider, request, response, result);
}

function finish(provider, request, response, result) {
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

function signIn({ uid, params, prompt, session }) {
  const isAgain = Boolean(session) && prompt.reasons.includes("essential_acrs");
  const page = ({ username, failed } = { username: params.login_hint }) =>
    signInPage({ action: prefix + uid, username, failed, clientId: params.client_id, isAgain });
  const answer = (form) => {
    const account = accountByPassword(form.get("username"), form.get("password"));
    // The password is all that anybody can be asked for here.
    const acr = prompt.details.acr?.values?.includes(confirmed) ? confirmed : undefined;
    return account && { login: { accountId: account.claims.sub, amr: ["pwd"], acr } };
  };
  return { page, answer };
}

/** `undefined` if there is nothing to ask. */
function consent({ uid, params, prompt, grantId }, resources) {
  const missing = Object.entries(prompt.details.missingResourceScopes ?? {});
  if (missing.length === 0) return undefined;
  const known = (indicator) => resources.find(({ resource }) => resource === indicator);
  const apis = missing.map(([indicator, scopes]) => ({ ...known(indicator), scopes }));
  const page = () => consentPage({ action: prefix + uid, clientId: params.client_id, apis });
  const answer = async (_form, provider) => {
    const grant = await provider.Grant.find(grantId);
    for (const [indicator, scopes] of missing) grant.addResourceScope(indicator, scopes.join(" "));
    await grant.save();
    return { consent: {} };
  };
  return { page, answer };
}

function sendPage(response, status, html) {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  response.end(html);
}
