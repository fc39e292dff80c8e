// What is asked of the user between an authorization request and its answer, one page at a time: who they are, for a second
// factor, for consent. Nobody is asked who need not be.

import { takesAccountsOf } from "./apps.mjs";
import { browserSession, hinted, signedIn, signInTo } from "./browser-sessions.mjs";
import { lacking } from "./conditional-access.mjs";
import { consent, missingConsents } from "./consents.mjs";
import { personalAccounts } from "./directory.mjs";
import { consentMissing, errorParameters, FlowRefusal, notInTenant, Refusal } from "./errors.mjs";
import * as pages from "./pages.mjs";
import { readForm } from "./requests.mjs";
import { membershipAt } from "./tenants.mjs";
import { clientInfo } from "./tokens.mjs";

const path = "/interaction/";

export function isInteraction(request) {
  return request.url.startsWith(path);
}

export async function answerInteraction(entra, request, response) {
  const attempt = entra.attempts.get(request.url.slice(path.length).split("?")[0]);
  if (!attempt) return pages.showRefusal(entra, response, expired());
  const session = browserSession(entra, request, response);
  if (request.method !== "POST") return proceed(entra, attempt, session, response, { isShown: true });
  const form = await readForm(request);
  const refusal = declined(form, attempt);
  if (refusal) return refuse(entra, attempt, response, refusal);
  const failure = accept(entra, attempt, session, form);
  if (failure)
    return pages.sendPage(response, 401, pages.signIn(attempt, { username: form.get("username") ?? "", failure }));
  return proceed(entra, attempt, session, response);
}

/** Goes on to the next question or, where there is none, back to the app with a code. */
export function proceed(entra, attempt, session, response, { isShown = false } = {}) {
  let question;
  try {
    question = nextQuestion(entra, attempt, session);
    if (question && attempt.prompt === "none") throw question.refusal;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.isOnPage && attempt.prompt !== "none") return pages.showRefusal(entra, response, error);
    return refuse(entra, attempt, response, error);
  }
  if (!question) return finish(entra, attempt, response);
  if (isShown) return pages.sendPage(response, 200, question.page());
  return response.writeHead(302, { location: path + attempt.id, "cache-control": "no-store" }).end();
}

export function refuse(entra, attempt, response, refusal) {
  entra.attempts.delete(attempt.id);
  entra.record("authorize.error", { clientId: attempt.app.clientId, error: refusal.error, number: refusal.number });
  return goBack(attempt, response, errorParameters(entra, refusal));
}

function nextQuestion(entra, attempt, session) {
  const { progress } = attempt;
  const who = chosenAccount(entra, attempt, session);
  if (!who.account) return who;
  progress.account = who.account;
  const { user } = who.account;
  const membership = membershipAt(entra, attempt.authority, user);
  if (!membership || !takesAccountsOf(attempt.app, membership, user.home === personalAccounts))
    throw notInTenant(user, attempt.authority);
  progress.membership = membership;
  if (attempt.app.assignmentRequired && !attempt.app.assigned?.includes(user.username))
    throw notAssigned(user, attempt.app);
  return questionOfFlow(attempt) ?? secondFactor(entra, attempt) ?? permission(entra, attempt);
}

function chosenAccount(entra, attempt, session) {
  const { progress, prompt, loginHint, domainHint, sid } = attempt;
  const accounts = signedIn(entra, session);
  if (progress.account && accounts.includes(progress.account)) return { account: progress.account };
  const needed = new Refusal(50058, "login_required", "A silent sign-in request was sent but no user is signed in.");
  const form = { page: () => pages.signIn(attempt, { username: usernameOf(entra, loginHint) }), refusal: needed };
  if (prompt === "login" || progress.wantsOther || accounts.length === 0) return form;
  const picker = { page: () => pages.picker(attempt, accounts), refusal: ambiguous() };
  if (prompt === "select_account") return picker;
  const known = accounts.find((account) => account.sid === sid) ?? hinted(accounts, loginHint, { mayBeName: true });
  if (known) return { account: known };
  if (loginHint || sid) return form;
  const atHome = accounts.length === 1 ? accounts : accounts.filter(({ user }) => isFrom(domainHint, user));
  return atHome.length === 1 ? { account: atHome[0] } : picker;
}

function isFrom(hint, { home, username }) {
  if (hint === "consumers" || hint === "organizations") return (home === personalAccounts) === (hint === "consumers");
  return hint !== undefined && username.endsWith(`@${hint.toLowerCase()}`);
}

function usernameOf(entra, hint) {
  return (
    hinted(
      entra.users.map((user) => ({ user })),
      hint,
      { mayBeName: true },
    )?.user.username ?? hint
  );
}

/** B2C's other user flows ask something of whoever has signed in. */
function questionOfFlow({ authority, progress, ...attempt }) {
  if (authority.flow !== "editProfile" || progress.isEdited) return undefined;
  const refusal = new Refusal(50058, "interaction_required", "The profile must be edited by its user.");
  return { page: () => pages.editProfile({ ...attempt, authority }, progress.account.user), refusal };
}

