// Sign-out (RP-Initiated Logout 1.0) and what it tells the apps of the browser's session (Front-Channel Logout 1.0): their
// address in a hidden frame with `sid`, and nothing else unless an app is registered for more.

import { compactVerify, decodeJwt } from "jose";

import { browserSession, hinted, signedIn } from "./browser-sessions.mjs";
import { FlowRefusal } from "./errors.mjs";
import { sendPage, showRefusal, signingOut, signOutPicker } from "./pages.mjs";
import { readForm } from "./requests.mjs";
import { issuerOf } from "./tenants.mjs";

export async function logout(entra, authority, request, response) {
  const url = new URL(request.url, entra.instance);
  const form = request.method === "POST" ? await readForm(request) : url.searchParams;
  for (const [name, value] of form) url.searchParams.set(name, value);
  if (authority.tenant?.requiresIdTokenHint && !(await isOurs(entra, authority, form.get("id_token_hint")))) {
    const text =
      "The id_token_hint parameter has not been specified in the request. Please provide token and try " + "again.";
    return showRefusal(entra, response, new FlowRefusal(90272, "invalid_request", text));
  }
  const session = browserSession(entra, request, response);
  const accounts = signedIn(entra, session);
  // A hint that is none of ours, such as a user name, helps nobody.
  const chosen =
    accounts.find(({ sid }) => sid === form.get("account")) ??
    hinted(accounts, form.get("logout_hint"), { mayBeName: false });
  if (!chosen && accounts.length > 1) return sendPage(response, 200, signOutPicker(url, accounts));
  const account = chosen ?? accounts[0];
  const frames = account ? signOut(entra, session, account) : [];
  entra.record("logout", {
    username: account?.user.username,
    frames,
    isRegistered: Boolean(onward(entra, authority, form)),
  });
  return sendPage(response, 200, ...signingOut(frames, onward(entra, authority, form)));
}

/** Whether it is an ID token of that tenant, over or not. */
async function isOurs(entra, { tenant }, idToken) {
  try {
    await compactVerify(idToken ?? "", entra.keys.organizations.publicKey);
    return decodeJwt(idToken).iss === issuerOf(entra, tenant);
  } catch {
    return false;
  }
}

/** Ends the account's session in this browser, and gives the addresses of the apps that it was signed in to. */
function signOut(entra, session, account) {
  session.accounts.delete(account.user.username);
  const apps = entra.apps.filter(({ clientId, logoutUrl }) => logoutUrl && account.apps.has(clientId));
  return apps.map(({ logoutUrl, sendsIssuer }) => {
    const url = new URL(logoutUrl);
    url.searchParams.set("sid", account.sid);
    const home = entra.tenants.find(({ id }) => id === account.user.home);
    if (sendsIssuer) url.searchParams.set("iss", issuerOf(entra, home));
    return url.href;
  });
}

/** Where the browser goes next; nowhere, if no app has registered that. */
function onward(entra, authority, form) {
  const wanted = form.get("post_logout_redirect_uri");
  if (!entra.apps.some(({ redirectUris }) => redirectUris.includes(wanted))) return undefined;
  const url = new URL(wanted);
  if (form.get("state")) url.searchParams.set("state", form.get("state"));
  return url.href;
}
