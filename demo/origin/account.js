// Who is signed in.

import { element, newElement } from "./element.js";

/** Asks the gateway and shows its answer; gives it if somebody is signed in. */
export async function showAccount() {
  const response = await fetch("/.auth/me", { headers: { accept: "application/json" } });
  if (response.status === 401) return showSignIn(await response.json());
  if (!response.ok) {
    element("account").textContent = `The gateway answered ${response.status}.`;
    return undefined;
  }
  const me = await response.json();
  element("account").textContent = me.name ?? me.sub;
  element("claims").replaceChildren(...Object.entries({ sub: me.sub, ...me.claims }).flatMap(claimRow));
  if (me.logout_url) element("sign-out").action = me.logout_url;
  return me;
}

/** Whether the gateway says that nobody is signed in here any more. That it cannot be asked says nothing. */
export async function isSignedOut() {
  const response = await fetch("/.auth/me", { headers: { accept: "application/json" } }).catch(() => undefined);
  return response?.status === 401;
}

/** The session ended somewhere: whatever the page shows of its user goes, without a reload. */
export function showSignedOut() {
  for (const shown of document.querySelectorAll("#headers tbody, #gateway, #user, pre, [role=status]")) shown.replaceChildren();
  for (const answer of document.querySelectorAll("pre")) answer.hidden = true;
  const back = new URLSearchParams({ return_to: location.pathname + location.search });
  show("You were signed out. ", signInLink({ login_url: `/.auth/login?${back}` }, "Sign in again"));
}

function showSignIn(problem) {
  show("Nobody is signed in. ", signInLink(problem, "Sign in again"));
}

function show(text, link) {
  element("account").replaceChildren(text, link);
  element("claims").replaceChildren();
  element("sign-out").hidden = true;
  element("own-sessions").hidden = true;
}

function claimRow([name, value]) {
  return [newElement("dt", name), newElement("dd", typeof value === "string" ? value : JSON.stringify(value))];
}

export function signInLink(problem, label) {
  // A problem document names a path of this origin; anything else must not become a link.
  const target = new URL(problem.login_url ?? "/.auth/login", location.href);
  return newElement("a", label, { href: target.origin === location.origin ? target.href : "/.auth/login" });
}
