//! The command `explain` against the flows: what it says of a request is what becomes of it, for many rules, settings,
//! requests and users. Programs with an access token have their own (`explained_bearer`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vestibule::assertion;
use vestibule::cli::{Decision, Passed, Sender, SignIn, decide};
use vestibule::request::RequestHead;
use vestibule::time::Timestamp;

use crate::browser::Browser;
use crate::deployment::{self, PUBLIC, merge};
use crate::op::ADA;
use crate::request::{Received, Request};
use crate::world::{NOW, World};

const SPA: &str = "https://spa.example";
const WORLDS: u64 = 100;
const REQUESTS: usize = 16;

/// The same choices in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn of<T: Clone>(&mut self, items: &[T]) -> T {
        // Knuth's MMIX generator; its upper bits are the better ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items[usize::try_from(self.0 >> 33).unwrap() % items.len()].clone()
    }

    pub(crate) fn flips(&mut self) -> bool {
        self.of(&[false, true])
    }
}

fn environment(dice: &mut Dice, has_several: bool) -> Value {
    let environment = if has_several { deployment::two_providers() } else { deployment::environment() };
    let mut gateway = json!({
        "AlternateOrigins": "https://alternate.example",
        "IgnorePathCase": dice.of(&[false, false, true]),
        "OriginTimeoutSeconds": dice.of(&[5, 30]),
        "OriginAssertion": dice.of(&[false, false, true]),
    });
    let mut bindings = environment["bindings"].as_array().unwrap().clone();
    if dice.of(&[true, false, false]) {
        gateway["Origin"] = Value::Null;
        gateway["OriginService"] = "APP".into();
        bindings.push("APP".into());
    }
    for setting in [
        json!({ "StripPathPrefix": "/prefix" }),
        json!({ "ClaimHeaders": { "X-User-Mail": "email", "X-Groups": "groups" } }),
        json!({ "RequestHeaders": { "X-Extra": "ours" }, "RemoveRequestHeaders": "X-Private" }),
    ] {
        if dice.flips() {
            merge(&mut gateway, &setting);
        }
    }
    gateway["Routes"] = routes(dice, has_several);
    let mut environment = deployment::changed(environment, &json!({ "Gateway": gateway }));
    environment["bindings"] = bindings.into();
    environment
}

fn routes(dice: &mut Dice, has_several: bool) -> Value {
    const ANY: &[&str] = &["Anonymous", "Optional", "Login", "Login", "Api"];
    const PATHS: [(&str, &[&str]); 11] = [
        ("/a", ANY),
        ("/a/**", ANY),
        ("/a/*/c", ANY),
        ("/b", ANY),
        ("/only", ANY),
        ("/open/**", ANY),
        ("/prefix/**", ANY),
        ("/**", ANY),
        ("/api/Billing/**", &["Api"]),
        ("/api/Billing/admin/**", &["Api"]),
        ("/api/Orders/**", &["Api"]),
    ];

    let chosen: Vec<_> = PATHS.iter().filter(|_| dice.of(&[true, true, false])).collect();
    chosen
        .into_iter()
        .map(|(path, accesses)| {
            let access = dice.of(accesses);
            rule(dice, path, access, has_several)
        })
        .collect()
}

fn rule(dice: &mut Dice, path: &str, access: &str, has_several: bool) -> Value {
    let is_api = path.starts_with("/api/");
    let mut rule = json!({ "Path": path, "Access": access });
    if dice.flips() {
        rule["CorsOrigins"] = SPA.into();
    }
    let mut maybe = |dice: &mut Dice, setting: Value| {
        if dice.of(&[true, false, false]) {
            merge(&mut rule, &setting);
        }
    };
    let methods = dice.of(&["GET", "POST", "GET POST OPTIONS"]);
    maybe(dice, json!({ "Methods": methods }));
    if path == "/only" {
        let host = dice.of(&["app.example", "alternate.example", "other.example"]);
        maybe(dice, json!({ "Host": host }));
    }
    if !is_api {
        maybe(dice, json!({ "TimeoutSeconds": 77 }));
    }
    if access != "Anonymous" {
        maybe(dice, json!({ "AntiForgery": false }));
        if has_several && !is_api {
            let provider = dice.of(&["OpenIdConnect", "Staff"]);
            maybe(dice, json!({ "Provider": provider }));
        }
    }
    if matches!(access, "Login" | "Api") {
        let require = dice.of(&[
            json!({ "Roles": "Admin" }),
            json!({ "Groups": "g1", "Not": { "Present": "guest" } }),
            json!({ "Any": [{ "Roles": "Admin" }, { "EmailDomains": "example.com" }] }),
            // One that only concerned the protocol run is not kept.
            json!({ "Present": "uti" }),
        ]);
        let hides = dice.flips();
        maybe(dice, json!({ "Require": require, "Hide": hides }));
        maybe(dice, json!({ "AcrValues": "mfa phr" }));
        maybe(dice, json!({ "MaxAgeSeconds": 300 }));
    }
    rule
}

