//! Every key that the configuration knows. The parser reads no key that is not listed here, the README's table is
//! made from it, and so are the suggestions for a key that is misspelt. What describes a key is for people and for the
//! command, and weighs nothing in the Worker.

#[cfg(not(target_arch = "wasm32"))]
use std::fmt;

use super::fault::Problem;
use super::unsupported;

/// One accepted key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The full key; `<Name>` stands for a name that the operator chooses, `[]` for a position in a list of tables.
    pub key: &'static str,
    /// What kind of value it takes.
    #[cfg(not(target_arch = "wasm32"))]
    pub kind: Kind,
    /// What holds if it is absent, as one would write it; `None` if there is no default.
    #[cfg(not(target_arch = "wasm32"))]
    pub default: Option<&'static str>,
    /// What it does, and whether it is required.
    #[cfg(not(target_arch = "wasm32"))]
    pub meaning: &'static str,
}

/// What kind of value a key takes.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A list of strings, or one string with spaces between them.
    List,
    /// A whole number, or a string of digits.
    Number,
    /// A path that begins with `/`.
    Path,
    /// A whole number of seconds, or a string of digits.
    Seconds,
    /// A string that `wrangler secret put Section__Key` stores.
    Secret,
    /// A table of strings.
    Table,
    /// A list of tables.
    Tables,
    /// A string.
    Text,
    /// An absolute URL.
    Url,
}

#[cfg(not(target_arch = "wasm32"))]
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Number => "number",
            Self::Path => "path",
            Self::Seconds => "seconds",
            Self::Secret => "secret",
            Self::Table => "table",
            Self::Tables => "tables",
            Self::Text => "text",
            Self::Url => "URL",
        })
    }
}

macro_rules! settings {
    ($($key:literal $kind:ident $([$default:literal])?, $meaning:literal;)*) => {
        /// Every accepted key, section by section.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            #[cfg(not(target_arch = "wasm32"))]
            kind: Kind::$kind,
            #[cfg(not(target_arch = "wasm32"))]
            default: settings!(@default $($default)?),
            #[cfg(not(target_arch = "wasm32"))]
            meaning: $meaning,
        }),*];
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

