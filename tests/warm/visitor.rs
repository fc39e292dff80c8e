//! Somebody with a browser: a session that an isolate may know, and the requests that the browser sends.

use std::rc::Rc;

use serde_json::{Map, Value, json};
use vestibule::app::App;
use vestibule::secret::Secret;
use vestibule::session::account::AccountDigest;
use vestibule::session::entry::{CachedAccessToken, TokenCacheEntry};
use vestibule::session::seal::NONCE_LENGTH;
use vestibule::session::session::Session;
use vestibule::time::Lifetime;

use super::runtime::NOW;
use super::scene::{ISSUER, PUBLIC, Sizes, called, resource};

/// What a page's script sends with each call, as a current browser does, in the order in which the runtime names them;
/// the cookie comes between.
const BEFORE_COOKIE: &[(&str, &str)] = &[
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("cache-control", "no-cache"),
    ("cf-connecting-ip", "203.0.113.7"),
    ("cf-ray", "8c1f2d3e4b5a6978-FRA"),
];
const AFTER_COOKIE: &[(&str, &str)] = &[
    ("host", "app.example"),
    ("pragma", "no-cache"),
    ("referer", "https://app.example/page"),
    ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Not=A?Brand\";v=\"24\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    ("x-forwarded-proto", "https"),
];

/// The bytes of an access token, about what a JWT with a few claims has.
const TOKEN_LENGTH: usize = 1200;

/// Somebody who is signed in.
pub(crate) struct Visitor {
    pub(crate) session: Session,
    pub(crate) entry: Rc<TokenCacheEntry>,
    /// The session cookie, sealed, and whatever other applications have set.
    cookies: String,
}

impl Visitor {
    pub(crate) fn new(app: &App, number: u64, sizes: Sizes) -> Self {
        let realm = app.first();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let account = AccountDigest::from_subject(ISSUER, &number.to_string());
        let named_by = realm.ring.current().id();
        let session = Session::begin(account, id, Secret::new([8; 32]), named_by, NOW, &app.config.session);
        let set = session.cookie(&realm.ring, [9; NONCE_LENGTH], NOW);
        let own = set.split(';').next().unwrap_or_default();
        Self { session, entry: Rc::new(entry(sizes)), cookies: among_others(own, sizes.cookies) }
    }

    /// The isolate has read the session's entry from the store, or does so again.
    pub(crate) fn is_remembered_by(&self, app: &App) {
        app.first().memory.confirm(self.session.id, Rc::clone(&self.entry), NOW);
    }

    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> &str {
        &self.cookies
    }

    /// What a page's script asks for.
    pub(crate) fn script(&self, path: &str) -> String {
        text(path, Some(&self.cookies))
    }

    /// The same from somebody without any cookie.
    pub(crate) fn stranger(path: &str) -> String {
        text(path, None)
    }
}

/// The head of a request as the runtime hands it over.
fn text(path: &str, cookies: Option<&str>) -> String {
    let cookie = cookies.map(|cookies| ("cookie", cookies));
    let headers = BEFORE_COOKIE.iter().copied().chain(cookie).chain(AFTER_COOKIE.iter().copied());
    let lines: String = headers.flat_map(|(name, value)| [name, "\n", value, "\n"]).collect();
    format!("GET\n{PUBLIC}{path}\n{lines}")
}

/// One half of them before the session cookie, one after it.
fn among_others(own: &str, count: usize) -> String {
    let other = |number: usize| format!("other{number:02}=0123456789abcdef0123456789abcdef");
    let mut cookies: Vec<_> = (0..count).map(other).collect();
    cookies.insert(count / 2, own.to_owned());
    cookies.join("; ")
}

fn entry(sizes: Sizes) -> TokenCacheEntry {
    let mut entry = TokenCacheEntry::new(ISSUER.to_owned(), claims(), NOW);
    entry.id_token = Some(Secret::new("i".repeat(TOKEN_LENGTH)));
    entry.refresh_token = Some(Secret::new("r".repeat(TOKEN_LENGTH)));
    // Those that nobody asks for here are of resources beyond all that are called.
    for number in 1..sizes.tokens {
        entry.save(token(&resource(sizes.apis + number)), NOW);
    }
    entry.save(token(&resource(called(sizes))), NOW);
    entry
}

fn token(resource: &str) -> CachedAccessToken {
    CachedAccessToken {
        tenant: None,
        resource: Some(resource.to_owned()),
        scopes: ["orders.read", "orders.write"].map(str::to_owned).to_vec(),
        token: Secret::new("a".repeat(TOKEN_LENGTH)),
        issued_at: NOW,
        expires_at: NOW + Lifetime::from_seconds(3600),
        refresh_at: None,
        claims: None,
    }
}

/// What an ID token says of somebody.
fn claims() -> Map<String, Value> {
    let claims = json!({
        "sub": "248289761001",
        "name": "Ada Lovelace",
        "preferred_username": "ada@example.com",
        "email": "ada@example.com",
        "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "tid": "9122040d-6c67-4c5b-b112-36a304b66dad",
        "roles": ["Admin", "Reader"],
        "groups": ["finance", "engineering", "on-call"],
    });
    claims.as_object().cloned().unwrap_or_default()
}