/// What the ID token says, beyond what every one says.
fn user(dice: &mut Dice) -> Value {
    json!({
        "name": dice.of(&["Zo\u{eb} \u{201c}Z\u{201d}", "Ada"]),
        "roles": dice.of(&[json!([]), json!(["Admin", "wri,ter"]), json!(["Admin"])]),
        "groups": dice.of(&[json!(null), json!(["g1"]), json!("g1")]),
        "hasgroups": dice.of(&[json!(null), json!(null), json!(true)]),
        "email": dice.of(&[json!(null), json!("ada@example.com")]),
        "email_verified": dice.of(&[json!(null), json!(true)]),
        "guest": dice.of(&[json!(null), json!(null), json!(1)]),
        "acr": dice.of(&[json!(null), json!("mfa"), json!("mfa"), json!("pwd")]),
        "auth_time": dice.of(&[json!(null), json!(NOW - 60), json!(NOW - 60), json!(NOW - 359), json!(NOW - 361)]),
    })
}

fn request(dice: &mut Dice) -> Request {
    const PATHS: [&str; 26] = [
        "/",
        "/a",
        "/a",
        "/a/b",
        "/a/b/c",
        "/a/x/c?q=1",
        "/A/b",
        "/a/%62",
        "/a/..;/b",
        "/a%2fb",
        "/b",
        "/b",
        "/b/",
        "/only",
        "/open/x",
        "/open/X",
        "/prefix/a?b",
        "/prefix",
        "/api/Billing/x?a=b",
        "/api/Billing/x",
        "/api/Billing/admin/x",
        "/api/Orders/1",
        "/api/Nobody/x",
        "/.auth/none",
        "/.auth/health",
        "/.auth/jwks",
    ];

    let host = dice.of(&[PUBLIC, PUBLIC, PUBLIC, PUBLIC, "https://alternate.example", "https://other.example"]);
    let url = format!("{host}{}", dice.of(&PATHS));
    let method = dice.of(&["GET", "GET", "GET", "HEAD", "POST", "POST", "DELETE", "OPTIONS"]);
    let page = dice.of(&[PUBLIC, SPA, SPA, "https://alternate.example", "https://evil.example"]);
    let site = dice.of(&["none", "same-origin", "same-origin", "same-site", "cross-site"]);
    let plain = Request::new(method, &url);
    let request = match dice.of(&[0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7]) {
        0 => plain,
        1 => Request::navigation(method, &url, site),
        2 => Request::script(method, &url),
        3 => Request::script(method, &url).with("sec-fetch-site", "cross-site").with("origin", page),
        4 => plain.with("origin", page),
        5 => plain.with("x-csrf", "1").with("accept", "text/html"),
        6 => Request::handshake(&url).with("origin", page).with("sec-fetch-site", site),
        _ => Request::new("OPTIONS", &url)
            .with("origin", page)
            .with("access-control-request-method", method)
            .with("access-control-request-headers", "x-any"),
    };
    let more = [
        ("authorization", "Bearer x"),
        ("cf-connecting-ip", "192.0.2.1"),
        ("x-extra", "theirs"),
        ("x_private", "theirs"),
        ("x-user_mail", "evil@example.com"),
        ("x-ms-client-principal-name", "evil"),
        ("x-vestibule-assertion", "evil"),
    ];
    more.iter().fold(request, |request, (name, value)| if dice.flips() { request.with(name, value) } else { request })
}

/// A browser with a session of that provider.
fn signed_in<'w>(world: &'w World, provider: &str) -> Browser<'w> {
    let browser = Browser::new(world);
    let login = if world.isolate().has_several_realms() { format!("login/{provider}") } else { "login".to_owned() };
    let op = if provider == "Staff" { &world.staff } else { &world.op };
    let redirect = browser.come_back(&op.authorize(&browser.begin(&format!("/.auth/{login}")), &ADA));
    assert_eq!(redirect.status, 303, "{redirect:?}");
    browser
}

