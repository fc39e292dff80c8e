// Who is signed in, in which browser: one cookie, and any number of accounts behind it.

import { randomUUID } from "node:crypto";

const cookieName = "ESTSAUTHPERSISTENT";

/** The session of the browser that sent the request; a new one, with its cookie set, if it has none. */
export function browserSession(entra, request, response) {
  const known = entra.sessions.get(cookie(request));
  if (known) return known;
  const session = { id: randomUUID(), accounts: new Map() };
  entra.sessions.set(session.id, session);
  response.setHeader("set-cookie", `${cookieName}=${session.id}; Path=/; HttpOnly; SameSite=Lax`);
  return session;
}

function cookie(request) {
  const pairs = (request.headers.cookie ?? "").split("; ").map((pair) => pair.split("="));
  return pairs.find(([name]) => name === cookieName)?.[1];
}

/** The accounts that are still signed in. */
export function signedIn(entra, session) {
  return [...session.accounts.values()].filter(
    ({ user, moment }) => moment > (entra.validFrom.get(user.username) ?? 0),
  );
}

/** Signs an account in. A password typed again continues the account's session and its `sid`. */
export function signInTo(entra, session, user) {
  const earlier = session.accounts.get(user.username);
  const fresh = { user, sid: randomUUID(), apps: new Set() };
  const account = {
    ...(earlier ?? fresh),
    amr: new Set(["pwd"]),
    contexts: new Set(),
    authTime: entra.now(),
    moment: entra.moment(),
  };
  session.accounts.set(user.username, account);
  return account;
}

/** The value of the `login_hint` claim, which `logout_hint` and `login_hint` take. It is opaque to clients. */
export function loginHint(user) {
  return `O.${Buffer.from(JSON.stringify([user.home, user.oid, user.username])).toString("base64url")}`;
}

/** The account that a hint names. For a sign-in a user name does as well, for a sign-out it does not. */
export function hinted(accounts, hint, { mayBeName }) {
  return accounts.find(({ user }) => loginHint(user) === hint || (mayBeName && user.username === hint?.toLowerCase()));
}
