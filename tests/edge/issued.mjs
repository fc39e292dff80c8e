// Everything secret that the OpenID Provider issued or received, to search for where it must not be.

export function recordIssued(op) {
  const issued = { grants: [], refreshed: [], secrets: new Set() };
  const keep = (kind, value) => value && issued.secrets.add(`${kind} ${value}`);
  for (const event of ["grant.success", "grant.error"]) {
    op.provider.on(event, (ctx) => {
      const params = { ...ctx.oidc.params };
      const body = event === "grant.success" ? { ...ctx.body } : {};
      issued.grants.push({ event, params, body });
      if (params.refresh_token) issued.refreshed.push(params.refresh_token);
      for (const name of ["code", "code_verifier", "refresh_token"]) keep(name, params[name]);
      for (const name of ["access_token", "refresh_token", "id_token"]) keep(name, body[name]);
    });
  }
  return issued;
}

/** The kinds of secrets that occur in a text, whole or as a JWT's signature, as they are or encoded. */
export function leaks(secrets, text) {
  return [...secrets]
    .map((secret) => secret.split(" "))
    .filter(([, value]) => forms(value).some((form) => text.includes(form)))
    .map(([kind]) => kind);
}

function forms(value) {
  const parts = value.split(".");
  const whole = [value, encodeURIComponent(value), Buffer.from(value).toString("base64").replace(/=+$/, "")];
  return parts.length === 3 ? [...whole, parts[2], parts[1]] : whole;
}
