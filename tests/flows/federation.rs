//! Somebody who signs assertions that speak for the client: behind a service binding, or at an address.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use vestibule::runtime::{OpRequest, OpResponse, TransportFault};

#[derive(Default)]
pub(crate) struct Federation {
    /// What it says: a status and a body.
    pub(crate) answer: RefCell<Option<Result<(u16, String), TransportFault>>>,
    calls: RefCell<Vec<Call>>,
    secrets: RefCell<Vec<String>>,
}

/// The service that was asked, if it was one, the URL, and the token.
pub(crate) type Call = (Option<String>, String, Option<String>);

impl Federation {
    /// An assertion that ends at that moment. Only the OP can tell that its signature is good.
    pub(crate) fn assertion(&self, number: u32, expires_at: u64) -> String {
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "sub": "workload", "jti": number, "exp": expires_at });
        let assertion = format!("{}.{}.c2lnbmVk", encode(json!({ "alg": "RS256" })), encode(claims));
        self.secrets.borrow_mut().push(assertion.clone());
        assertion
    }

    pub(crate) fn says(&self, status: u16, body: &str) {
        *self.answer.borrow_mut() = Some(Ok((status, body.to_owned())));
    }

    /// What it was asked since it was asked last.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.borrow().clone()
    }

    pub(crate) fn answer(&self, service: Option<&str>, request: &OpRequest) -> Result<OpResponse, TransportFault> {
        assert_eq!((request.method, request.body.len()), ("GET", 0));
        let token = request.header("authorization").map(str::to_owned);
        self.calls.borrow_mut().push((service.map(str::to_owned), request.url.clone(), token));
        let (status, body) = self.answer.borrow().clone().expect("nobody is to be asked")?;
        Ok(OpResponse { status, content_type: None, retry_after: None, body: body.into_bytes() })
    }
}
