//! `client_info` of the Microsoft identity platform's token response: the home account of who signed in.
//!
//! Only the token endpoint's value may be used. The one in an authorization response comes through the browser
//! unsigned; whoever edits it there would choose an account.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tenant::is_guid;
use crate::json::Members;

/// The home account id in its two parts; `uid.utid` is unambiguous since `utid` has no dot.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// The user, in the home tenant. For Azure AD B2C it includes the name of the user flow.
    pub uid: String,
    /// The home tenant.
    pub utid: String,
}

impl ClientInfo {
    /// Parses base64url JSON. `None` where a part is absent, empty, overlong or not printable.
    #[must_use]
    pub fn parse(encoded: &str) -> Option<Self> {
        if encoded.len() > MAX_ENCODED_BYTES {
            return None;
        }
        let document = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
        let mut members = Members::parse(&document)?;
        let info = Self { uid: members.take("uid")?, utid: members.take("utid")? };
        (is_identifier(&info.uid) && is_identifier(&info.utid) && !info.utid.contains('.')).then_some(info)
    }

    /// The account by whichever user flow of Azure AD B2C, which adds the name of the policy to `uid`: `policy` is that
    /// of the sign-in.
    #[must_use]
    pub fn by_any_policy(mut self, policy: &str) -> Self {
        let object = self.uid.len().saturating_sub(policy.len() + 1);
        let added = self.uid.get(object..).and_then(|added| added.strip_prefix('-'));
        if object > 0 && added.is_some_and(|added| added.eq_ignore_ascii_case(policy)) {
            self.uid.truncate(object);
        }
        self
    }

    /// Whether this can be the home account of whom an ID token of `tenant` (`tid`) names as `object` (`oid`).
    ///
    /// In the home tenant both name the same user, or the token response is about two people. A guest has another object
    /// in each tenant, and no claim that is always there says which is whose; but every guest has a home, so both parts
    /// are GUIDs.
    #[must_use]
    pub fn fits(&self, tenant: Option<&str>, object: &str) -> bool {
        if tenant.is_some_and(|tenant| !tenant.eq_ignore_ascii_case(&self.utid)) {
            return is_guid(&self.uid) && is_guid(&self.utid);
        }
        self.uid.eq_ignore_ascii_case(object)
    }
}

/// Two GUIDs and the name of a user flow need about 200.
const MAX_ENCODED_BYTES: usize = 2048;

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str) -> Option<(String, String)> {
        ClientInfo::parse(&URL_SAFE_NO_PAD.encode(document)).map(|info| (info.uid, info.utid))
    }

    #[test]
    fn both_parts_are_needed() {
        let both = parse(r#"{"uid":"u-b2c_1_flow","utid":"t","ver":"1.0"}"#);
        assert_eq!(both, Some(("u-b2c_1_flow".to_owned(), "t".to_owned())));
        for document in [r#"{"uid":"u"}"#, r#"{"uid":"","utid":"t"}"#, r#"{"uid":1,"utid":"t"}"#, "[]", ""] {
            assert_eq!(parse(document), None, "{document}");
        }
    }

    #[test]
    fn a_policy_is_no_part_of_the_account() {
        let uid = |uid: &str, policy: &str| {
            ClientInfo { uid: uid.to_owned(), utid: "t".to_owned() }.by_any_policy(policy).uid
        };
        assert_eq!(uid("u-b2c_1_susi", "B2C_1_susi"), "u");
        assert_eq!(uid("u-1-b2c_1_susi", "b2c_1_susi"), "u-1");
        for other in ["u-b2c_1_edit", "ub2c_1_susi", "-b2c_1_susi", "b2c_1_susi", "susi", "u", "é-b2c_1_sus"] {
            assert_eq!(uid(other, "B2C_1_susi"), other);
        }
    }

    #[test]
    fn at_home_the_user_is_the_object_and_a_guest_has_a_home() {
        const USER: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
        const HOME: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let fits = |uid: &str, tenant: Option<&str>, object: &str| {
            ClientInfo { uid: uid.to_owned(), utid: HOME.to_owned() }.fits(tenant, object)
        };
        for tenant in [Some(HOME), None] {
            assert!(fits(USER, tenant, USER) && fits(&USER.to_uppercase(), tenant, USER));
            for (uid, object) in
                [(OTHER, USER), (USER, OTHER), (USER, ""), (USER, "é"), (&format!("{USER}-b2c_1_x"), USER)]
            {
                assert!(!fits(uid, tenant, object), "{uid} {object}");
            }
        }
        assert!(fits(USER, Some(OTHER), OTHER) && !fits("user", Some(OTHER), "user"));
    }

    #[test]
    fn two_accounts_never_share_an_id() {
        assert_eq!(parse(r#"{"uid":"a","utid":"b.c"}"#), None);
        assert_eq!(parse(r#"{"uid":"a b","utid":"c"}"#), None);
        assert_eq!(parse(r#"{"uid":"a\n","utid":"c"}"#), None);
    }

    #[test]
    fn padding_is_forgiven_and_other_alphabets_are_not() {
        assert!(ClientInfo::parse("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ==").is_some());
        assert!(ClientInfo::parse("not base64url").is_none());
    }
}