settings! {
    "AzureAd.Instance" Url ["https://login.microsoftonline.com/"], "the sign-in host: that of a cloud, or of a directory of customers";
    "AzureAd.TenantId" Text, "the tenant's GUID or domain name, or common, organizations or consumers; required unless Authority or Domain is set";
    "AzureAd.Authority" Url, "Instance and TenantId in one URL, instead of both";
    "AzureAd.SignUpSignInPolicyId" Text, "Azure AD B2C: the user flow that signs people up and in";
    "AzureAd.ResetPasswordPolicyId" Text, "Azure AD B2C: the user flow for those who forgot their password";
    "AzureAd.EditProfilePolicyId" Text, "Azure AD B2C: the user flow in which people edit their profile";
    "AzureAd.AllowedTenants" List, "GUIDs of the tenants whose users may sign in, with TenantId common or organizations; all of them if absent";
    "AzureAd.AppHomeTenantId" Text, "GUID of the tenant that issues the application's own tokens, with TenantId common, organizations or consumers";
    "AzureAd.ClientId" Text, "the application (client) id; required";
    "AzureAd.ClientSecret" Secret, "the client secret; required unless ClientCredentials is set";
    "AzureAd.TokenEndpointAuthMethod" Text ["client_secret_post"], "client_secret_post or client_secret_basic";
    "AzureAd.ClientCredentials[].SourceType" Text, "where the credential comes from: ClientSecret, Base64Encoded, Pem, Jwk or CustomSignedAssertion; required. Entries are tried in their order, instead of ClientSecret";
    "AzureAd.ClientCredentials[].ClientSecret" Secret, "ClientSecret only: the client secret";
    "AzureAd.ClientCredentials[].Base64EncodedValue" Secret, "Base64Encoded only: a PFX file with the certificate and its key, in base64";
    "AzureAd.ClientCredentials[].CertificatePassword" Secret, "Base64Encoded only: the password of the PFX file; none if absent";
    "AzureAd.ClientCredentials[].Pem" Secret, "Pem only: a private key (PKCS#8) and its certificates in one text";
    "AzureAd.ClientCredentials[].Jwk" Secret, "Jwk only: a private key as a JSON Web Key";
    "AzureAd.ClientCredentials[].AssertionService" Text, "CustomSignedAssertion only: the service binding that answers with an assertion";
    "AzureAd.ClientCredentials[].AssertionUrl" Url, "CustomSignedAssertion only: the URL that answers with an assertion, instead of AssertionService";
    "AzureAd.ClientCredentials[].AssertionToken" Secret, "CustomSignedAssertion only: a token to ask with, sent as Bearer";
    "AzureAd.ClientCredentials[].TokenExchangeUrl" Text ["api://AzureADTokenExchange"], "CustomSignedAssertion only: the audience to ask for";
    "AzureAd.SendX5C" Boolean ["false"], "whether assertions carry the certificates";
    "AzureAd.Domain" Text, "a domain name of the tenant, which names it where TenantId is absent; required for Azure AD B2C";
    "AzureAd.Scope" List, "scopes to ask for at sign-in beyond openid, profile and offline_access";
    "AzureAd.ExtraQueryParameters" Table, "parameters to add to the authorization request";
    "AzureAd.IdTokenSigningAlgorithms" List ["RS256"], "accepted ID token algorithms, of RS256, ES256, PS256 and EdDSA";
    "AzureAd.ClientCapabilities" List, "cp1 tells APIs that this client answers claims challenges; there is no other";
    "AzureAd.ResponseMode" Text ["query"], "query is the only one";
    "AzureAd.UserInfo" Boolean ["false"], "whether sign-in calls the UserInfo endpoint, whose sub must match";
    "AzureAd.OmitIdTokenHint" Boolean ["true"], "Azure AD B2C: whether sign-out does without id_token_hint, which some user flows require";
    "AzureAd.JwksRefetchSeconds" Seconds ["60"], "least time between two fetches for an unknown key id, 1 to 86400";
    "AzureAd.ClockSkewSeconds" Seconds ["300"], "tolerance for the times in tokens, 0 to 600";
    "AzureAd.BackchannelTimeoutSeconds" Seconds ["5"], "how long a call to the OP may take, 1 to 14";
    "AzureAd.CallbackPath" Path ["/signin-oidc"], "the redirect URI's path";
    "AzureAd.SignedOutCallbackPath" Path ["/signout-callback-oidc"], "where the OP sends the browser after sign-out";
    "AzureAd.RemoteSignOutPath" Path ["/signout-oidc"], "the front-channel logout URL's path";
    "AzureAd.SignedOutRedirectUri" Url, "a path or URL to go to after sign-out, instead of the signed-out page";
    "AzureAd.ErrorPath" Path, "a path of the origin that explains why a sign-in failed, instead of Vestibule's own page";

    "OpenIdConnect.Authority" Url, "the OP's issuer identifier, byte for byte; required";
    "OpenIdConnect.ClientId" Text, "the client id; required";
    "OpenIdConnect.ClientSecret" Secret, "the client secret; required unless ClientCredentials is set";
    "OpenIdConnect.TokenEndpointAuthMethod" Text ["client_secret_basic"], "client_secret_basic or client_secret_post";
    "OpenIdConnect.ClientCredentials[].SourceType" Text, "where the credential comes from: ClientSecret, Base64Encoded, Pem, Jwk or CustomSignedAssertion; required. Entries are tried in their order, instead of ClientSecret";
    "OpenIdConnect.ClientCredentials[].ClientSecret" Secret, "ClientSecret only: the client secret";
    "OpenIdConnect.ClientCredentials[].Base64EncodedValue" Secret, "Base64Encoded only: a PFX file with the certificate and its key, in base64";
    "OpenIdConnect.ClientCredentials[].CertificatePassword" Secret, "Base64Encoded only: the password of the PFX file; none if absent";
    "OpenIdConnect.ClientCredentials[].Pem" Secret, "Pem only: a private key (PKCS#8) and its certificates in one text";
    "OpenIdConnect.ClientCredentials[].Jwk" Secret, "Jwk only: a private key as a JSON Web Key";
    "OpenIdConnect.ClientCredentials[].KeyId" Text, "the kid of assertions by this key; that of the JWK if absent";
    "OpenIdConnect.ClientCredentials[].SigningAlgorithm" Text, "RS256, PS256 or ES256; what fits the key if absent";
    "OpenIdConnect.ClientCredentials[].AssertionService" Text, "CustomSignedAssertion only: the service binding that answers with an assertion";
    "OpenIdConnect.ClientCredentials[].AssertionUrl" Url, "CustomSignedAssertion only: the URL that answers with an assertion, instead of AssertionService";
    "OpenIdConnect.ClientCredentials[].AssertionToken" Secret, "CustomSignedAssertion only: a token to ask with, sent as Bearer";
    "OpenIdConnect.ClientCredentials[].TokenExchangeUrl" Text, "CustomSignedAssertion only: the audience to ask for; none if absent";
    "OpenIdConnect.SendX5C" Boolean ["false"], "whether assertions carry the certificates";
    "OpenIdConnect.ClientAssertionAudience" Text ["Issuer"], "whom assertions by a key are for: Issuer or TokenEndpoint";
    "OpenIdConnect.Scope" List, "scopes to ask for at sign-in beyond openid, profile and offline_access";
    "OpenIdConnect.ExtraQueryParameters" Table, "parameters to add to the authorization request";
    "OpenIdConnect.IdTokenSigningAlgorithms" List ["RS256 ES256 PS256 EdDSA"], "accepted ID token algorithms";
    "OpenIdConnect.ResponseMode" Text ["query"], "query is the only one";
    "OpenIdConnect.UserInfo" Boolean ["false"], "whether sign-in calls the UserInfo endpoint, whose sub must match";
    "OpenIdConnect.OmitIdTokenHint" Boolean ["false"], "whether sign-out does without id_token_hint, so that the OP asks the user";
    "OpenIdConnect.JwksRefetchSeconds" Seconds ["60"], "least time between two fetches for an unknown key id, 1 to 86400";
    "OpenIdConnect.ClockSkewSeconds" Seconds ["60"], "tolerance for the times in tokens, 0 to 600";
    "OpenIdConnect.BackchannelTimeoutSeconds" Seconds ["5"], "how long a call to the OP may take, 1 to 14";
    "OpenIdConnect.CallbackPath" Path ["/signin-oidc"], "the redirect URI's path";
    "OpenIdConnect.SignedOutCallbackPath" Path ["/signout-callback-oidc"], "where the OP sends the browser after sign-out";
    "OpenIdConnect.RemoteSignOutPath" Path ["/signout-oidc"], "the front-channel logout URL's path";
    "OpenIdConnect.SignedOutRedirectUri" Url, "a path or URL to go to after sign-out, instead of the signed-out page";
    "OpenIdConnect.ErrorPath" Path, "a path of the origin that explains why a sign-in failed, instead of Vestibule's own page";

    "Providers.<Name>.Kind" Text ["OpenIdConnect"], "AzureAd or OpenIdConnect: whose settings and defaults the section has";
    "Providers.<Name>.DisplayName" Text, "what people are asked to choose; the name by default";
    "Providers.<Name>.Authority" Url, "as in the section that Kind names";
    "Providers.<Name>.Instance" Url ["https://login.microsoftonline.com/"], "AzureAd only: the sign-in host";
    "Providers.<Name>.TenantId" Text, "AzureAd only: the tenant's GUID or domain name, or common, organizations or consumers";
    "Providers.<Name>.SignUpSignInPolicyId" Text, "Azure AD B2C only: the user flow that signs people up and in";
    "Providers.<Name>.ResetPasswordPolicyId" Text, "Azure AD B2C only: the user flow for those who forgot their password";
    "Providers.<Name>.EditProfilePolicyId" Text, "Azure AD B2C only: the user flow in which people edit their profile";
    "Providers.<Name>.AllowedTenants" List, "AzureAd only: GUIDs of the tenants whose users may sign in";
    "Providers.<Name>.AppHomeTenantId" Text, "AzureAd only: GUID of the tenant that issues the application's own tokens";
    "Providers.<Name>.ClientId" Text, "the client id; required";
    "Providers.<Name>.ClientSecret" Secret, "the client secret, as Providers__<Name>__ClientSecret; required unless ClientCredentials is set";
    "Providers.<Name>.TokenEndpointAuthMethod" Text, "client_secret_post or client_secret_basic; the default is that of Kind";
    "Providers.<Name>.ClientCredentials[].SourceType" Text, "where the credential comes from: ClientSecret, Base64Encoded, Pem, Jwk or CustomSignedAssertion; required. Entries are tried in their order, instead of ClientSecret";
    "Providers.<Name>.ClientCredentials[].ClientSecret" Secret, "ClientSecret only: the client secret";
    "Providers.<Name>.ClientCredentials[].Base64EncodedValue" Secret, "Base64Encoded only: a PFX file with the certificate and its key, in base64";
    "Providers.<Name>.ClientCredentials[].CertificatePassword" Secret, "Base64Encoded only: the password of the PFX file; none if absent";
    "Providers.<Name>.ClientCredentials[].Pem" Secret, "Pem only: a private key (PKCS#8) and its certificates in one text";
    "Providers.<Name>.ClientCredentials[].Jwk" Secret, "Jwk only: a private key as a JSON Web Key";
    "Providers.<Name>.ClientCredentials[].KeyId" Text, "the kid of assertions by this key; that of the JWK if absent";
    "Providers.<Name>.ClientCredentials[].SigningAlgorithm" Text, "RS256, PS256 or ES256; what fits the key if absent";
    "Providers.<Name>.ClientCredentials[].AssertionService" Text, "CustomSignedAssertion only: the service binding that answers with an assertion";
    "Providers.<Name>.ClientCredentials[].AssertionUrl" Url, "CustomSignedAssertion only: the URL that answers with an assertion, instead of AssertionService";
    "Providers.<Name>.ClientCredentials[].AssertionToken" Secret, "CustomSignedAssertion only: a token to ask with, sent as Bearer";
    "Providers.<Name>.ClientCredentials[].TokenExchangeUrl" Text, "CustomSignedAssertion only: the audience to ask for; for AzureAd api://AzureADTokenExchange if absent";
    "Providers.<Name>.SendX5C" Boolean ["false"], "whether assertions carry the certificates";
    "Providers.<Name>.ClientAssertionAudience" Text ["Issuer"], "OpenIdConnect only: whom assertions by a key are for: Issuer or TokenEndpoint";
    "Providers.<Name>.Domain" Text, "AzureAd only: a domain name of the tenant, as in AzureAd";
    "Providers.<Name>.Scope" List, "scopes to ask for at sign-in beyond openid, profile and offline_access";
    "Providers.<Name>.ExtraQueryParameters" Table, "parameters to add to the authorization request";
    "Providers.<Name>.IdTokenSigningAlgorithms" List, "accepted ID token algorithms; the default is that of Kind";
    "Providers.<Name>.ClientCapabilities" List, "AzureAd only: cp1 tells APIs that this client answers claims challenges";
    "Providers.<Name>.ResponseMode" Text ["query"], "query is the only one";
    "Providers.<Name>.UserInfo" Boolean ["false"], "whether sign-in calls the UserInfo endpoint, whose sub must match";
    "Providers.<Name>.OmitIdTokenHint" Boolean, "whether sign-out does without id_token_hint; the default is that of Kind";
    "Providers.<Name>.JwksRefetchSeconds" Seconds ["60"], "least time between two fetches for an unknown key id, 1 to 86400";
    "Providers.<Name>.ClockSkewSeconds" Seconds, "tolerance for the times in tokens, 0 to 600; the default is that of Kind";
    "Providers.<Name>.BackchannelTimeoutSeconds" Seconds ["5"], "how long a call to the OP may take, 1 to 14";
    "Providers.<Name>.CallbackPath" Path ["/signin-oidc/<Name>"], "the redirect URI's path";
    "Providers.<Name>.SignedOutCallbackPath" Path ["/signout-callback-oidc/<Name>"], "where the OP sends the browser after sign-out";
    "Providers.<Name>.RemoteSignOutPath" Path ["/signout-oidc/<Name>"], "the front-channel logout URL's path";
    "Providers.<Name>.SignedOutRedirectUri" Url, "a path or URL to go to after sign-out, instead of the signed-out page";
    "Providers.<Name>.ErrorPath" Path, "a path of the origin that explains why a sign-in failed, instead of Vestibule's own page";

    "DownstreamApis.<Name>.BaseUrl" Url, "where requests for the API go; required unless Preset is set";
    "DownstreamApis.<Name>.Preset" Text, "Graph for Microsoft Graph in the cloud of AzureAd.Instance: BaseUrl, Scopes and RewriteLinks have its values by default";
    "DownstreamApis.<Name>.Provider" Text, "the provider whose tokens it takes and whose users may call it; needed where there are several and none has a section of its own";
    "DownstreamApis.<Name>.RelativePath" Text, "segments to append to BaseUrl";
    "DownstreamApis.<Name>.Scopes" List, "scopes of the API's access token; required unless Anonymous or Preset is set";
    "DownstreamApis.<Name>.RequestAppToken" Boolean ["false"], "whether the API gets the application's own access token";
    "DownstreamApis.<Name>.Anonymous" Boolean ["false"], "whether the API is called without an access token";
    "DownstreamApis.<Name>.IncrementalConsent" Boolean ["false"], "whether its scopes are asked for at its first call instead of at sign-in";
    "DownstreamApis.<Name>.AcquireTokenOptions.Tenant" Text, "GUID of the tenant whose access token the API gets, at the Microsoft identity platform";
    "DownstreamApis.<Name>.Resource" Text, "resource indicator (RFC 8707) to send with token requests";
    "DownstreamApis.<Name>.ExtraHeaderParameters" Table, "headers to set on requests to the API";
    "DownstreamApis.<Name>.ExtraQueryParameters" Table, "parameters to append to the query of requests to the API";
    "DownstreamApis.<Name>.RewriteLinks" Boolean ["false"], "whether @odata.nextLink and @odata.deltaLink that point at BaseUrl become addresses of the gateway; true with Preset";
    "DownstreamApis.<Name>.TimeoutSeconds" Seconds ["30"], "how long the API may take to answer, 1 to 300";

    "Gateway.PublicOrigin" Url, "scheme, host and port that browsers use; every absolute URL starts with it; required";
    "Gateway.AlternateOrigins" List, "further origins under which browsers reach the gateway, each with cookies and sign-ins of its own";
    "Gateway.Origin" Url, "where requests for the origin go, with a path to put before theirs if there is one; required unless OriginService is set";
    "Gateway.OriginService" Text, "the name of a service or static-assets binding that is the origin, instead of Origin";
    "Gateway.OriginTimeoutSeconds" Seconds ["30"], "how long the origin may take to answer, 1 to 300";
    "Gateway.StripPathPrefix" Path, "a path to take off the front of a request's path before it goes to the origin";
    "Gateway.RequestHeaders" Table, "headers to set on requests to the origin";
    "Gateway.RemoveRequestHeaders" List, "headers to take away from requests to the origin";
    "Gateway.ResponseHeaders" Table, "headers to set on the origin's answers";
    "Gateway.RemoveResponseHeaders" List, "headers to take away from the origin's answers";
    "Gateway.RewriteLocation" Boolean ["true"], "whether a redirect to the address in Origin leads to PublicOrigin";
    "Gateway.ClaimHeaders" Table, "headers to the origin, each with the name of the claim that it carries";
    "Gateway.OriginAssertion" Boolean ["false"], "whether requests to the origin carry an assertion signed by the gateway";
    "Gateway.OriginAssertionAudience" Text, "the assertion's aud; by default Origin without a trailing slash, or the name in OriginService";
    "Gateway.AuthPath" Path ["/.auth"], "prefix of login, logout, me, sessions, health, jwks and backchannel-logout";
    "Gateway.ApiPath" Path ["/api"], "prefix of the downstream APIs";
    "Gateway.IgnorePathCase" Boolean ["false"], "whether the origin takes paths that differ by letter case only for the same";
    "Gateway.Routes[].Name" Text, "names the rule in the log; its position if absent";
    "Gateway.Routes[].Path" Text, "the paths the rule is for: /docs exactly, * for any one segment, /** at the end for everything below; required";
    "Gateway.Routes[].Methods" List, "the methods the rule is for, of GET (and HEAD with it), HEAD, POST, PUT, PATCH, DELETE and OPTIONS; all if absent";
    "Gateway.Routes[].Host" Text, "the host, with its port unless that is the default, that the rule is for; any if absent";
    "Gateway.Routes[].Access" Text ["Login"], "who may pass: Anonymous, Optional, Login, Api or Bearer; under ApiPath Api, the default there, or Bearer";
    "Gateway.Routes[].Provider" Text, "the provider by which to sign in here; any if absent";
    "Gateway.Routes[].Require.Roles" List, "any of these in the claim roles";
    "Gateway.Routes[].Require.Groups" List, "any of these in the claim groups";
    "Gateway.Routes[].Require.EmailDomains" List, "any of these as the whole domain of the verified e-mail address";
    "Gateway.Routes[].Require.Claims" Table, "for each claim a value, or a list of values of which it must be or contain one";
    "Gateway.Routes[].Require.Present" List, "claims that must be there and not blank";
    "Gateway.Routes[].Require.All" Tables, "tables like Require, all of which must hold";
    "Gateway.Routes[].Require.Any" Tables, "tables like Require, of which one must hold";
    "Gateway.Routes[].Require.Not" Table, "a table like Require that must not hold";
    "Gateway.Routes[].Scopes" List, "scopes that the access token must have; with Bearer only";
    "Gateway.Routes[].AcrValues" List, "authentication context classes, one of which the sign-in must have reached; up to 1024 characters in all";
    "Gateway.Routes[].MaxAgeSeconds" Seconds, "how long ago the end-user may have entered credentials, 60 to 86400";
    "Gateway.Routes[].Sensitive" Boolean ["false"], "whether a sign-out elsewhere holds here at once instead of within Session.RevocationDelay; needs the binding ACCOUNTS";
    "Gateway.Routes[].AntiForgery" Boolean ["true"], "whether only pages of this origin may change state here with the session";
    "Gateway.Routes[].CorsOrigins" List, "other origins whose pages may send requests here";
    "Gateway.Routes[].TimeoutSeconds" Seconds, "how long the origin may take to answer, 1 to 300; OriginTimeoutSeconds if absent";
    "Gateway.Routes[].Hide" Boolean ["false"], "whether whoever does not meet Require is told 404 instead of 403";

    "Session.Key" Secret, "32 random bytes in base64, from which all keys are derived; required";
    "Session.PreviousKeys" Secret, "up to 4 earlier keys with commas between them, which still open what they sealed";
    "Session.IdleSeconds" Seconds ["3600"], "a session unused for this long ends, 60 to AbsoluteSeconds";
    "Session.AbsoluteSeconds" Seconds ["28800"], "a session this old ends, 300 to 7776000";
    "Session.LoginAttemptSeconds" Seconds ["900"], "how long a sign-in may take, 60 to 3600";
    "Session.RevocationDelay" Seconds ["10"], "how long an isolate trusts its memory before it asks again, 0 to 300";
    "Session.MemoryEntries" Number ["5000"], "how many sessions an isolate remembers, 1 to 20000";
    "Session.TokenCache" Text ["KV"], "where tokens are kept: KV for Workers KV, D1 for a D1 database, DurableObject for the accounts' objects alone, Memory for tests";
    "Session.SignOutScope" Text ["Account"], "what signing out ends: Account for all sessions of the account, Session for that browser's own";

    "Bearer.Audiences" List, "what access tokens must name in aud, one of them at least: absolute URIs or ids; required";
    "Bearer.Provider" Text, "the section of the OpenID Provider that issues the access tokens; needed where there are several";
    "Bearer.Introspection" Text ["Off"], "which access tokens the OP is asked about: Off for none, Opaque for those that are no JWT, Always for all";
    "Bearer.IntrospectionCacheSeconds" Seconds ["30"], "how long an isolate believes that a token is active before it asks again, 0 to 300";
    "Bearer.ResourceName" Text, "the name for people in the protected resource metadata";

    "Operator.Key" Secret, "32 random bytes in base64, with which an operator may end the sessions of others; without it nobody may";
}

