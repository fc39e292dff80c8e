//! Keys that people bring along from `appsettings.json` and that mean nothing here, each with the reason. Ignoring
//! one silently would promise something that does not happen.

/// What the patterns of entries of that list end in.
pub(super) const CLIENT_CREDENTIALS: &str = ".ClientCredentials[]";

/// Where a key of that name is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    AcquireToken,
    Api,
    Credential,
    Gateway,
    OpenIdConnect,
    Provider,
    Root,
}

impl Place {
    /// The section, as the documentation has it.
    #[cfg(not(target_arch = "wasm32"))]
    const fn section(self) -> &'static str {
        match self {
            Self::AcquireToken => "DownstreamApis.<Name>.AcquireTokenOptions",
            Self::Api => "DownstreamApis.<Name>",
            Self::Credential => "ClientCredentials",
            Self::Gateway => "Gateway",
            Self::OpenIdConnect => "OpenIdConnect",
            Self::Provider => "AzureAd, OpenIdConnect, Providers.<Name>",
            Self::Root => "",
        }
    }
}

/// Every option that is refused for a reason: the sections that it stands in elsewhere, empty for the root, its name and
/// the reason.
#[cfg(not(target_arch = "wasm32"))]
pub fn refused_options() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    UNSUPPORTED.iter().map(|(place, name, reason)| (place.section(), *name, *reason))
}

