// The OP: the demo's own (npm `oidc-provider`), with one client for all contestants.

import { startProvider as startDemoProvider } from "../../demo/provider.mjs";

export const client = { clientId: "bench", clientSecret: "only-for-this-run-5b1f" };
export const resource = { resource: "https://bench.example/", scopes: "bench.read" };

/**
 * Access tokens are JWTs for `resource`, also for a client that names none. Refresh tokens rotate, without a second chance.
 * Set `accessTokenSeconds` of the one in `resources` for other lives from then on.
 */
export function startProvider({ redirectUris, tls, accessTokenSeconds = 3600 }) {
  return startDemoProvider({ ...client, redirectUris, resources: [{ ...resource }], accessTokenSeconds, tls, adjust: withDefaultResource });
}

function withDefaultResource(configuration) {
  const { resourceIndicators } = configuration.features;
  resourceIndicators.defaultResource = () => resource.resource;
  resourceIndicators.useGrantedResource = () => true;
  return configuration;
}
