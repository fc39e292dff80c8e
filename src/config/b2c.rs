//! Azure AD B2C: a directory of customers, with an authority for each user flow. All of them issue tokens of one issuer,
//! about the same accounts.

use url::Url;

use crate::oidc::issuer::{IssuerRule, TENANT_PLACEHOLDER};

use super::address;
use super::authority::{Authority, metadata_url};
use super::cloud::Cloud;
use super::fault::Problem;
use super::section::Section;
use super::tenant::Tenant;
use super::user_flows::{Policy, UserFlows};

/// Another name of the section `AzureAd`, which templates have.
pub(super) const SECTION: &str = "AzureAdB2C";

const INSTANCE_EXAMPLE: &str = "https://contoso.b2clogin.com";
const SIGN_IN: &str = "SignUpSignInPolicyId";
const RESET_PASSWORD: &str = "ResetPasswordPolicyId";
const EDIT_PROFILE: &str = "EditProfilePolicyId";

/// Whether the section is about Azure AD B2C.
pub(super) fn is_meant(section: &Section<'_>) -> bool {
    section.holds(SIGN_IN) || section.path() == SECTION
}

/// Refuses what has a meaning here only.
pub(super) fn refuse_settings(section: &mut Section<'_>) {
    for key in [RESET_PASSWORD, EDIT_PROFILE] {
        if section.take(key).is_some() {
            section.fault(key, Problem::NeedsBeside(SIGN_IN));
        }
    }
}

/// `OmitIdTokenHint` of the Microsoft identity platform, which takes `logout_hint` but for Azure AD B2C.
pub(super) fn omits_id_token_hint(section: &mut Section<'_>, is_b2c: bool) -> Option<bool> {
    let omits = section.flag_or("OmitIdTokenHint", true);
    if omits == Some(false) && !is_b2c {
        section.fault("OmitIdTokenHint", Problem::NeedsBeside(SIGN_IN));
    }
    omits
}

/// Reads where the directory and its user flows are.
pub(super) fn read(section: &mut Section<'_>) -> Option<Authority> {
    if section.holds("Authority") {
        section.fault("Authority", Problem::Conflict(section.key(SIGN_IN)));
        section.text("Authority");
    }
    let names = Names::read(section);
    let hint = "the directory's sign-in host; e.g. \"https://contoso.b2clogin.com\"";
    let instance = section.required("Instance", hint, instance);
    let hint = "the directory's name; e.g. \"contoso.onmicrosoft.com\"";
    let domain = section.required("Domain", hint, Tenant::parse_domain);
    let tenant = section.parsed("TenantId", Tenant::parse_guid);
    let (instance, domain) = (instance?, domain?);
    let issuer = match tenant {
        Some(guid) => IssuerRule::Exact(format!("{instance}{guid}/v2.0/")),
        None => IssuerRule::Learned(vec![format!("{instance}{TENANT_PLACEHOLDER}/v2.0/")]),
    };
    let user_flows = section.accept("Instance", names.below(&format!("{instance}{domain}"))?)?;
    let cloud = Url::parse(&instance).ok().and_then(|url| Cloud::of_customers(url.host_str()?));
    Some(Authority {
        metadata_url: user_flows.sign_in.metadata_url.clone(),
        issuer,
        has_one_tenant: true,
        cloud,
        is_for_customers: true,
        user_flows: Some(user_flows),
    })
}

/// What the policies are called.
struct Names {
    sign_in: Option<String>,
    edit_profile: Option<String>,
    reset_password: Option<String>,
}

impl Names {
    /// Reads them; no two may be the same.
    fn read(section: &mut Section<'_>) -> Self {
        let hint = "the user flow that signs people up and in; e.g. \"B2C_1_susi\"";
        let sign_in = section.required(SIGN_IN, hint, policy_name);
        let edit_profile = section.parsed(EDIT_PROFILE, policy_name);
        let reset_password = section.parsed(RESET_PASSWORD, policy_name);
        let all = [(SIGN_IN, &sign_in), (EDIT_PROFILE, &edit_profile), (RESET_PASSWORD, &reset_password)];
        for (position, (key, name)) in all.iter().enumerate() {
            let is_same = |(_, other): &&(&str, &Option<String>)| {
                let both = name.as_ref().zip(other.as_ref());
                both.is_some_and(|(name, other)| name.eq_ignore_ascii_case(other))
            };
            if let Some((twin, _)) = all.iter().take(position).find(is_same) {
                section.fault(key, Problem::Same(section.key(twin)));
            }
        }
        Self { sign_in, edit_profile, reset_password }
    }

    /// Where they are in a directory; `None` without the one that signs in.
    fn below(self, directory: &str) -> Option<Result<UserFlows, Problem>> {
        let policy = |name: String| {
            let metadata_url = metadata_url(&format!("{directory}/{name}/v2.0"))?;
            Ok(Policy { name, metadata_url })
        };
        let sign_in = policy(self.sign_in?);
        let others = (self.edit_profile.map(policy).transpose(), self.reset_password.map(policy).transpose());
        Some(match (sign_in, others) {
            (Ok(sign_in), (Ok(edit_profile), Ok(reset_password))) => {
                Ok(UserFlows { sign_in, edit_profile, reset_password })
            }
            (Err(problem), _) | (_, (Err(problem), _) | (_, Err(problem))) => Err(problem),
        })
    }
}

/// The instance, which ends in a slash. Older samples have `/tfp` there, which makes it another form of authority.
fn instance(text: &str) -> Result<String, Problem> {
    let trimmed = text.trim_end_matches('/');
    let origin = address::origin(trimmed.strip_suffix("/tfp").unwrap_or(trimmed), INSTANCE_EXAMPLE)?;
    let host = origin.host_str().unwrap_or_default();
    if Cloud::of_host(host).is_some() {
        return Err(Problem::Unsupported("Azure AD B2C has hosts of its own, <name>.b2clogin.com, and custom domains"));
    }
    if host.ends_with(".ciamlogin.com") {
        return Err(Problem::Unsupported("an external tenant has no policies; leave SignUpSignInPolicyId out"));
    }
    Ok(origin.as_str().to_owned())
}

/// A name that is one segment of a path as it stands.
fn policy_name(text: &str) -> Result<String, Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let rule = Problem::Invalid("be a name of letters, digits, _ and -", Some("B2C_1_susi"));
    if text.len() <= LONGEST_NAME && text.bytes().all(is_plain) { Ok(text.to_owned()) } else { Err(rule) }
}

const LONGEST_NAME: usize = 128;