function secondFactor(entra, attempt) {
  const lack = lacking(entra, attempt.progress.account, attempt);
  return lack && { page: () => pages.secondFactor(attempt), refusal: lack.refusal };
}

function permission(entra, attempt) {
  const { app, apis, progress, prompt } = attempt;
  const { account, membership } = progress;
  const missing = missingConsents(entra, app, account.user, membership.tenant, apis);
  progress.missing = missing;
  const isAsked = missing.length > 0 || (prompt === "consent" && !progress.hasConsented);
  if (!isAsked) return undefined;
  const needsAdministrator = missing.some(({ scope }) => scope.isForAdmins) && !account.user.isAdministrator;
  progress.needsAdministrator = needsAdministrator;
  const page = () =>
    needsAdministrator ? pages.administratorNeeded(attempt, missing) : pages.consent(attempt, missing);
  return { page, refusal: consentMissing(app, "interaction_required") };
}

/** Takes what the user said. The result is what was wrong with it, if anything. */
function accept(entra, attempt, session, form) {
  const { progress } = attempt;
  if (form.has("password") || form.has("newPassword")) return acceptPassword(entra, attempt, session, form);
  if (form.has("account")) {
    const account = signedIn(entra, session).find(({ user }) => user.username === form.get("account"));
    if (account) progress.account = account;
    else progress.wantsOther = true;
  }
  if (form.has("displayName") && progress.account) {
    progress.account.user.name = form.get("displayName");
    progress.isEdited = true;
  }
  if (form.has("confirm") && progress.account) {
    progress.account.amr.add("mfa");
    for (const context of attempt.claims.contexts) progress.account.contexts.add(context);
  }
  if (form.has("accept") && progress.missing && !progress.needsAdministrator) {
    consent(entra, attempt.app, progress.account.user, progress.membership.tenant, progress.missing);
    progress.hasConsented = true;
  }
  return undefined;
}

function acceptPassword(entra, attempt, session, form) {
  const username = (form.get("username") ?? "").toLowerCase();
  const user = entra.users.find((known) => known.username === username);
  if (user && attempt.authority.flow === "resetPassword" && form.get("newPassword"))
    user.password = form.get("newPassword");
  else if (!user || user.password !== form.get("password")) return "Your account or password is incorrect.";
  attempt.progress.account = signInTo(entra, session, user);
  return undefined;
}

function declined(form, { authority, progress }) {
  if (authority.tenant?.kind === "b2c") {
    if (form.has("forgot")) return new FlowRefusal(90118, "access_denied", "The user has forgotten their password.");
    if (form.has("cancel"))
      return new FlowRefusal(90091, "access_denied", "The user has cancelled entering self-asserted information.");
  }
  if (!form.has("cancel")) return undefined;
  if (progress.needsAdministrator)
    return new Refusal(90094, "access_denied", "The grant requires administrator permission.");
  const isConsent = progress.missing?.length > 0;
  const text = isConsent
    ? "User declined to consent to access the app."
    : "The user has denied access to the scope requested by the client application.";
  return new Refusal(isConsent ? 65004 : undefined, "access_denied", text, { subcode: "cancel" });
}

function finish(entra, attempt, response) {
  const { app, authority, progress } = attempt;
  const { account, membership } = progress;
  entra.attempts.delete(attempt.id);
  account.apps.add(app.clientId);
  const code = entra.codes.issue(attempt);
  entra.record("authorize.success", {
    clientId: app.clientId,
    username: account.user.username,
    tenant: membership.tenant.id,
  });
  // B2C and external tenants send no session_state and know no client_info here.
  const ofEntra = authority.tenant?.kind !== "b2c";
  const parameters = { code, session_state: ofEntra ? account.sid : undefined };
  if (attempt.wantsClientInfo) parameters.client_info = clientInfo(account.user, authority);
  return goBack(attempt, response, parameters);
}

function goBack({ redirectUri, responseMode, state }, response, parameters) {
  const all = Object.entries({ ...parameters, state }).filter(([, value]) => value !== undefined);
  if (responseMode === "form_post") return pages.sendPage(response, 200, ...pages.formPost(redirectUri, all));
  const encoded = new URLSearchParams(all).toString();
  const mark = responseMode === "fragment" ? "#" : redirectUri.includes("?") ? "&" : "?";
  return response.writeHead(302, { location: `${redirectUri}${mark}${encoded}`, "cache-control": "no-store" }).end();
}

function notAssigned(user, app) {
  const text =
    `Your administrator has configured the application ${app.name} ('${app.clientId}') to block users ` +
    "unless they are specifically granted ('assigned') access to the application. The signed in user " +
    `'${user.username}' is blocked.`;
  return new Refusal(50105, "access_denied", text);
}

function ambiguous() {
  const text =
    "Either multiple user identities are available for the current request or selected account is not " +
    "supported for the scenario.";
  return new Refusal(16000, "interaction_required", text);
}

function expired() {
  return new Refusal(165000, "invalid_request", "Invalid Request: the sign-in is over. Start again.", {
    isOnPage: true,
  });
}
