// Where the account is signed in, and an end to each of it.

import { isSignedOut, showSignedOut } from "./account.js";
import { element, newElement } from "./element.js";

const headers = { accept: "application/json" };

export async function showSessions() {
  const response = await fetch("/.auth/sessions", { headers }).catch(() => undefined);
  if (!response?.ok) return say("The list could not be loaded.");
  const { sessions } = await response.json();
  element("sessions").replaceChildren(...sessions.map(row));
  return say("");
}

function row(session) {
  const since = new Date(session.created * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const where = ["since", since, session.country && `from ${session.country}`].filter(Boolean).join(" ");
  const end = newElement("button", "End", { type: "button", ariaLabel: `End ${session.device}, ${where}` });
  end.addEventListener("click", () => endSession(session));
  const own = session.current ? " (this browser)" : "";
  return newElement("li", [newElement("span", [newElement("strong", session.device), `${own}, ${where}`]), end]);
}

async function endSession({ url, current }) {
  const response = await fetch(url, { method: "DELETE", headers }).catch(() => undefined);
  if (response?.ok && current) return showSignedOut();
  // This browser's own session may have ended meanwhile.
  if (response?.status === 401 && (await isSignedOut())) return showSignedOut();
  if (!response?.ok) return say("The session could not be ended. Please try again.");
  return showSessions();
}

function say(text) {
  element("sessions-status").textContent = text;
}
