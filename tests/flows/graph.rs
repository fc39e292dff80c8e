//! Microsoft Graph by its preset: where calls go, and which links of the answers lead back to the gateway.

use serde_json::json;
use vestibule::forwarding::Relinking;

use crate::api::{scopes, served};
use crate::browser::Browser;
use crate::microsoft;
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

const GRAPH: &str = "https://graph.microsoft.com/v1.0";

fn world() -> World {
    microsoft::world_with(&json!({ "DownstreamApis": {
        "Billing": { "IncrementalConsent": true }, "Graph": { "Preset": "Graph" }, "Orders": { "IncrementalConsent": true },
    } }))
}

fn links(world: &World) -> Option<Relinking> {
    world.downstream.last().plan.answer.links
}

#[test]
fn a_preset_alone_is_an_api_whose_links_lead_back_here() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(scopes(&world.op.last_authorization()), ["User.Read"]);
    let own = Relinking { from: GRAPH.to_owned(), to: "https://app.example/api/Graph".to_owned() };
    for forwards_at_once in [false, true] {
        world.forwards_at_once.set(forwards_at_once);
        served(&browser.fetch("/api/Graph/me/messages?$filter=subject%20eq%20'Zo\u{eb}'&$top=2&$skiptoken=a%2Bb"));
        let arrival = world.downstream.last();
        assert_eq!(
            arrival.url,
            format!("{GRAPH}/me/messages?$filter=subject%20eq%20'Zo\u{eb}'&$top=2&$skiptoken=a%2Bb")
        );
        assert_eq!(links(&world), Some(own.clone()));
    }
}

#[test]
fn links_lead_to_the_origin_that_the_page_is_of() {
    let world = microsoft::world_with(&json!({
        "DownstreamApis": { "Orders": { "RewriteLinks": true, "BaseUrl": "https://orders.example/" } },
        "Gateway": { "AlternateOrigins": ["https://www.example:8443"], "ApiPath": "/backend/api" },
    }));
    world.op.origins.borrow_mut().push("https://www.example:8443");
    let browser = Browser::new(&world);
    let redirect = browser.visit("https://www.example:8443/page");
    browser.come_back(&world.op.authorize(redirect.location(), &ADA));
    served(&browser.send(Request::script("GET", "https://www.example:8443/backend/api/Orders/x")));
    let to = "https://www.example:8443/backend/api/Orders".to_owned();
    assert_eq!(links(&world), Some(Relinking { from: "https://orders.example".to_owned(), to }));
}

#[test]
fn other_apis_and_the_origin_are_left_as_they_are() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/page"));
    assert_eq!(links(&world), None);
    served(&browser.send(browser.script("GET", "/api/Billing/x").with("accept-encoding", "br, zstd")));
    assert_eq!((links(&world), world.downstream.last().header("accept-encoding")), (None, Some("br, zstd")));
}

#[test]
fn an_api_whose_links_are_read_compresses_as_the_platform_can_undo() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for (accepted, sent) in [
        (Some("gzip, deflate, br, zstd"), "gzip"),
        (Some("gzip"), "gzip"),
        (Some("deflate, br"), "identity"),
        (Some("zstd"), "identity"),
        (None, "identity"),
    ] {
        let request = browser.script("GET", "/api/Graph/me");
        let request = accepted.into_iter().fold(request, |request, value| request.with("accept-encoding", value));
        served(&browser.send(request));
        assert_eq!(world.downstream.last().header("accept-encoding"), Some(sent));
    }
}

#[test]
fn a_batch_is_a_request_like_any_other() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.post("/api/Graph/$batch"));
    let arrival = world.downstream.last();
    assert_eq!((arrival.method.as_str(), arrival.url), ("POST", format!("{GRAPH}/$batch")));
    let arrivals = world.downstream.count();
    let foreign = browser.with_cookies(Request::new("POST", "https://app.example/api/Graph/$batch"));
    for foreign in
        [foreign.clone().with("sec-fetch-site", "cross-site"), foreign.with("origin", "https://evil.example")]
    {
        assert_eq!(browser.send(foreign).problem(), (403, "csrf_rejected".to_owned()));
    }
    assert_eq!(world.downstream.count(), arrivals);
}
