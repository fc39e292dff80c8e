//! Claims of the signed-in user as headers that the operator names.

use proptest::prelude::*;
use serde_json::json;

use crate::api::served;
use crate::browser::{Browser, absolute};
use crate::op::{ADA, BOB};
use crate::request::Request;
use crate::world::World;

const NAMES: [(&str, &str); 6] = [
    ("X-Forwarded-Email", "email"),
    ("X-Auth-Request-Groups", "groups"),
    ("Remote-User", "sub"),
    ("OIDC_CLAIM_name", "name"),
    ("X-Shop-Limit", "limit"),
    ("X-Shop-Address", "address"),
];

fn worlds() -> [World; 2] {
    let names: serde_json::Map<_, _> = NAMES.iter().map(|(name, claim)| ((*name).to_owned(), json!(claim))).collect();
    let world = || World::with(&json!({ "Gateway": { "ClaimHeaders": names } }));
    let at_once = world();
    at_once.forwards_at_once.set(true);
    [world(), at_once]
}

#[test]
fn the_origin_gets_the_claims_that_the_user_has() {
    for world in worlds() {
        *world.op.claims.borrow_mut() = json!({
            "email": "ada@example.com", "groups": ["a", "b,c", "d%"], "limit": 12.5, "address": { "country": "GB" },
        });
        let browser = Browser::signed_in(&world, &ADA);
        for request in [Request::script("GET", &absolute("/page")), Request::handshake(&absolute("/page"))] {
            browser.send(request);
            let arrival = world.downstream.last();
            for (name, expected) in [
                ("x-forwarded-email", Some("ada@example.com")),
                ("x-auth-request-groups", Some("a,b%2Cc,d%25")),
                ("remote-user", Some(ADA.sub)),
                ("oidc_claim_name", Some("Zo%C3%AB \"Z\" <b>%25%0D%0AX-Evil: 1")),
                ("x-shop-limit", Some("12.5")),
                ("x-shop-address", None),
            ] {
                assert_eq!(arrival.header(name), expected, "{name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_disguise_of_a_mapped_header_passes_even_where_the_user_has_no_such_claim(
        index in 0..NAMES.len(),
        flips in proptest::collection::vec(any::<(bool, bool)>(), 24),
        path in proptest::sample::select(vec!["/page", "/api/Billing/x"]),
        is_named_by_connection: bool,
    ) {
        let disguised: String = NAMES[index].0.chars().zip(flips).map(|(character, (upper, other))| match character {
            '-' | '_' => if other { '_' } else { '-' },
            letter if upper => letter.to_ascii_uppercase(),
            letter => letter.to_ascii_lowercase(),
        }).collect();
        for world in worlds() {
            let browser = Browser::signed_in(&world, &BOB);
            let mut request = Request::script("GET", &absolute(path)).with(&disguised, "spoofed");
            if is_named_by_connection {
                request = request.with("connection", NAMES[index].0);
            }
            let received = browser.send(request);
            let arrival = world.downstream.last();
            prop_assert!(received.is_forwarded && !arrival.headers.iter().any(|(_, value)| value == "spoofed"));
            let is_ours = path == "/page" && NAMES[index].1 == "sub";
            let expected = is_ours.then_some(BOB.sub);
            prop_assert_eq!(arrival.header("remote-user").filter(|_| index == 2), expected);
        }
    }
}

#[test]
fn no_mapped_header_stands_in_for_a_session_or_reaches_an_api() {
    for world in worlds() {
        let stranger = Request::script("GET", &absolute("/page")).with("remote-user", "root");
        assert_eq!(world.serve(&stranger).problem(), (401, "login_required".to_owned()));
        assert_eq!(world.downstream.count(), 0);
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Billing/x"));
        for (name, _) in NAMES {
            assert_eq!(world.downstream.last().header(&name.to_ascii_lowercase()), None);
        }
    }
}

#[test]
fn a_value_that_is_too_long_is_left_out_and_logged_once() {
    for world in worlds() {
        *world.op.claims.borrow_mut() = json!({ "groups": vec!["0123456789"; 800], "email": "ada@example.com" });
        let browser = Browser::signed_in(&world, &ADA);
        for _ in 0..3 {
            browser.fetch("/page");
            world.advance(11);
        }
        let arrival = world.downstream.last();
        assert_eq!(arrival.header("x-auth-request-groups"), None);
        assert_eq!(arrival.header("x-forwarded-email"), Some("ada@example.com"));
        let logged: Vec<_> = world.log().into_iter().filter(|line| line["event"] == "identity.left_out").collect();
        assert_eq!(logged.iter().map(|line| &line["header"]).collect::<Vec<_>>(), ["x-auth-request-groups"]);
    }
}
