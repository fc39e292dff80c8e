//! OpenID Connect and OAuth 2.0 as values: one file per concept of the specifications.
//!
//! Nothing here awaits, reads a clock, draws randomness or speaks HTTP. Documents and answers come in as bytes, what
//! must be sent comes out as a URL or a form, and time and keys are arguments.

pub mod access_token;
pub mod algorithm;
pub mod authorization;
pub mod bearer;
pub mod bearer_token;
pub mod call;
mod certificate;
pub mod challenge;
pub mod claims_challenge;
pub mod claims_request;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_info;
pub mod client_key;
mod der;
pub mod end_session;
pub mod endpoint;
pub mod id_token;
pub mod introspection;
pub mod issuer;
pub mod jwks;
pub mod jwt;
pub mod logout_token;
pub mod metadata;
pub mod op_error;
mod pem;
pub mod pfx;
pub mod pkce;
pub mod protected_resource;
mod public_key;
pub mod retry_after;
pub mod revocation;
pub mod signed_assertion;
pub mod tenant;
pub mod token;
pub mod token_exchange;
pub mod user_flow;
pub mod user_info;