/// Why the key `name` under `pattern`, a section as [`settings::SETTINGS`](super::settings::SETTINGS) has it, is refused,
/// if it is one that people know.
pub(super) fn reason(pattern: &str, name: &str) -> Option<&'static str> {
    let places: &[Place] = match pattern {
        "" => &[Place::Root],
        "AzureAd" | "Providers.<Name>" => &[Place::Provider],
        "OpenIdConnect" => &[Place::Provider, Place::OpenIdConnect],
        "DownstreamApis.<Name>" => &[Place::Api],
        "DownstreamApis.<Name>.AcquireTokenOptions" => &[Place::AcquireToken],
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
const FIXED_CHECKS: &str = "the checks of OpenID Connect Core cannot be changed";
const IS_AZURE_AD: &str = "the section is named AzureAd";
const NAMED_APIS: &str = "each API has a name; use [vars.DownstreamApis.<Name>]";
const NO_IDENTITIES: &str = "managed identities exist on Azure hosts only";
const NO_TELEMETRY: &str = "no telemetry is sent to anybody";
const NO_TENANTS: &str = "only the Microsoft identity platform has tenants";
const OF_ASP_NET: &str = "it is about how an ASP.NET Core app is put together";
const OF_THE_ORIGIN: &str = "it is the origin's";
const OF_THE_PLATFORM: &str = "the platform listens, by the routes in wrangler.toml";
const ONLY_BEARER: &str = "access tokens are always sent as Bearer";
const PLAIN_REQUESTS: &str = "token requests carry what the protocol has for them, and nothing else";
const OTHER_AUDIENCES: &str = "the audience of an ID token is always ClientId; for access tokens set Bearer.Audiences";
const OWN_COOKIES: &str = "cookies are always __Host-, Secure, HttpOnly and SameSite=Lax";
const OWN_INTERVALS: &str = "when metadata and keys are fetched is decided here; see JwksRefetchSeconds";
const OWN_LOG: &str = "the log's settings are those of the Worker in wrangler.toml";
const OWN_POLICIES: &str =
    "the user flows are those of SignUpSignInPolicyId, ResetPasswordPolicyId and EditProfilePolicyId";
const USER_FLOW_PATH: &str = "a page links to /.auth/login?policy=reset_password or ?policy=edit_profile";
const B2C_ONLY: &str = "Azure AD B2C belongs into [vars.AzureAd]";
const OWN_CACHE: &str = "Session.TokenCache says where tokens are kept, sealed, in Vestibule's own format";
const OWN_FLOW: &str = "tokens come from the user flow that signed the end-user in";
const OWN_CALLS: &str = "the caller's own method, body and headers reach the API";

const UNSUPPORTED: &[(Place, &str, &str)] = &[
    (Place::Root, "ACCOUNTS", "as a variable; bind it in [[durable_objects.bindings]] of wrangler.toml"),
    (Place::Root, "AllowedHosts", "Gateway.PublicOrigin is the only host"),
    (Place::Root, "ApplicationInsights", OWN_LOG),
    (Place::Root, "Authentication", "schemes are sections here: AzureAd, OpenIdConnect and Providers.<Name>"),
    (Place::Root, "CalledApi", NAMED_APIS),
    (Place::Root, "ConnectionStrings", OF_THE_ORIGIN),
    (Place::Root, "Cors", "set CorsOrigins of a route"),
    (Place::Root, "DetailedErrors", "what went wrong is in the log only"),
    (Place::Root, "DownstreamApi", NAMED_APIS),
    (Place::Root, "DownstreamWebApi", NAMED_APIS),
    (Place::Root, "EntraId", IS_AZURE_AD),
    (Place::Root, "FeatureManagement", OF_THE_ORIGIN),
    (Place::Root, "GraphApi", NAMED_APIS),
    (Place::Root, "https_port", OF_THE_PLATFORM),
    (Place::Root, "Kestrel", OF_THE_PLATFORM),
    (Place::Root, "KeyVault", "secrets are those of `wrangler secret put`"),
    (Place::Root, "Logging", OWN_LOG),
    (Place::Root, "METRICS", "as a variable; bind it in [[analytics_engine_datasets]] of wrangler.toml"),
    (Place::Root, "MicrosoftEntraId", IS_AZURE_AD),
    (Place::Root, "MicrosoftGraph", NAMED_APIS),
    (Place::Root, "NLog", OWN_LOG),
    (Place::Root, "Redis", OWN_CACHE),
    (Place::Root, "Serilog", OWN_LOG),
    (Place::Root, "TOKEN_CACHE", "as a variable; bind it in [[kv_namespaces]] of wrangler.toml"),
    (Place::Root, "TOKEN_CACHE_DB", "as a variable; bind it in [[d1_databases]] of wrangler.toml"),
    (Place::Root, "Urls", OF_THE_PLATFORM),
    (Place::Provider, "AadAuthorityAudience", "set TenantId"),
    (Place::Provider, "AccessDeniedPath", "set ErrorPath"),
    (Place::Provider, "AdditionalAuthorizationParameters", "it is named ExtraQueryParameters here"),
    (
        Place::Provider,
        "AllowWebApiToBeAuthorizedByACL",
        "an access token must grant something; set Scopes or Require of a route with Access Bearer",
    ),
    (Place::Provider, "AppPermissions", "set Require.Roles of a route"),
    (Place::Provider, "Audience", OTHER_AUDIENCES),
    (Place::Provider, "Audiences", OTHER_AUDIENCES),
    (Place::Provider, "AuthenticationMethod", "the browser is always redirected"),
    (Place::Provider, "AutomaticRefreshInterval", OWN_INTERVALS),
    (Place::Provider, "AzureCloudInstance", "set Instance"),
    (Place::Provider, "AzureRegion", "all tokens come from the global endpoint of Instance"),
    (Place::Provider, "BackchannelTimeout", "set BackchannelTimeoutSeconds"),
    (Place::Provider, "CacheOptions", OWN_CACHE),
    (Place::Provider, "ClaimsIssuer", OF_ASP_NET),
    (Place::Provider, "ClientCertificates", "it is named ClientCredentials here, with the same entries"),
    (Place::Provider, "ClientName", NO_TELEMETRY),
    (Place::Provider, "ClientVersion", NO_TELEMETRY),
    (Place::Provider, "CorrelationCookie", OWN_COOKIES),
    (Place::Provider, "DefaultUserFlow", OWN_POLICIES),
    (Place::Provider, "DisableTelemetry", NO_TELEMETRY),
    (Place::Provider, "EditProfilePath", USER_FLOW_PATH),
    (Place::Provider, "EnableCacheSynchronization", OWN_CACHE),
    (Place::Provider, "EnablePiiLogging", "no personal data is ever logged"),
    (Place::Provider, "ForwardDefault", OF_ASP_NET),
    (Place::Provider, "GetClaimsFromUserInfoEndpoint", "it is named UserInfo here"),
    (Place::Provider, "IsDefaultPlatformLoggingEnabled", OWN_LOG),
    (Place::Provider, "KerberosServicePrincipalName", "Kerberos tickets have no use at the edge"),
    (Place::Provider, "LegacyCacheCompatibilityEnabled", OWN_CACHE),
    (Place::Provider, "LogLevel", OWN_LOG),
    (Place::Provider, "ManagedIdentity", NO_IDENTITIES),
    (Place::Provider, "MapInboundClaims", "claims keep the names that the token gives them"),
    (Place::Provider, "MaxAge", "it belongs to a single login request, not to the configuration"),
    (Place::Provider, "MetadataAddress", "the metadata is always at Authority's well-known path"),
    (Place::Provider, "NonceCookie", OWN_COOKIES),
    (Place::Provider, "PartitionAppTokenCacheByAudience", OWN_CACHE),
    (Place::Provider, "Prompt", "it belongs to a single login request, not to the configuration"),
    (Place::Provider, "PushedAuthorizationBehavior", "pushed authorization requests are not part of this version"),
    (Place::Provider, "RedirectUri", "it is Gateway.PublicOrigin with CallbackPath"),
    (Place::Provider, "RefreshInterval", OWN_INTERVALS),
    (Place::Provider, "RefreshOnIssuerKeyNotFound", OWN_INTERVALS),
    (Place::Provider, "RemoteAuthenticationTimeout", "set Session.LoginAttemptSeconds"),
    (Place::Provider, "RequireHttpsMetadata", "https is always required, except on loopback hosts"),
    (Place::Provider, "ResetPasswordPath", USER_FLOW_PATH),
    (Place::Provider, "Resource", "set Resource of the downstream API"),
    (Place::Provider, "ResponseType", "the authorization code flow is the only one"),
    (Place::Provider, "ReturnUrlParameter", "it is always return_to"),
    (Place::Provider, "SaveTokens", "tokens are always kept, and only at the edge"),
    (Place::Provider, "Scopes", "set Scope for a sign-in, or Scopes of a route with Access Bearer for access tokens"),
    (Place::Provider, "SignInScheme", OF_ASP_NET),
    (Place::Provider, "SignOutScheme", OF_ASP_NET),
    (Place::Provider, "SkipUnrecognizedRequests", OF_ASP_NET),
    (Place::Provider, "TokenDecryptionCertificates", NO_DECRYPTION),
    (Place::Provider, "TokenDecryptionCredentials", NO_DECRYPTION),
    (Place::Provider, "TokenValidationParameters", FIXED_CHECKS),
    (Place::Provider, "UseFastUnboundedCache", OWN_CACHE),
    (Place::Provider, "UsePkce", "PKCE cannot be switched off"),
    (Place::Provider, "UserAssignedManagedIdentityClientId", NO_IDENTITIES),
    (Place::Provider, "UseSecurityTokenValidator", FIXED_CHECKS),
    (Place::Provider, "UseTokenLifetime", "set Session.IdleSeconds and Session.AbsoluteSeconds"),
    (Place::Provider, "WithSpaAuthCode", "the browser never holds a code or a token"),
    (Place::OpenIdConnect, "AllowedTenants", NO_TENANTS),
    (Place::OpenIdConnect, "AppHomeTenantId", NO_TENANTS),
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
    (Place::Api, "AuthenticationOptionsName", "set Provider"),
    (Place::Api, "AuthenticationScheme", "set Provider"),
    (Place::Api, "CalledApiUrl", "it is BaseUrl"),
    (Place::Api, "ContentType", OWN_CALLS),
    (Place::Api, "HttpMethod", OWN_CALLS),
    (Place::Api, "ProtocolScheme", ONLY_BEARER),
    (Place::Api, "Tenant", "it is AcquireTokenOptions.Tenant"),
    (Place::Api, "UserFlow", OWN_FLOW),
    (Place::AcquireToken, "AuthenticationOptionsName", "set Provider of the API"),
    (Place::AcquireToken, "Claims", "claims are those that the API itself, or the OpenID Provider for it, demands"),
    (
        Place::AcquireToken,
        "CorrelationId",
        "each request has a reference of its own, and traceparent if the client sends it",
    ),
    (Place::AcquireToken, "ExtraHeadersParameters", PLAIN_REQUESTS),
    (Place::AcquireToken, "ExtraParameters", PLAIN_REQUESTS),
    (Place::AcquireToken, "ExtraQueryParameters", PLAIN_REQUESTS),
    (Place::AcquireToken, "FmiPath", NO_IDENTITIES),
    (Place::AcquireToken, "ForceRefresh", "a token is renewed when its time has come or the API refuses it"),
    (Place::AcquireToken, "LongRunningWebApiSessionKey", OWN_CACHE),
    (Place::AcquireToken, "ManagedIdentity", NO_IDENTITIES),
    (Place::AcquireToken, "PopClaim", ONLY_BEARER),
    (Place::AcquireToken, "PopPublicKey", ONLY_BEARER),
    (Place::AcquireToken, "UserFlow", OWN_FLOW),
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
