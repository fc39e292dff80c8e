//! The command `explain` against the flows, for programs: what it says of a request with an access token is what becomes of
//! it. That nobody without one is served, `bearer` has.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vestibule::cli::{Decision, Sender, decide};
use vestibule::request::RequestHead;
use vestibule::time::Timestamp;

use crate::bearer;
use crate::deployment::{self, PUBLIC, merge};
use crate::explained::{Dice, compared};
use crate::request::Request;
use crate::world::{NOW, World};

const WORLDS: u64 = 60;
const REQUESTS: usize = 10;

fn environment(dice: &mut Dice) -> Value {
    let mut rules = Vec::new();
    let paths = ["/machine/a", "/machine/*", "/deep/**", "/**", "/api/Orders/*", "/api/Open/**", "/api/Reports/x"];
    for path in paths {
        let mut rule = json!({ "Path": path, "Access": "Bearer" });
        let scopes = dice.of(&["orders.read", "orders.write", "orders.read orders.write"]);
        let require = dice.of(&[
            json!({ "Roles": "Admin" }),
            json!({ "Groups": "g1", "Not": { "Present": "guest" } }),
            json!({ "Any": [{ "Roles": "Admin" }, { "Present": "name" }] }),
            // They are judged as tokens, and nobody else sees them.
            json!({ "Present": "jti" }),
            json!({ "Present": "client_id" }),
            json!({ "Present": "scope" }),
        ]);
        let hides = dice.flips();
        for setting in [
            json!({ "Scopes": scopes }),
            json!({ "Require": require, "Hide": hides }),
            json!({ "AcrValues": "mfa phr" }),
            json!({ "MaxAgeSeconds": 300 }),
            json!({ "CorsOrigins": "https://spa.example" }),
        ] {
            if dice.of(&[true, false, false]) {
                merge(&mut rule, &setting);
            }
        }
        if !path.starts_with("/api/") && dice.of(&[true, false, false]) {
            merge(&mut rule, &json!({ "TimeoutSeconds": 77 }));
        }
        // Whatever no rule is for is for whoever is signed in.
        if path.starts_with("/machine/") && dice.of(&[true, false, false]) {
            merge(&mut rule, &json!({ "Methods": "GET POST" }));
        }
        rules.push(rule);
    }
    let mut gateway = json!({ "Routes": rules, "OriginAssertion": dice.flips() });
    if dice.flips() {
        merge(&mut gateway, &json!({ "ClaimHeaders": { "X-Client": "client_id", "X-Token": "jti" } }));
    }
    let apis = json!({
        "Open": { "BaseUrl": "https://open.example", "Anonymous": true },
        "Reports": { "BaseUrl": "https://reports.example", "Scopes": "all", "RequestAppToken": true },
    });
    let vars = json!({ "Gateway": gateway, "Bearer": { "Audiences": PUBLIC }, "DownstreamApis": apis });
    deployment::changed(deployment::environment(), &vars)
}

/// What the token says, beyond what every one says.
fn token(dice: &mut Dice) -> Value {
    json!({
        "sub": dice.of(&["machine", "user+1"]),
        "scope": dice.of(&[json!(null), json!("orders.read"), json!("orders.read orders.write")]),
        "name": dice.of(&[json!(null), json!("Zo\u{eb}")]),
        "roles": dice.of(&[json!(null), json!(["Admin"]), json!(["Admin"])]),
        "groups": dice.of(&[json!(null), json!(["g1"])]),
        "guest": dice.of(&[json!(null), json!(null), json!(1)]),
        "acr": dice.of(&[json!(null), json!("mfa"), json!("mfa"), json!("pwd")]),
        "auth_time": dice.of(&[json!(null), json!(NOW - 60), json!(NOW - 60), json!(NOW - 359), json!(NOW - 361)]),
    })
}

/// The claims of a compact JWT.
fn claims(token: &str) -> Map<String, Value> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn request(dice: &mut Dice, token: &str) -> Request {
    let path = dice.of(&[
        "/machine/a",
        "/machine/b",
        "/machine/b/c?q=1",
        "/machine/%61",
        "/deep/x",
        "/api/Orders/x?q=%20",
        "/api/Orders/x",
        "/api/Open/x/y",
        "/api/Reports/x",
        "/api/Nobody/x",
    ]);
    let method = dice.of(&["GET", "GET", "POST", "DELETE", "OPTIONS", "OPTIONS"]);
    let request = Request { method: method.to_owned(), ..bearer::call(path, token) };
    let more = [
        ("origin", "https://spa.example"),
        ("x-client", "root"),
        ("x-ms-client-principal-name", "root"),
        ("access-control-request-method", "POST"),
    ];
    more.iter().fold(request, |request, (name, value)| if dice.flips() { request.with(name, value) } else { request })
}

#[test]
fn what_is_explained_is_what_happens_to_programs() {
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..WORLDS {
        let mut dice = Dice(seed);
        let environment = environment(&mut dice);
        let world = World::of(environment.clone());
        world.forwards_at_once.set(dice.flips());
        for _ in 0..REQUESTS {
            let token = world.op.jwt(NOW, &token(&mut dice));
            let claims = claims(&token);
            let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
            let scopes: Vec<_> = scope.split_whitespace().map(str::to_owned).collect();
            let request = request(&mut dice, &token);
            let text = request.text();
            let head = RequestHead::parse(&text).unwrap();
            let now = Timestamp::from_unix(world.time());
            let sender = Sender { claims: Some(&claims), provider: None, scopes: &scopes, now };
            let decision = decide(&world.isolate().config, &head, &sender);
            let received = world.serve(&request);
            let context = format!("seed {seed}, {text:?}, {}, {}", json!(claims), environment["vars"]["Gateway"]);
            if matches!(&decision, Decision::Refused(error, _) if error.code() == "end_user_required") {
                assert_eq!(received.code(), "end_user_required", "{context}");
                *outcomes.entry("no end-user".to_owned()).or_default() += 1;
            }
            *outcomes.entry(compared(&world, &decision, &received, (&context, PUBLIC))).or_default() += 1;
        }
    }
    for outcome in ["no end-user", "passed", "204", "400", "401", "403", "404"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count >= 10), "{outcome} is too rare: {outcomes:?}");
    }
}
