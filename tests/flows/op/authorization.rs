//! The authorization endpoint: checks what the browser brings and sends it back.

use serde_json::Value;
use url::Url;

use super::{EndUser, Op};
use crate::deployment::{CLIENT_ID, PUBLIC};

/// What the person agreed to.
pub(super) struct Authorization {
    pub(super) user: EndUser,
    pub(super) nonce: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    /// The user flow.
    pub(super) policy: Option<String>,
}

impl Op {
    /// The person agrees: checks the authorization request and returns where the browser is sent.
    pub(crate) fn authorize(&self, location: &str, user: &EndUser) -> String {
        let request = Url::parse(location).unwrap();
        let all: Vec<(String, String)> = request.query_pairs().into_owned().collect();
        self.authorizations.borrow_mut().push(all.clone());
        let any = |name: &str| {
            let mut values = all.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
            let value = values.next();
            assert_eq!(values.next(), None, "{name} twice");
            value
        };
        let one = |name: &str| any(name).unwrap_or_else(|| panic!("no {name} in {location}"));
        let base = self.base_of(location);
        assert!(location.starts_with(&format!("{base}/authorize?policy=p%26q&")), "{location}");
        assert_eq!((one("response_type").as_str(), one("client_id").as_str()), ("code", CLIENT_ID));
        let redirect_uri = one("redirect_uri");
        assert!(self.is_registered(&redirect_uri), "{redirect_uri}");
        assert_eq!(one("code_challenge_method"), "S256");
        assert!(one("scope").starts_with("openid profile offline_access"));
        assert_claims(any("claims").as_deref());
        let code = format!("code-{}+/=&?#% x", self.next());
        self.remember_secret(&code);
        let authorization = Authorization {
            user: user.clone(),
            nonce: one("nonce"),
            challenge: one("code_challenge"),
            scope: self.agreed(&one("scope")),
            redirect_uri: redirect_uri.clone(),
            policy: self.policy.borrow().clone(),
        };
        self.codes.borrow_mut().insert(code.clone(), authorization);
        self.callback_at(&redirect_uri, &[("code", &code), ("state", &one("state"))])
    }

    pub(super) fn is_registered(&self, redirect_uri: &str) -> bool {
        self.origins.borrow().iter().any(|origin| redirect_uri == format!("{origin}{}", self.callback))
    }

    /// The parameters of the last authorization request that somebody agreed to.
    pub(crate) fn last_authorization(&self) -> Vec<(String, String)> {
        self.authorizations.borrow().last().expect("no authorization request").clone()
    }

    /// The scopes without those that are declined.
    pub(super) fn agreed(&self, scope: &str) -> String {
        let declined = self.declines.borrow();
        let agreed: Vec<&str> = scope.split(' ').filter(|scope| !declined.iter().any(|other| other == scope)).collect();
        agreed.join(" ")
    }

    /// A callback URL with these parameters and, from a provider that announces it, `iss`.
    pub(crate) fn callback(&self, parameters: &[(&str, &str)]) -> String {
        self.callback_at(&format!("{PUBLIC}{}", self.callback), parameters)
    }

    fn callback_at(&self, redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
        let mut url = Url::parse(redirect_uri).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        if !self.is_microsoft.get() {
            url.query_pairs_mut().append_pair("iss", &self.issuer.borrow());
        }
        url.into()
    }
}

/// OIDC Core 5.5: a JSON object.
pub(super) fn assert_claims(claims: Option<&str>) {
    if let Some(claims) = claims {
        let parsed = serde_json::from_str::<Value>(claims);
        assert!(parsed.is_ok_and(|claims| claims.is_object()), "no claims request: {claims}");
    }
}

/// A parameter of a URL.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
