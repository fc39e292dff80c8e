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
  const link = document.createElement("a");
  // A problem document names a path of this origin; anything else must not become a link.
  const target = new URL(problem.login_url ?? "/.auth/login", location.href);
  link.href = target.origin === location.origin ? target.href : "/.auth/login";
  link.textContent = "Sign in again";
  element("account").replaceChildren("Nobody is signed in. ", link);
  element("claims").replaceChildren();
  element("sign-out").hidden = true;
}

async function callApi(request) {
  const status = element("api-status");
  const answer = element("api-answer");
  status.textContent = "Calling…";
  answer.hidden = true;
  try {
    const response = await fetch("/api/Orders/orders", request);
    const text = await response.text();
    status.textContent = `${response.status} ${response.statusText}`.trim();
    answer.textContent = indented(text);
    answer.hidden = text === "";
    if (response.status === 401) await showAccount();
  } catch {
    status.textContent = "The gateway could not be reached.";
  }
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const getRequest = { headers: { accept: "application/json" } };
const postRequest = {
  method: "POST",
  headers: { accept: "application/json", "content-type": "application/json" },
  body: JSON.stringify({ item: "Teapot", quantity: 1 }),
};

element("call-api").addEventListener("click", () => callApi(getRequest));
element("post-order").addEventListener("click", () => callApi(postRequest));
await showAccount();
