// What the page does: says who is signed in and where, calls the APIs, and hears of the end of its session.

import { isSignedOut, showAccount, showSignedOut } from "./account.js";
import { callApi } from "./calls.js";
import { element } from "./element.js";
import { listen } from "./events.js";
import { showSessions } from "./sessions.js";

const headers = { accept: "application/json" };
const order = {
  method: "POST",
  headers: { ...headers, "content-type": "application/json" },
  body: JSON.stringify({ item: "Teapot", quantity: 1 }),
};
const confirmation = {
  text: "Payment details are shown only to you: please confirm that it is you. You will come back to this page.",
  label: "Confirm that it is you",
};
const permission = {
  text: "This page has no permission to see your invoices yet. You will be asked for it, and come back to this page.",
  label: "Give permission",
};
const again = {
  text: "Microsoft Graph wants you to sign in again. You will come back to this page.",
  label: "Sign in again",
};

const calls = {
  "call-orders": { path: "/api/Orders/orders", request: { headers }, whenNeeded: permission },
  "post-order": { path: "/api/Orders/orders", request: order, whenNeeded: permission },
  "show-payment": { path: "/api/Orders/payment", request: { headers }, whenNeeded: confirmation },
  "call-invoices": { path: "/api/Invoices/invoices", request: { headers }, whenNeeded: permission },
  "call-graph": { path: "/api/Graph/me", request: { headers }, whenNeeded: again },
  "call-graph-users": { path: "/api/Graph/users", request: { headers }, whenNeeded: again },
};
for (const [id, call] of Object.entries(calls)) {
  // Microsoft Graph is there with `npm start -- --entra` only.
  element(id)?.addEventListener("click", ({ target }) => callApi(target.closest("section"), call));
}
if (await showAccount()) {
  listen({ signedOut: showSignedOut, isSignedOut });
  await showSessions();
}
