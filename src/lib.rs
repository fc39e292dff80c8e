//! Vestibule: an OpenID Connect sign-in gateway for Cloudflare Workers.
//!
//! It stands in front of an origin, signs end-users in with the authorization code flow, keeps each account's tokens
//! in Workers KV, forwards calls to downstream APIs with the right access token, and on sign-out deletes the account's
//! tokens. The browser never holds a token.
//!
//! ```text
//! browser ─► edge ─► router ─► flow ─► session ─► oidc          arrows = "may use"; never backwards
//!              │                │
//!              └─ implements ─► runtime (trait)                 config, rules, error, secret, time: leaves, used by all
//! ```
//!
//! The protocol ([`oidc`]) and what lives between requests ([`session`]) are pure values. [`flow`] orders the I/O and is
//! generic over [`runtime::Runtime`]; only `edge`, which exists in the wasm build alone, knows the Worker runtime.

pub mod answer;
pub mod app;
pub mod assertion;
pub mod claim_headers;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod config;
#[cfg(target_arch = "wasm32")]
pub mod edge;
pub mod error;
pub mod flow;
pub mod forwarding;
pub mod header_text;
pub mod identity;
mod json;
pub mod measure;
pub mod memory;
pub mod oidc;
mod order;
pub mod realm;
pub mod request;
mod reserved_headers;
pub mod router;
pub mod rules;
pub mod runtime;
pub mod secret;
pub mod session;
pub mod time;
