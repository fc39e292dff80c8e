// The OP's own pages. No script and nothing from another host. No form-action in the policy: browsers apply it to the
// redirects after a form as well, and those lead to the relying party.

const style = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
  main { box-sizing: border-box; width: min(24rem, 100vw); padding: 1.5rem; }
  label { display: block; margin-top: 1rem; }
  input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
  button { margin-top: 1.5rem; padding: .5rem 1rem; font: inherit; }
  [role=alert] { border-left: .25rem solid #c33; padding-left: .75rem; }`;

export function escapeHtml(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (character) => entities[character]);
}

export function page(title, content) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – demo OpenID Provider</title>
<style>${style}</style>
</head>
<body><main>
<h1>${escapeHtml(title)}</h1>
${content}
</main></body>
</html>
`;
}

export function signInPage({ action, username = "", clientId, failed = false }) {
  const alert = failed ? `<p role="alert">That name and password do not belong together.</p>` : "";
  return page(
    "Sign in",
    `<p>to continue to <strong>${escapeHtml(clientId)}</strong></p>
${alert}
<form method="post" action="${escapeHtml(action)}">
<label for="username">Name</label>
<input id="username" name="username" value="${escapeHtml(username)}" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
<button type="submit" name="cancel" value="yes" formnovalidate>Cancel</button>
</form>`,
  );
}

export function signOutPage(form) {
  return page(
    "Sign out",
    `<p>The application asks to sign you out here as well.</p>
${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`,
  );
}

export function signedOutPage() {
  return page("Signed out", "<p>You are signed out of the demo OpenID Provider.</p>");
}

export function errorPage(out) {
  const rows = Object.entries(out).map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return page("That did not work", `<dl>${rows.join("\n")}</dl>`);
}
