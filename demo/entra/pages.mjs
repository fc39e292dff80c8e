// The pages of the sign-in. They look like those of the demo's other provider, and nothing comes from another host.

import { randomBytes } from "node:crypto";

import { escapeHtml, page } from "../provider/pages.mjs";
import { describeRefusal } from "./errors.mjs";

const title = "Stand-in for the Microsoft identity platform";

/** `more` of the policy is what a page needs beyond its own style: a script with a nonce, frames. */
export function sendPage(response, status, html, more = "") {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'${more}`,
  });
  response.end(html);
}

export function showRefusal(entra, response, refusal) {
  const text = describeRefusal(entra, refusal);
  return sendPage(
    response,
    refusal.status,
    page("Sorry, but we're having trouble signing you in.", `<p>${escapeHtml(text)}</p>`, title),
  );
}

function form(attempt, content) {
  return `<form method="post" action="/interaction/${escapeHtml(attempt.id)}">${content}</form>`;
}

const cancel = `<button type="submit" name="cancel" value="yes" formnovalidate>Cancel</button>`;

export function signIn(attempt, { username = "", failure } = {}) {
  const { authority, app } = attempt;
  const isReset = authority.flow === "resetPassword";
  const alert = failure ? `<p role="alert" id="failed">${escapeHtml(failure)}</p>` : "";
  const forgot =
    authority.tenant?.kind === "b2c" && !isReset
      ? `<button type="submit" name="forgot" value="yes" formnovalidate>Forgot your password?</button>`
      : "";
  const [name, label, hint] = isReset
    ? ["newPassword", "New password", "new-password"]
    : ["password", "Password", "current-password"];
  const fields = `<label for="username">Email or user name</label>
<input id="username" name="username" value="${escapeHtml(username)}" autocomplete="username" required>
<label for="password">${label}</label>
<input id="password" name="${name}" type="password" autocomplete="${hint}" required>
<p class="actions"><button type="submit" class="first">${isReset ? "Continue" : "Sign in"}</button>${cancel}${forgot}</p>`;
  const where = authority.tenant?.name ?? authority.segment;
  const purpose = `<p>to continue to <strong>${escapeHtml(app.name)}</strong> (${escapeHtml(where)})</p>`;
  return page(isReset ? "Reset your password" : "Sign in", `${purpose}${alert}${form(attempt, fields)}`, title);
}

export function picker(attempt, accounts) {
  const buttons = accounts
    .map(({ user }) => accountButton(user.username, `${user.name} (${user.username})`))
    .join("\n");
  const other = accountButton("", "Use another account");
  return page("Pick an account", form(attempt, `<p class="actions">${buttons}${other}${cancel}</p>`), title);
}

function accountButton(value, text) {
  return `<button type="submit" name="account" value="${escapeHtml(value)}">${escapeHtml(text)}</button>`;
}

export function secondFactor(attempt) {
  const content = `<p>Confirm on this page what you would confirm on your phone.</p>
${form(attempt, `<p class="actions"><button type="submit" class="first" name="confirm" value="yes">Approve</button>${cancel}</p>`)}`;
  return page("Approve the sign-in request", content, title);
}

export function consent(attempt, missing) {
  const content = `<p><strong>${escapeHtml(attempt.app.name)}</strong> would like to:</p>${permissions(missing)}
${form(attempt, `<p class="actions"><button type="submit" class="first" name="accept" value="yes">Accept</button>${cancel}</p>`)}`;
  return page("Permissions requested", content, title);
}

export function administratorNeeded(attempt, missing) {
  const content = `<p><strong>${escapeHtml(attempt.app.name)}</strong> needs permission that only an administrator can grant.
AADSTS90094</p>${permissions(missing)}
${form(attempt, `<p class="actions"><button type="submit" name="cancel" value="yes">Return to the application without granting consent</button></p>`)}`;
  return page("Need admin approval", content, title);
}

function permissions(missing) {
  const rows = missing.map(({ resource, name, scope }) => {
    return `<dt>${escapeHtml(resource.name)}</dt><dd>${escapeHtml(scope.meaning)} (<code>${escapeHtml(name)}</code>)</dd>`;
  });
  return `<dl>${rows.join("\n")}</dl>`;
}

export function editProfile(attempt, user) {
  const fields = `<label for="displayName">Display name</label>
<input id="displayName" name="displayName" value="${escapeHtml(user.name)}" required>
<p class="actions"><button type="submit" class="first">Continue</button>${cancel}</p>`;
  return page("Edit your profile", form(attempt, fields), title);
}

/** The authorization response as a form that sends itself (`response_mode=form_post`): the page and its policy. */
export function formPost(address, parameters) {
  const nonce = randomBytes(16).toString("base64");
  const inputs = parameters.map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const content = `<form method="post" action="${escapeHtml(address)}">${inputs.join("\n")}
<button type="submit" class="first">Continue</button></form><script nonce="${nonce}">document.forms[0].submit()</script>`;
  return [page("Working…", content, title), `; script-src 'nonce-${nonce}'`];
}

/** Which of several accounts is to sign out. */
export function signOutPicker(address, accounts) {
  const links = accounts.map(({ user, sid }) => {
    const url = new URL(address);
    url.searchParams.set("account", sid);
    return `<li><a href="${escapeHtml(url.pathname + url.search)}">${escapeHtml(user.name)} (${escapeHtml(user.username)})</a></li>`;
  });
  return page("Which account do you want to sign out of?", `<ul>${links.join("\n")}</ul>`, title);
}

/** Tells every app of the browser's session in a hidden frame, and then goes on: the page and its policy. */
export function signingOut(frames, onward) {
  const nonce = randomBytes(16).toString("base64");
  const iframes = frames.map((url) => `<iframe hidden src="${escapeHtml(url)}"></iframe>`).join("\n");
  const link = onward ? `<p><a id="onward" href="${escapeHtml(onward)}">Continue</a></p>` : "";
  // The browser leaves when every frame has been answered, whatever the answer.
  const script = onward
    ? `<script nonce="${nonce}">addEventListener("load", () => document.getElementById("onward").click())</script>`
    : "";
  const origins = [...new Set(frames.map((url) => new URL(url).origin))].join(" ") || "'none'";
  const content = `<p>You signed out of your account.</p>${iframes}${link}${script}`;
  return [page("You signed out", content, title), `; script-src 'nonce-${nonce}'; frame-src ${origins}`];
}