/// Other names of sections: each with the name that [`SETTINGS`] has.
#[cfg(not(target_arch = "wasm32"))]
pub const SECTION_ALIASES: &[(&str, &str)] = &[("AzureAdB2C", "AzureAd")];

/// The names that may stand directly under a section; under the root, the empty pattern, the sections.
pub(crate) fn names_under(pattern: &str) -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(move |setting| {
        let rest = setting.key.strip_prefix(pattern)?;
        let rest = if pattern.is_empty() { rest } else { rest.strip_prefix('.')? };
        rest.split('.').next().map(|name| name.strip_suffix("[]").unwrap_or(name))
    })
}

/// Why `name`, which nothing reads, does not belong under `pattern`.
pub(crate) fn explain(pattern: &str, name: &str) -> Problem {
    if names_under(pattern).any(|known| known == name) {
        if pattern.ends_with(unsupported::CLIENT_CREDENTIALS) {
            return Problem::Unsupported("an entry of this SourceType has no such setting");
        }
        return Problem::Unsupported("a provider of this Kind has no such setting");
    }
    if let Some(right) = names_under(pattern).find(|known| known.eq_ignore_ascii_case(name)) {
        return Problem::Misspelt(right.to_owned());
    }
    if let Some(reason) = unsupported::reason(pattern, name) {
        return Problem::Unsupported(reason);
    }
    let near = names_under(pattern).map(|known| (distance(known, name), known)).min_by_key(|(distance, _)| *distance);
    Problem::Unknown(near.filter(|(distance, known)| distance * 4 <= known.len()).map(|(_, known)| known))
}

