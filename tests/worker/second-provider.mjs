// Another OpenID Provider for the same Worker, with an API of its own.

import { randomBytes } from "node:crypto";

import { startApi } from "../../demo/api.mjs";
import { startProvider } from "../../demo/provider.mjs";

export const shifts = "https://shifts.example/";
export const displayName = "Staff & <friends>";

/**
 * `beside` is for the parts of a Worker: it starts the provider and its API, which are on the result as `op` and `api`
 * from then on, and gives the Worker's variables for them. `backchannelHost` is where the provider finds the Worker.
 */
export function secondProvider({ backchannelHost = "localhost" } = {}) {
  const second = {};
  second.beside = async (publicOrigin) => {
    const client = { clientId: "the staff's client", clientSecret: randomBytes(18).toString("base64url") };
    const { port } = new URL(publicOrigin);
    second.op = await startProvider({
      ...client,
      redirectUris: [`${publicOrigin}/signin-oidc/Staff`],
      postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc/Staff`],
      backchannelLogoutUri: `http://${backchannelHost}:${port}/.auth/backchannel-logout/Staff`,
      resources: [{ resource: shifts, scopes: "orders.read" }],
    });
    second.api = await startApi({ issuer: second.op.issuer, audience: shifts });
    const api = { BaseUrl: `http://127.0.0.1:${second.api.port}`, Scopes: "orders.read", Resource: shifts };
    return {
      vars: { Providers: { Staff: { Authority: second.op.issuer, ClientId: client.clientId, DisplayName: displayName } } },
      secrets: { Providers__Staff__ClientSecret: client.clientSecret },
      apiVars: { Shifts: { ...api, Provider: "Staff" } },
      parts: [second.op, second.api],
    };
  };
  return second;
}
