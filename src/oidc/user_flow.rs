//! The user flows of Azure AD B2C: one authority each, all for the same accounts. Every other OpenID Provider has but one
//! way to sign in.

/// What an end-user goes through at the OP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserFlow {
    /// Signs up or in. The only one there is outside Azure AD B2C.
    #[default]
    SignIn,
    /// Edits their own profile.
    EditProfile,
    /// Chooses a new password.
    ResetPassword,
}

impl UserFlow {
    /// Every flow.
    pub const ALL: [Self; 3] = [Self::SignIn, Self::EditProfile, Self::ResetPassword];

    /// The flow of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.name() == name)
    }

    /// Its name in addresses, in sealed values and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::EditProfile => "edit_profile",
            Self::ResetPassword => "reset_password",
        }
    }
}