/// How many letters to insert, delete or replace, letter case aside (Levenshtein).
fn distance(known: &str, name: &str) -> usize {
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (position, letter) in name.bytes().enumerate() {
        let mut diagonal = position;
        let mut left = position + 1;
        let mut next = vec![left];
        for (above, other) in row.iter().skip(1).zip(known.bytes()) {
            let replaced = diagonal + usize::from(!letter.eq_ignore_ascii_case(&other));
            left = replaced.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("Scope", "Scope"), 0);
        assert_eq!(distance("Scope", "scopes"), 1);
        assert_eq!(distance("BaseUrl", "BaesUrl"), 2);
        assert_eq!(distance("Origin", ""), 6);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn no_key_is_listed_twice_and_no_refused_one_is_known() {
        for (position, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..position].iter().all(|other| other.key != setting.key), "{}", setting.key);
            let (section, name) = setting.key.rsplit_once('.').unwrap();
            let patterns = [
                "AzureAd",
                "OpenIdConnect",
                "Providers.<Name>",
                "AzureAd.ClientCredentials[]",
                "OpenIdConnect.ClientCredentials[]",
                "Providers.<Name>.ClientCredentials[]",
                "DownstreamApis.<Name>",
                "DownstreamApis.<Name>.AcquireTokenOptions",
                "Gateway",
                "Gateway.Routes[]",
                "Gateway.Routes[].Require",
                "Session",
                "Bearer",
                "Operator",
            ];
            let pattern = patterns.into_iter().find(|pattern| *pattern == section).unwrap();
            assert_eq!(unsupported::reason(pattern, name), None, "{}", setting.key);
        }
    }
}
