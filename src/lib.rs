//! Vestibule: an OpenID Connect sign-in gateway for Cloudflare Workers.

pub mod config;
pub mod oidc;
pub mod secret;
pub mod time;
