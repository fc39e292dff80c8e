//! Keys that people bring along from `appsettings.json` and that mean nothing here, each with the reason. Ignoring
//! one silently would promise something that does not happen.

/// What the patterns of entries of that list end in.
pub(super) const CLIENT_CREDENTIALS: &str = ".ClientCredentials[]";

/// Where a key of that name is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Api,
    Credential,
    Gateway,
    OpenIdConnect,
    Provider,
    Root,
}

/// Why the key `name` under `pattern` is refused, if it is one that people know.
pub(super) fn reason(pattern: &str, name: &str) -> Option<&'static str> {
    let places: &[Place] = match pattern {
        "" => &[Place::Root],
        "AzureAd" | "Providers.<Name>" => &[Place::Provider],
        "OpenIdConnect" => &[Place::Provider, Place::OpenIdConnect],
        "DownstreamApis.<Name>" => &[Place::Api],
        "Gateway" => &[Place::Gateway],
        _ if pattern.ends_with(CLIENT_CREDENTIALS) => &[Place::Credential],
        _ => return None,
    };
    let entry = UNSUPPORTED.iter().find(|(at, known, _)| places.contains(at) && known.eq_ignore_ascii_case(name));
    entry.map(|(_, _, reason)| *reason)
}

const NO_AZURE_HOST: &str = "managed identities exist on Azure hosts only; use SourceType CustomSignedAssertion";
const NO_STORE: &str = "a Worker has no disk and no certificate store; store the certificate as the secret of an entry with SourceType Base64Encoded";
const NO_VAULT: &str =
    "a Worker cannot sign in to a vault; store the certificate as the secret of an entry with SourceType Base64Encoded";
const NAME_OF_SOURCE: &str = "set AssertionService or AssertionUrl";
const NO_DECRYPTION: &str = "encrypted ID tokens are refused";
const OWN_POLICIES: &str =
    "the user flows are those of SignUpSignInPolicyId, ResetPasswordPolicyId and EditProfilePolicyId";
const USER_FLOW_PATH: &str = "a page links to /.auth/login?policy=reset_password or ?policy=edit_profile";
const B2C_ONLY: &str = "Azure AD B2C belongs into [vars.AzureAd]";
const NO_ERROR_PAGES: &str = "errors are shown on Vestibule's own pages";
const OWN_CACHE: &str = "Session.TokenCache says where tokens are kept, sealed, in Vestibule's own format";
const OWN_CALLS: &str = "the caller's own method, body and headers reach the API";

