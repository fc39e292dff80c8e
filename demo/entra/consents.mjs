// What users, or an administrator for all of them, have allowed an app to do.

const key = (app, user, tenant) => `${app.clientId} ${tenant.id} ${user.username}`;

/** The scopes of an API that the app may use for the user. An app with `adminConsent` may use those listed, or any. */
export function grantedScopes(entra, app, user, tenant, resource) {
  const all = Object.keys(resource.scopes);
  if (app.adminConsent === true || resource.clientId === app.clientId) return all;
  const identifier = resource.appIdUri;
  const byAdmin = all.filter((name) => {
    const forms = [name, `${identifier}/${name}`, `${resource.clientId}/${name}`];
    return (app.adminConsent ?? []).some((scope) => forms.includes(scope));
  });
  const byUser = entra.consents.get(key(app, user, tenant))?.get(resource.clientId) ?? new Set();
  return all.filter((name) => byAdmin.includes(name) || byUser.has(name));
}

/** Those of the wanted scopes that nobody has allowed yet, as `[{ resource, name, scope }]`. */
export function missingConsents(entra, app, user, tenant, apis) {
  return apis.flatMap(({ resource, names, isDefault }) => {
    const granted = grantedScopes(entra, app, user, tenant, resource);
    const wanted = isDefault ? staticScopes(app, resource) : names;
    return wanted
      .filter((name) => !granted.includes(name))
      .map((name) => ({ resource, name, scope: resource.scopes[name] }));
  });
}

export function consent(entra, app, user, tenant, missing) {
  const consents = entra.consents.get(key(app, user, tenant)) ?? new Map();
  entra.consents.set(key(app, user, tenant), consents);
  for (const { resource, name } of missing) {
    const names = consents.get(resource.clientId) ?? new Set();
    consents.set(resource.clientId, names.add(name));
  }
}

/** What `.default` stands for: the scopes in the app's registration; those that need no administrator if it lists none. */
function staticScopes(app, resource) {
  if (resource.clientId === app.clientId) return [];
  const listed = app.permissions?.[resource.appIdUri];
  return listed ?? Object.keys(resource.scopes).filter((name) => !resource.scopes[name].isForAdmins);
}
