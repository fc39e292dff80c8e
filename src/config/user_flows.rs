//! The user flows of Azure AD B2C, as the configuration names them.

use url::Url;

use crate::oidc::user_flow::UserFlow;

/// The user flows that the configuration names.
#[derive(Clone, Debug)]
pub struct UserFlows {
    pub(super) sign_in: Policy,
    pub(super) edit_profile: Option<Policy>,
    pub(super) reset_password: Option<Policy>,
}

/// What a user flow is called, and where it is.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name, such as `B2C_1_susi`. Letter case does not matter.
    pub name: String,
    /// Where its metadata document is.
    pub metadata_url: Url,
}

impl UserFlows {
    /// The policy of a user flow, if it is configured.
    #[must_use]
    pub const fn policy(&self, flow: UserFlow) -> Option<&Policy> {
        match flow {
            UserFlow::SignIn => Some(&self.sign_in),
            UserFlow::EditProfile => self.edit_profile.as_ref(),
            UserFlow::ResetPassword => self.reset_password.as_ref(),
        }
    }

    /// The user flow whose policy is called so.
    #[must_use]
    pub fn named(&self, policy: &str) -> Option<UserFlow> {
        let is_it = |flow: &UserFlow| self.policy(*flow).is_some_and(|known| known.name.eq_ignore_ascii_case(policy));
        UserFlow::ALL.into_iter().find(is_it)
    }
}