/// Everything that such an ID token says.
fn claims(world: &World, provider: &str, user: &Value) -> Map<String, Value> {
    let op = if provider == "Staff" { &world.staff } else { &world.op };
    let mut claims = json!({
        "iss": *op.issuer.borrow(), "sub": ADA.sub, "sid": ADA.sid, "aud": deployment::CLIENT_ID, "iat": NOW,
        "exp": NOW + 3600, "nonce": "n", "uti": "once",
    });
    merge(&mut claims, user);
    claims.as_object().unwrap().clone()
}

/// Names and values; those of what is signed or secret count by their name.
fn comparable<N: AsRef<str>>(headers: &[(N, String)]) -> Vec<(String, String)> {
    let is_made_up = |name: &str| name == "authorization" || name == assertion::HEADER;
    let value = |name: &str, value: &String| if is_made_up(name) { String::new() } else { value.clone() };
    let mut headers: Vec<_> =
        headers.iter().map(|(name, own)| (name.as_ref().to_owned(), value(name.as_ref(), own))).collect();
    headers.sort();
    headers
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// Asserts that the flows did what was decided, and names it.
pub(crate) fn compared(
    world: &World,
    decision: &Decision,
    received: &Received,
    (context, origin): (&str, &str),
) -> String {
    assert_eq!(received.is_forwarded, matches!(decision, Decision::Passed(_)), "{context}: {decision:?}");
    match decision {
        Decision::Own(_) => {
            // Which methods it has is its own business.
            assert!(matches!(received.status, 200 | 302 | 405), "{context}: {received:?}");
            return "own".to_owned();
        }
        Decision::Preflight(answer) => {
            for (name, value) in &answer.headers {
                assert_eq!(received.header(name), Some(value.as_str()), "{context}: {name}");
            }
        }
        Decision::Refused(_, Some(SignIn { provider, is_sent: true })) => {
            let start = match provider.as_deref() {
                None => format!("{origin}/.auth/login?return_to="),
                Some("Staff") => "https://staff.example/authorize?".to_owned(),
                Some(_) => "https://op.example/authorize?".to_owned(),
            };
            assert!(received.location().starts_with(&start), "{context}: {received:?}");
        }
        Decision::Refused(_, sign_in) => {
            let problem = received.header("content-type") == Some("application/problem+json");
            let has_login = problem && received.json().get("login_url").is_some();
            assert!(!problem || has_login == sign_in.is_some(), "{context}: {received:?}");
        }
        Decision::Passed(Passed { destination, remove, set, timeout }) => {
            let plan = world.downstream.last().plan;
            assert_eq!((&plan.destination, plan.timeout), (destination, *timeout), "{context}");
            assert_eq!(sorted(plan.remove), sorted(remove.clone()), "{context}");
            assert_eq!(comparable(&plan.set), comparable(set), "{context}");
            return "passed".to_owned();
        }
    }
    assert_eq!(Some(received.status), decision.status(), "{context}: {decision:?}");
    received.status.to_string()
}

#[test]
fn what_is_explained_is_what_happens() {
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..WORLDS {
        let mut dice = Dice(seed);
        let has_several = dice.of(&[false, false, true]);
        let environment = environment(&mut dice, has_several);
        let world = World::of(environment.clone());
        world.forwards_at_once.set(dice.flips());
        let provider = if has_several { dice.of(&["OpenIdConnect", "Staff"]) } else { "OpenIdConnect" };
        let user = user(&mut dice);
        *world.op.claims.borrow_mut() = user.clone();
        *world.staff.claims.borrow_mut() = user.clone();
        let claims = claims(&world, provider, &user);
        let users = [signed_in(&world, provider), Browser::new(&world)];
        for _ in 0..REQUESTS {
            let is_user = dice.of(&[true, true, true, false]);
            let browser = &users[usize::from(!is_user)];
            browser.jar.plant("__Host-theme", "dark");
            let request = browser.with_cookies(request(&mut dice));
            let text = request.text();
            let Ok(head) = RequestHead::parse(&text) else { continue };
            let sender = Sender {
                claims: is_user.then_some(&claims),
                provider: Some(provider),
                scopes: &[],
                now: Timestamp::from_unix(world.time()),
            };
            let app = world.isolate();
            let is_alternate = head.host == "alternate.example";
            let origin = if is_alternate { "https://alternate.example" } else { PUBLIC };
            let decision = decide(&app.config, &head, &sender);
            let received = world.serve(&request);
            let context = format!("seed {seed}, {text:?}, {}, {}", json!(claims), environment["vars"]["Gateway"]);
            *outcomes.entry(compared(&world, &decision, &received, (&context, origin))).or_default() += 1;
        }
    }
    for outcome in ["passed", "own", "204", "302", "400", "401", "403", "404"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count >= 10), "{outcome} is too rare: {outcomes:?}");
    }
}
