//! The protocol layer against the vectors in `tests/vectors`, against real signatures, and against arbitrary input.
//!
//! A vector is one statement with the section that demands it; adding a case needs no Rust. Timings are never asserted.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "oidc/access_token.rs"]
mod access_token;
#[path = "oidc/authorization.rs"]
mod authorization;
#[path = "oidc/bearer.rs"]
mod bearer;
#[path = "oidc/challenge.rs"]
mod challenge;
#[path = "oidc/claims.rs"]
mod claims;
#[path = "oidc/client_key.rs"]
mod client_key;
#[path = "oidc/documents.rs"]
mod documents;
#[path = "oidc/id_token.rs"]
mod id_token;
#[path = "oidc/introspection.rs"]
mod introspection;
#[path = "oidc/jwt.rs"]
mod jwt;
#[path = "oidc/logout_token.rs"]
mod logout_token;
#[path = "oidc/properties.rs"]
mod properties;
#[path = "oidc/provider.rs"]
mod provider;
#[path = "oidc/retry_after.rs"]
mod retry_after;
#[path = "oidc/token.rs"]
mod token;
#[path = "oidc/vectors.rs"]
mod vectors;
