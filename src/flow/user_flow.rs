//! The user flows of Azure AD B2C, each with documents and endpoints of its own, and one account behind all of them.
//! Everywhere else there is the sign-in and nothing to decide.

use super::{Context, Incoming};
use crate::config::Provider;
use crate::error::Error;
use crate::oidc::client_info::ClientInfo;
use crate::oidc::user_flow::UserFlow;
use crate::runtime::Runtime;
use crate::session::entry::TokenCacheEntry;

/// The user flow that a page asks the login for, by its name here: no policy is named from outside.
pub(super) fn requested<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<UserFlow, Error> {
    let provider = &incoming.realm.provider;
    match incoming.parameter("policy").filter(|_| provider.user_flows.is_some()) {
        Some(name) => {
            let flow = UserFlow::parse(&name).filter(|flow| provider.policy(*flow).is_some());
            flow.ok_or(Error::NoSuchRoute)
        }
        None => Ok(UserFlow::SignIn),
    }
}

/// The user flow that a session came from: its refresh token is good there only, and so is its sign-out.
pub(super) fn of(provider: &Provider, entry: &TokenCacheEntry) -> UserFlow {
    let Some(flows) = &provider.user_flows else { return UserFlow::SignIn };
    let policy = entry.claim("tfp").or_else(|| entry.claim("acr"));
    policy.and_then(|policy| flows.named(policy)).unwrap_or_default()
}

/// The home account that the token endpoint names: one and the same by every user flow.
pub(super) fn client_info<R>(context: &Context<'_, R>, client_info: &str) -> Option<ClientInfo> {
    let info = ClientInfo::parse(client_info)?;
    Some(match context.realm.provider.policy(context.user_flow) {
        Some(policy) => info.by_any_policy(&policy.name),
        None => info,
    })
}
