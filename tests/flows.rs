//! Whole flows, from the request head to the answer, in a world without sockets, clocks or chance.
//!
//! The world (`flows/world.rs`) is the runtime, with a store, an OpenID Provider, an origin and its APIs; the browser
//! (`flows/browser.rs`) is as strict about cookies as a real one. Every world looks, when it ends, through everything
//! that left it for a token, a code, a verifier or a secret. Timings are never asserted.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "flows/account_switch.rs"]
mod account_switch;
#[path = "flows/accounts.rs"]
mod accounts;
#[path = "flows/acquisition.rs"]
mod acquisition;
#[path = "flows/anonymous.rs"]
mod anonymous;
#[path = "flows/api.rs"]
mod api;
#[path = "flows/api_retries.rs"]
mod api_retries;
#[path = "flows/app_token_faults.rs"]
mod app_token_faults;
#[path = "flows/app_tokens.rs"]
mod app_tokens;
#[path = "flows/background.rs"]
mod background;
#[path = "flows/browser.rs"]
mod browser;
#[path = "flows/callback.rs"]
mod callback;
#[path = "flows/calls.rs"]
mod calls;
#[path = "flows/claims_challenge.rs"]
mod claims_challenge;
#[path = "flows/claims_sign_in.rs"]
mod claims_sign_in;
#[path = "flows/configuration.rs"]
mod configuration;
#[path = "flows/consent.rs"]
mod consent;
#[path = "flows/consent_claims.rs"]
mod consent_claims;
#[path = "flows/deployment.rs"]
mod deployment;
#[path = "flows/documents.rs"]
mod documents;
#[path = "flows/downstream.rs"]
mod downstream;
#[path = "flows/entra.rs"]
mod entra;
#[path = "flows/error_codes.rs"]
mod error_codes;
#[path = "flows/failures.rs"]
mod failures;
#[path = "flows/forwarding.rs"]
mod forwarding;
#[path = "flows/invalid_token.rs"]
mod invalid_token;
#[path = "flows/jar.rs"]
mod jar;
#[path = "flows/kv.rs"]
mod kv;
#[path = "flows/leaks.rs"]
mod leaks;
#[path = "flows/login.rs"]
mod login;
#[path = "flows/login_request.rs"]
mod login_request;
#[path = "flows/logout.rs"]
mod logout;
#[path = "flows/loops.rs"]
mod loops;
#[path = "flows/microsoft.rs"]
mod microsoft;
#[path = "flows/misbehaving_op.rs"]
mod misbehaving_op;
#[path = "flows/model/mod.rs"]
mod model;
#[path = "flows/op/mod.rs"]
mod op;
#[path = "flows/outage.rs"]
mod outage;
#[path = "flows/races.rs"]
mod races;
#[path = "flows/refresh.rs"]
mod refresh;
#[path = "flows/request.rs"]
mod request;
#[path = "flows/rotation.rs"]
mod rotation;
#[path = "flows/routing.rs"]
mod routing;
#[path = "flows/schedule.rs"]
mod schedule;
#[path = "flows/serving.rs"]
mod serving;
#[path = "flows/session.rs"]
mod session;
#[path = "flows/site.rs"]
mod site;
#[path = "flows/storage.rs"]
mod storage;
#[path = "flows/world.rs"]
mod world;
