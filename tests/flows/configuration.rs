//! A deployment that is set up wrongly serves nothing and says so, without saying what.

use serde_json::json;
use vestibule::app::App;
use vestibule::error::Error;
use vestibule::flow;
use vestibule::request::RequestHead;

use crate::browser::Browser;
use crate::deployment::{self, CLIENT_SECRET};
use crate::op::{ADA, Endpoint, Instead};
use crate::request::{Received, Request};
use crate::world::World;

#[test]
fn any_fault_of_the_configuration_refuses_every_request() {
    for vars in [
        json!({ "Session__Key": null }),
        json!({ "OpenIdConnect": { "Authority": "http://op.example" } }),
        json!({ "OpenIdConnect__ClientSecret": null }),
        json!({ "Gateway": { "PublicOrigin": "https://app.example/path" } }),
        json!({ "DownstreamApis": { "Orders": { "BaseUrl": "http://orders.example" } } }),
        json!({ "Gateway": { "Unknown": 1 } }),
    ] {
        let environment = deployment::changed(deployment::environment(), &vars);
        let faults = App::new(&environment.to_string()).err().expect("accepted");
        let world = World::new();
        flow::misconfigured(&world.site(), &faults);
        assert!(world.has_logged("config.invalid"));
        for (request, is_page) in [
            (Request::script("GET", "https://app.example/page"), false),
            (Request::navigation("GET", "https://app.example/page", "none"), true),
            (Request::new("POST", "https://app.example/api/Orders/"), false),
        ] {
            let text = request.text();
            let head = RequestHead::parse(&text).unwrap();
            let answer = Received::from_answer(flow::refuse_all(&world.site(), &head, &Error::Misconfigured));
            assert_eq!(answer.status, 500);
            assert!(!answer.body.contains("Session") && !answer.body.contains("Gateway"));
            if !is_page {
                assert_eq!(answer.code(), "misconfigured");
            }
            world.emitted.to_browser(&answer);
        }
    }
}

#[test]
fn a_secret_that_the_op_refuses_is_the_operators_fault() {
    let world = World::with(&json!({ "OpenIdConnect__ClientSecret": "WRONG?%secret" }));
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    let answer = browser.come_back_as_script(&callback);
    assert_eq!(answer.problem(), (500, "misconfigured".to_owned()));
    assert!(!answer.body.contains(CLIENT_SECRET) && !answer.body.contains("WRONG"));
    let refused = world.log().into_iter().rfind(|line| line["event"] == "request.refused").unwrap();
    assert_eq!(
        (&refused["fault"], &refused["reason"]),
        (&json!("Operator"), &json!("the OP refused this client: invalid_client"))
    );
}

#[test]
fn the_log_and_the_answer_share_a_reference_that_nobody_can_forge_lines_with() {
    let world = World::new();
    world.op.instead(Endpoint::Metadata, Instead::Says(404, vec![], String::new()));
    for (ray, kept) in [("8f-AMS", true), ("x\"y", false), ("<script>", false), (&"a".repeat(41), false)] {
        let request = Request::script("GET", "https://app.example/.auth/login").with("cf-ray", ray);
        let trace = world.serve(&request).json()["trace"].clone();
        assert_eq!(trace == ray, kept);
        assert_eq!(world.log().last().unwrap()["trace"], trace);
    }
}
