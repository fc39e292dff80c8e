//! Everything that left the world, and the search for what must not have.
//!
//! One exception is named: the hint of a sign-out. The ID token goes to the OP's `end_session_endpoint` in a URL, as
//! RP-Initiated Logout 1.0 §2 has it, and nowhere else.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::deployment::{CLIENT_SECRET, KEY, OTHER_KEY};
use crate::downstream::Arrival;
use crate::request::{Received, Request};

#[derive(Default)]
pub(crate) struct Emitted {
    texts: RefCell<Vec<String>>,
    drawn: RefCell<Vec<String>>,
    presented: RefCell<Vec<String>>,
}

impl Emitted {
    /// Whatever a client presents as its access token is nobody else's business, even if it is none.
    pub(crate) fn note_presented(&self, request: &Request) {
        let fields = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let tokens = fields.filter_map(|(_, value)| value.split_once(' ')).map(|(_, token)| token.trim());
        let long = tokens.filter(|token| token.len() >= SHORTEST_TOKEN).map(str::to_owned);
        self.presented.borrow_mut().extend(long);
    }

    pub(crate) fn to_browser(&self, received: &Received) {
        let mut texts = self.texts.borrow_mut();
        texts.push(received.body.clone());
        for (name, value) in &received.headers {
            let value = if name == "location" { without_hint(value) } else { value.clone() };
            texts.push(format!("{name}: {value}"));
            if name == "set-cookie" {
                texts.extend(decoded(value.split(['=', ';']).nth(1).unwrap_or("")));
            }
        }
    }

    /// The origin gets no token at all, an API only its own.
    pub(crate) fn to_downstream(&self, arrival: &Arrival) {
        let mut texts = self.texts.borrow_mut();
        texts.push(arrival.url.clone());
        let is_api = arrival.url.starts_with("https://");
        for (name, value) in arrival.headers.iter().filter(|(name, _)| !(is_api && name == "authorization")) {
            texts.push(format!("{name}: {value}"));
            texts.extend(decoded(value));
        }
    }

    pub(crate) fn to_log(&self, line: &str) {
        self.texts.borrow_mut().push(line.to_owned());
    }

    /// Keeps those draws that must stay secret: the verifier at the end of an attempt's, and record keys.
    pub(crate) fn draw(&self, bytes: &[u8]) {
        if let Some(secret) = bytes.last_chunk::<32>() {
            self.drawn.borrow_mut().extend([URL_SAFE_NO_PAD.encode(secret), STANDARD.encode(secret)]);
        }
    }

    /// Looks through everything, the store included, which holds only what is sealed.
    pub(crate) fn assert_no_secret(&self, issued: &[String], stored: &[(String, Vec<u8>, String)]) {
        let mut texts = self.texts.borrow().clone();
        for (key, value, metadata) in stored {
            texts.extend([key.clone(), String::from_utf8_lossy(value).into_owned(), metadata.clone()]);
        }
        let (drawn, presented) = (self.drawn.borrow(), self.presented.borrow());
        let configured = [CLIENT_SECRET, KEY, OTHER_KEY].map(str::to_owned);
        for text in &texts {
            let forms = [text.clone(), unescaped(text)];
            for secret in issued.iter().chain(drawn.iter()).chain(presented.iter()).chain(&configured) {
                assert!(!forms.iter().any(|form| form.contains(secret.as_str())), "{secret} in {text}");
            }
        }
    }
}

/// Shorter ones may stand anywhere by chance.
const SHORTEST_TOKEN: usize = 20;

fn without_hint(location: &str) -> String {
    let Ok(mut url) = url::Url::parse(location) else { return location.to_owned() };
    if !url.path().ends_with("/logout") {
        return location.to_owned();
    }
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| name != "id_token_hint").collect();
    url.query_pairs_mut().clear().extend_pairs(kept);
    url.into()
}

fn decoded(value: &str) -> Vec<String> {
    let engines = [URL_SAFE_NO_PAD.decode(value), STANDARD.decode(value)];
    engines.into_iter().flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// The text with percent and form encoding undone.
fn unescaped(text: &str) -> String {
    let one_name = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(one_name.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}
