//! Clients that authenticate by an assertion (RFC 7523 §3): signed by a key that the OP knows, or by somebody whom it
//! believes.

use std::cell::{Cell, RefCell};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, UnparsedPublicKey};
use serde_json::Value;
use vestibule::runtime::OpRequest;

use super::Op;
use crate::deployment::CLIENT_ID;

/// What the OP knows of a client's keys, and what it saw.
#[derive(Default)]
pub(crate) struct Assertions {
    /// What proves that it is the client; with none, its secret does.
    pub(crate) proofs: RefCell<Vec<Proof>>,
    /// What `aud` must be.
    pub(crate) audience: RefCell<String>,
    /// Whether the secret is still good beside assertions.
    pub(crate) takes_secret: Cell<bool>,
    /// The headers of those that were accepted, in order.
    pub(crate) headers: RefCell<Vec<Value>>,
    /// The ids of those that came.
    pub(crate) ids: RefCell<Vec<String>>,
}

/// What proves that a request is the client's.
#[derive(Clone)]
pub(crate) enum Proof {
    /// A signature by a key: its algorithm, and the key in DER as it stands in a certificate (RSA), or as a point (P-256).
    Key(&'static str, Vec<u8>),
    /// This very assertion.
    Text(String),
}

impl Op {
    /// Whether the assertion of a request is good; `None` if there is none and need not be any.
    pub(super) fn asserted(&self, request: &OpRequest, id: Option<&str>, secret: Option<&str>) -> Option<bool> {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let all = |name: &str| form.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect::<Vec<_>>();
        let (assertion, kind) = (all("client_assertion"), all("client_assertion_type"));
        assert_eq!(assertion.len(), kind.len());
        let Some(assertion) = assertion.first() else {
            let is_needed = !self.assertions.proofs.borrow().is_empty() && !self.assertions.takes_secret.get();
            return is_needed.then_some(false);
        };
        assert_eq!(kind, ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]);
        assert!(secret.is_none() && request.header("authorization").is_none(), "one method only (RFC 6749 §2.3)");
        assert_eq!(id, Some(CLIENT_ID));
        self.remember_secret(assertion);
        Some(self.assertions.proofs.borrow().iter().any(|proof| match proof {
            Proof::Text(text) => text == *assertion,
            Proof::Key(algorithm, key) => self.is_signed(assertion, algorithm, key),
        }))
    }

    fn is_signed(&self, assertion: &str, algorithm: &str, key: &[u8]) -> bool {
        let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else { panic!("{assertion}") };
        let octets = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let [head, claims]: [Value; 2] = [header, claims].map(|part| serde_json::from_slice(&octets(part)).unwrap());
        let message = assertion.rsplit_once('.').unwrap().0.as_bytes();
        let verifier: &dyn signature::VerificationAlgorithm = match algorithm {
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
            "ES256" => &signature::ECDSA_P256_SHA256_FIXED,
            other => panic!("{other}"),
        };
        let is_signed = UnparsedPublicKey::new(verifier, key).verify(message, &octets(signature)).is_ok();
        if head["alg"] != algorithm || !is_signed {
            return false;
        }
        let (ours, now) = (&self.assertions, self.now.get());
        assert_eq!((&claims["iss"], &claims["sub"]), (&CLIENT_ID.into(), &CLIENT_ID.into()));
        assert_eq!(claims["aud"], *ours.audience.borrow());
        assert_eq!((claims["iat"].as_u64(), claims["nbf"].as_u64()), (Some(now), Some(now)), "numbers, of now");
        assert_eq!(claims["exp"].as_u64(), Some(now + 600));
        assert_eq!(head["typ"], "JWT");
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert!(id.len() >= 22 && !ours.ids.borrow().contains(&id), "each has an id of its own");
        ours.ids.borrow_mut().push(id);
        ours.headers.borrow_mut().push(head);
        true
    }
}
