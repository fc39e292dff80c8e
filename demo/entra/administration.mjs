// What an administrator of the stand-in can do in a browser, at its start page: end a user's sessions, and have APIs demand
// newer tokens.

import { escapeHtml, page } from "../provider/pages.mjs";
import { sendPage } from "./pages.mjs";
import { readForm } from "./requests.mjs";

export function isAdministration(request) {
  return request.url === "/";
}

export async function administrate(entra, request, response) {
  if (request.method !== "POST") return sendPage(response, 200, startPage(entra));
  const form = await readForm(request);
  const user = entra.users.find(({ username }) => username === form.get("username"));
  if (user && form.has("revoke")) entra.revokeSessions(user.username);
  if (user && form.has("evaluate")) entra.evaluateAnew(user.username);
  return response.writeHead(303, { location: "/" }).end();
}

function startPage(entra) {
  const rows = entra.users.map(({ username, name }) => {
    const buttons = `<button name="revoke" value="yes">Revoke sessions</button>
<button name="evaluate" value="yes">Demand newer tokens</button>`;
    const user = `<input type="hidden" name="username" value="${escapeHtml(username)}">`;
    return `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(username)}<form method="post" action="/">${user}<p class="actions">${buttons}</p></form></dd>`;
  });
  const content = `<p>This machine's stand-in for the Microsoft identity platform.</p><dl>${rows.join("\n")}</dl>
<p><a href="/common/oauth2/v2.0/logout">Sign out here</a>, and with it of every application of this browser.</p>`;
  return page("Users", content, "Stand-in for the Microsoft identity platform");
}
