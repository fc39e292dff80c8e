// The demo's fixed addresses and names. wrangler.toml says the same to the Worker.

export const publicOrigin = "http://localhost:8787";

export const ports = { worker: 8787, provider: 9080, origin: 9081, api: 9082 };

export const client = {
  clientId: "vestibule-demo",
  // Only this machine's demo OP accepts it.
  clientSecret: "only-for-the-demo-0b7d4c",
  redirectUris: [`${publicOrigin}/signin-oidc`],
  postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc`],
};

export const orders = {
  resource: `http://127.0.0.1:${ports.api}/`,
  scopes: "orders.read orders.write",
};