const UNSUPPORTED: &[(Place, &str, &str)] = &[
    (Place::Root, "TOKEN_CACHE_DB", "as a variable; bind it in [[d1_databases]] of wrangler.toml"),
    (Place::Root, "ACCOUNTS", "as a variable; bind it in [[durable_objects.bindings]] of wrangler.toml"),
    (Place::Root, "AllowedHosts", "Gateway.PublicOrigin is the only host"),
    (Place::Root, "DownstreamApi", "each API has a name; use [vars.DownstreamApis.<Name>]"),
    (Place::Root, "Logging", "the log's settings are those of the Worker in wrangler.toml"),
    (Place::Root, "METRICS", "as a variable; bind it in [[analytics_engine_datasets]] of wrangler.toml"),
    (Place::Root, "TOKEN_CACHE", "as a variable; bind it in [[kv_namespaces]] of wrangler.toml"),
    (Place::Provider, "AllowWebApiToBeAuthorizedByACL", "Vestibule signs end-users in and is no web API"),
    (Place::Provider, "AppHomeTenantId", "the application's own tokens come from the tenant of TenantId"),
    (Place::Provider, "Audience", "the audience of an ID token is always ClientId"),
    (Place::Provider, "Audiences", "the audience of an ID token is always ClientId"),
    (Place::Provider, "AzureRegion", "all tokens come from the global endpoint of Instance"),
    (Place::Provider, "CacheOptions", OWN_CACHE),
    (Place::Provider, "ClientCertificates", "it is named ClientCredentials here, with the same entries"),
    (Place::Provider, "DefaultUserFlow", OWN_POLICIES),
    (Place::Provider, "EditProfilePath", USER_FLOW_PATH),
    (Place::Provider, "EnablePiiLogging", "no personal data is ever logged"),
    (Place::Provider, "ErrorPath", NO_ERROR_PAGES),
    (Place::Provider, "GetClaimsFromUserInfoEndpoint", "it is named UserInfo here"),
    (Place::Provider, "LegacyCacheCompatibilityEnabled", OWN_CACHE),
    (Place::Provider, "MaxAge", "it belongs to a single login request, not to the configuration"),
    (Place::Provider, "MetadataAddress", "the metadata is always at Authority's well-known path"),
    (Place::Provider, "PartitionAppTokenCacheByAudience", OWN_CACHE),
    (Place::Provider, "Prompt", "it belongs to a single login request, not to the configuration"),
    (Place::Provider, "RequireHttpsMetadata", "https is always required, except on loopback hosts"),
    (Place::Provider, "ResetPasswordPath", USER_FLOW_PATH),
    (Place::Provider, "Resource", "set Resource of the downstream API"),
    (Place::Provider, "ResponseType", "the authorization code flow is the only one"),
    (Place::Provider, "SaveTokens", "tokens are always kept, and only at the edge"),
    (Place::Provider, "TokenDecryptionCertificates", NO_DECRYPTION),
    (Place::Provider, "TokenDecryptionCredentials", NO_DECRYPTION),
    (Place::Provider, "TokenValidationParameters", "the checks of OpenID Connect Core cannot be changed"),
    (Place::Provider, "UseFastUnboundedCache", OWN_CACHE),
    (Place::Provider, "UsePkce", "PKCE cannot be switched off"),
    (Place::Provider, "UserAssignedManagedIdentityClientId", "managed identities exist on Azure hosts only"),
    (Place::Provider, "UseTokenLifetime", "set Session.IdleSeconds and Session.AbsoluteSeconds"),
    (Place::Provider, "WithSpaAuthCode", "the browser never holds a code or a token"),
    (Place::OpenIdConnect, "EditProfilePolicyId", B2C_ONLY),
    (Place::OpenIdConnect, "ResetPasswordPolicyId", B2C_ONLY),
    (Place::OpenIdConnect, "SignUpSignInPolicyId", B2C_ONLY),
    (Place::OpenIdConnect, "ClientCapabilities", "only the Microsoft identity platform knows client capabilities"),
    (Place::Credential, "CertificateDiskPath", NO_STORE),
    (Place::Credential, "CertificateDistinguishedName", NO_STORE),
    (Place::Credential, "CertificateStorePath", NO_STORE),
    (Place::Credential, "CertificateSubjectName", NO_STORE),
    (Place::Credential, "CertificateThumbprint", NO_STORE),
    (Place::Credential, "CustomSignedAssertionProviderData", NAME_OF_SOURCE),
    (Place::Credential, "CustomSignedAssertionProviderName", NAME_OF_SOURCE),
    (Place::Credential, "KeyVaultCertificateName", NO_VAULT),
    (Place::Credential, "KeyVaultUrl", NO_VAULT),
    (Place::Credential, "ManagedIdentityClientId", NO_AZURE_HOST),
    (Place::Credential, "SignedAssertionFileDiskPath", NO_STORE),
    (Place::Credential, "TokenExchangeAuthority", "the assertion comes from AssertionService or AssertionUrl"),
    (Place::Api, "AcceptHeader", OWN_CALLS),
    (Place::Api, "AcquireTokenOptions", "tokens are acquired as the provider's section and the API's own settings say"),
    (Place::Api, "ContentType", OWN_CALLS),
    (Place::Api, "HttpMethod", OWN_CALLS),
    (Place::Api, "ProtocolScheme", "access tokens are always sent as Bearer"),
    (Place::Api, "Tenant", "the tenant of the provider's section is the only one"),
    (Place::Api, "UserFlow", "tokens come from the user flow that signed the end-user in"),
    (Place::Gateway, "OriginHost", "the platform sends the host of Origin; X-Forwarded-Host has the public one"),
];

/// Why there is no credential of that `SourceType`, by the name or the number of Microsoft.Identity.Web.
pub(super) fn source_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "Certificate" | "0" => "it is an object of a program; store the certificate as Base64Encoded",
        "KeyVault" | "1" | "SignedAssertionFromVault" | "9" => NO_VAULT,
        "Path"
        | "3"
        | "StoreWithThumbprint"
        | "4"
        | "StoreWithDistinguishedName"
        | "5"
        | "StoreWithSubjectName"
        | "13"
        | "SignedAssertionFilePath"
        | "8" => NO_STORE,
        "SignedAssertionFromManagedIdentity" | "7" | "ManagedCertificate" | "12" => NO_AZURE_HOST,
        "AutoDecryptKeys" | "10" => NO_DECRYPTION,
        _ => return None,
    })
}
