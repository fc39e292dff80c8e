// The demo's fixed addresses and names. wrangler.toml says the same to the Worker.

export const publicOrigin = "http://localhost:8787";

export const ports = { worker: 8787, provider: 9080, origin: 9081, orders: 9082, invoices: 9083 };

export const client = {
  clientId: "vestibule-demo",
  // Only this machine's demo OP accepts it.
  clientSecret: "only-for-the-demo-0b7d4c",
  redirectUris: [`${publicOrigin}/signin-oidc`],
  postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc`],
  // The OP calls this one itself, where localhost may be the other address family.
  backchannelLogoutUri: `http://127.0.0.1:${ports.worker}/.auth/backchannel-logout`,
};

export const orders = {
  name: "Orders API",
  resource: `http://127.0.0.1:${ports.orders}/`,
  scopes: "orders.read orders.write",
};

export const invoices = {
  name: "Invoices API",
  resource: `http://127.0.0.1:${ports.invoices}/`,
  scopes: "invoices.read",
  asksConsent: true,
  meanings: { "invoices.read": "Read your invoices" },
};

// The authentication context class (`acr`) of whoever typed the password because an API asked for it.
export const confirmed = "urn:example:password-confirmed";
