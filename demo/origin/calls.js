// Calls of the APIs, and what to do about an answer that asks for the person.

import { showAccount, signInLink } from "./account.js";
import { newElement } from "./element.js";

export async function callApi(section, { path, request, whenNeeded }) {
  const status = section.querySelector("[role=status]");
  const answer = section.querySelector("pre");
  status.textContent = "Calling…";
  answer.hidden = true;
  try {
    const response = await fetch(path, request);
    const text = await response.text();
    const problem = problemOf(response, text);
    if (problem?.code === "interaction_required") return showNeed(status, whenNeeded, problem);
    status.textContent = `${response.status} ${response.statusText}`.trim();
    if (problem && response.status !== 401) status.textContent += `: ${problem.title}`;
    answer.textContent = indented(text);
    answer.hidden = text === "";
    if (response.status === 401) await showAccount();
  } catch {
    status.textContent = "The gateway could not be reached.";
  }
}

function problemOf(response, text) {
  return response.headers.get("content-type") === "application/problem+json" ? JSON.parse(text) : undefined;
}

// Nobody is sent away without having asked for it: the person follows the link, and comes back to this page.
function showNeed(status, { text, label }, problem) {
  const link = signInLink(problem, label);
  link.className = "button";
  status.replaceChildren(newElement("p", text), link);
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
