const element = (id) => document.getElementById(id);

async function showAccount() {
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

function claimRow([name, value]) {
  const term = document.createElement("dt");
  term.textContent = name;
  const description = document.createElement("dd");
  description.textContent = typeof value === "string" ? value : JSON.stringify(value);
  return [term, description];
}

function showSignIn(problem) {
  element("account").replaceChildren("Nobody is signed in. ", signInLink(problem, "Sign in again"));
  element("claims").replaceChildren();
  element("sign-out").hidden = true;
}

function signInLink(problem, label) {
  const link = document.createElement("a");
  // A problem document names a path of this origin; anything else must not become a link.
  const target = new URL(problem.login_url ?? "/.auth/login", location.href);
  link.href = target.origin === location.origin ? target.href : "/.auth/login";
  link.textContent = label;
  return link;
}

async function callApi(section, { path, request, whenNeeded }) {
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
  const reason = document.createElement("p");
  reason.textContent = text;
  const link = signInLink(problem, label);
  link.className = "button";
  status.replaceChildren(reason, link);
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

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

const calls = {
  "call-orders": { path: "/api/Orders/orders", request: { headers }, whenNeeded: permission },
  "post-order": { path: "/api/Orders/orders", request: order, whenNeeded: permission },
  "show-payment": { path: "/api/Orders/payment", request: { headers }, whenNeeded: confirmation },
  "call-invoices": { path: "/api/Invoices/invoices", request: { headers }, whenNeeded: permission },
};
for (const [id, call] of Object.entries(calls)) {
  element(id).addEventListener("click", ({ target }) => callApi(target.closest("section"), call));
}
await showAccount();
