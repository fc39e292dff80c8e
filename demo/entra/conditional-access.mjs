// Conditional Access: policies that demand a second factor for an API, and authentication contexts that an API can name.

import { mfaMissing } from "./errors.mjs";

/**
 * What a sign-in or a grant lacks for what it is wanted for: `undefined`, or `{ refusal, contexts }`. A second factor meets
 * every policy and every context that was asked for with it.
 */
export function lacking(entra, { amr, contexts }, { apis, claims }, options = { atTokenEndpoint: false }) {
  const policy = entra.policies.find((one) => claims.policies.includes(one.id) || isFor(one, apis));
  const unmet = claims.contexts.filter((context) => !contexts.has(context));
  if (!(policy && !amr.has("mfa")) && unmet.length === 0) return undefined;
  const demanded =
    unmet.length > 0
      ? { access_token: { acrs: { essential: true, value: unmet[0] } } }
      : { access_token: { capolids: { essential: true, values: [policy.id] } } };
  const name = apis[0]?.resource.clientId ?? "the application";
  return { refusal: mfaMissing(name, demanded, options), contexts: unmet };
}

function isFor({ resource, scope }, apis) {
  const isApi = (api) => api.clientId === resource || api.appIdUri === resource;
  return apis.some(
    ({ resource: api, names, isDefault }) => isApi(api) && (!scope || isDefault || names.includes(scope)),
  );
}
