// The OP's own pages. No script and nothing from another host. No form-action in the policy: browsers apply it to the
// redirects after a form as well, and those lead to the relying party.

const style = `
  :root { color-scheme: light dark; --accent: #0b57a4; --on-accent: #fff; --alert: #b3261e; --line: #767b82; }
  @media (prefers-color-scheme: dark) {
    :root { --accent: #8ab8f0; --on-accent: #121212; --alert: #f2a29b; --line: #8a9099; }
  }
  html { font: 1rem/1.5 system-ui, sans-serif; }
  body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
  main { box-sizing: border-box; width: min(100%, 24rem); padding: 1.5rem; overflow-wrap: anywhere; }
  h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
  label { display: block; margin: 1rem 0 .25rem; }
  input { box-sizing: border-box; width: 100%; border: 1px solid var(--line); border-radius: .375rem; }
  input, button { min-height: 2.75rem; padding: .5rem .75rem; font: inherit; }
  button { padding: .5rem 1.25rem; border: 1px solid var(--accent); border-radius: .375rem; cursor: pointer; }
  button { background: transparent; color: var(--accent); }
  button.first { background: var(--accent); color: var(--on-accent); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  dt { font-weight: 600; }
  dd { margin: 0 0 .5rem; }
  .actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
  .where { margin: 0; font-size: .875rem; }
  [role=alert] { border-left: .25rem solid; color: var(--alert); padding-left: .75rem; }`;

export function escapeHtml(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (character) => entities[character]);
}

export function page(title, content, provider = "Demo OpenID Provider") {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – ${escapeHtml(provider)}</title>
<style>${style}</style>
</head>
<body><main>
<p class="where">${escapeHtml(provider)}</p>
<h1>${escapeHtml(title)}</h1>
${content}
</main></body>
</html>
`;
}

export function signInPage({ action, username = "", clientId, failed = false, isAgain = false }) {
  const alert = failed ? `<p role="alert" id="failed">That name and password do not belong together.</p>` : "";
  const faulty = failed ? `aria-invalid="true" aria-describedby="failed"` : "";
  // Whoever is known by name has only the password left to type.
  const [atName, atPassword] = username ? ["", "autofocus"] : ["autofocus", ""];
  const [title, purpose] = isAgain
    ? ["Confirm that it is you", (client) => `Type your password again to continue to ${client}.`]
    : ["Sign in", (client) => `to continue to ${client}`];
  return page(
    title,
    `<p>${purpose(`<strong>${escapeHtml(clientId)}</strong>`)}</p>
${alert}
<form method="post" action="${escapeHtml(action)}">
<label for="username">Name</label>
<input id="username" name="username" value="${escapeHtml(username)}" autocomplete="username" required
 ${atName} ${faulty}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required ${atPassword} ${faulty}>
<p class="actions">
<button type="submit" class="first">Sign in</button>
<button type="submit" name="cancel" value="yes" formnovalidate>Cancel</button>
</p>
</form>`,
  );
}

export function consentPage({ action, clientId, apis }) {
  const rows = apis.flatMap(({ name, resource, scopes, meanings }) =>
    scopes.map((scope) => {
      const meaning = escapeHtml(meanings?.[scope] ?? "Use it for you");
      return `<dt>${escapeHtml(name ?? resource)}</dt><dd>${meaning} (<code>${escapeHtml(scope)}</code>)</dd>`;
    }),
  );
  return page(
    "Allow access?",
    `<p><strong>${escapeHtml(clientId)}</strong> asks for your permission:</p>
<dl>
${rows.join("\n")}
</dl>
<form method="post" action="${escapeHtml(action)}">
<p class="actions">
<button type="submit" class="first">Allow</button>
<button type="submit" name="cancel" value="yes">Deny</button>
</p>
</form>`,
  );
}

export function signOutPage(form) {
  return page(
    "Sign out",
    `<p>The application asks to sign you out here as well.</p>
${form}
<p class="actions">
<button type="submit" class="first" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>
</p>`,
  );
}

export function signedOutPage() {
  return page("Signed out", "<p>You are signed out of the demo OpenID Provider.</p>");
}

export function errorPage(out) {
  const rows = Object.entries(out).map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return page("That did not work", `<dl>${rows.join("\n")}</dl>`);
}
