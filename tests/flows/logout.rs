//! Sign-out.
