//! The world and what happens in it, whichever way accounts are kept: both test targets have all of this.

#![allow(dead_code, reason = "each of the two targets has tests of its own, which need what the other does not")]

pub(crate) mod accounts;
pub(crate) mod anonymous;
pub(crate) mod background;
pub(crate) mod browser;
pub(crate) mod callback;
pub(crate) mod configuration;
pub(crate) mod crowd;
pub(crate) mod deployment;
pub(crate) mod documents;
pub(crate) mod downstream;
pub(crate) mod durability;
pub(crate) mod error_codes;
pub(crate) mod forwarding;
pub(crate) mod jar;
pub(crate) mod kv;
pub(crate) mod leaks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod microsoft;
pub(crate) mod misbehaving_op;
pub(crate) mod model;
pub(crate) mod op;
pub(crate) mod outage;
pub(crate) mod races;
pub(crate) mod refresh;
pub(crate) mod request;
pub(crate) mod rotation;
pub(crate) mod routing;
pub(crate) mod schedule;
pub(crate) mod serving;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod storage;
pub(crate) mod world;
