//! Published advisories of proxies that sign people in: those about which rule holds, which headers pass, and what is
//! forwarded. Each test has the name of its advisory; the property tests behind them are in `route_properties.rs`.

use serde_json::json;
use url::Url;
use vestibule::runtime::TransportFault;

use crate::api::served;
use crate::browser::{Browser, absolute};
use crate::deployment::ORIGIN;
use crate::op::ADA;
use crate::request::Request;
use crate::route_rules::{fate, of_each_access};
use crate::world::World;

/// `/open/**` for everybody, `/admin/**` for administrators, and the default for the rest.
fn world() -> World {
    World::with_routes(&json!([
        { "Path": "/open/**", "Access": "Anonymous" },
        { "Path": "/admin/**", "Require": { "Roles": ["Admin"] } },
        { "Path": "/maybe/**", "Access": "Optional" },
    ]))
}

fn script(path: &str) -> Request {
    Request::script("GET", Url::parse(&absolute(path)).unwrap().as_str())
}

/// Neither a stranger nor a user who is no administrator gets through.
fn assert_closed(world: &World, request: &Request) {
    for browser in [Browser::new(world), Browser::signed_in(world, &ADA)] {
        let fate = fate(&browser, request.clone());
        assert!(["400", "401", "403"].iter().any(|status| fate.starts_with(status)), "{fate}: {request:?}");
    }
}

#[test]
fn cve_2026_40575_an_x_forwarded_uri_opens_nothing() {
    let world = world();
    for name in ["X-Forwarded-Uri", "X-Forwarded-Path", "X-Original-URL", "X-Original-URI", "X-Rewrite-Url"] {
        assert_closed(&world, &script("/admin/x").with(name, "/open/x"));
    }
}

#[test]
fn cve_2026_41059_a_fragment_or_parameter_opens_nothing() {
    let world = world();
    for odd in ["#", "%23", ";", "%3b", "?", "%3f", "%00", "%0a", "%2f", "%5c", "\\", ";/", "/..;"] {
        for path in [format!("/admin/x{odd}/open/x"), format!("/admin{odd}open/x")] {
            assert_closed(&world, &script(&path));
        }
        // What follows the odd part could be all that the origin leaves out.
        let stranger = fate(&Browser::new(&world), script(&format!("/open{odd}x")));
        let is_path = !matches!(odd, "#" | "?" | "\\");
        assert_eq!(stranger.starts_with("passes"), !is_path, "{odd}: {stranger}");
        if is_path && !odd.contains('/') {
            assert_closed(&world, &script(&format!("/open{odd}/../admin/x")));
        }
    }
}

#[test]
fn cve_2025_54576_a_query_opens_nothing() {
    let world = world();
    for query in ["?x=/open/x", "?/open/x", "?path=/open/", "?%2Fopen%2Fx", "?#/open/x"] {
        assert_closed(&world, &script(&format!("/admin/x{query}")));
    }
}

#[test]
fn cve_2026_34457_no_user_agent_opens_anything() {
    let world = world();
    for agent in ["GoogleHC/1.0", "kube-probe/1.26", "ELB-HealthChecker/2.0", "Mozilla/5.0", ""] {
        assert_closed(&world, &script("/admin/x").with("user-agent", agent));
    }
    assert_eq!(Browser::new(&world).send(script("/.auth/health").with("user-agent", "x")).body, "ok\n");
}

#[test]
fn cve_2026_40574_an_address_with_two_ats_is_of_no_domain() {
    for email in ["a@evil.com@example.com", "\"a@evil.com\"@example.com", "a@example.com@evil.com", "a@example.com."] {
        let world = World::with_routes(&json!([{ "Path": "/x", "Require": { "EmailDomains": "example.com" } }]));
        *world.op.claims.borrow_mut() = json!({ "email": email, "email_verified": true });
        assert_eq!(fate(&Browser::signed_in(&world, &ADA), script("/x")), "403 forbidden", "{email}");
    }
}

#[test]
fn cve_2025_64484_an_underscore_is_a_hyphen() {
    let world = of_each_access();
    for path in ["/for/Anonymous/x", "/for/Optional/x"] {
        for name in ["X_Forwarded_User", "X_MS_CLIENT_PRINCIPAL", "x-ms_client-principal_id", "REMOTE_USER"] {
            let browser = Browser::new(&world);
            served(&browser.send(script(path).with(name, "spoofed")));
            let arrival = world.downstream.last();
            assert!(!arrival.headers.iter().any(|(_, value)| value == "spoofed"), "{name} {arrival:?}");
        }
    }
}

#[test]
fn cve_2021_21411_groups_are_required_where_they_are_configured() {
    for (groups, fate_of_ada) in
        [(json!(["staff"]), format!("passes as {}", ADA.sub)), (json!([]), "403 forbidden".into())]
    {
        let world = World::with_routes(&json!([{ "Path": "/**", "Require": { "Groups": ["staff"] } }]));
        *world.op.claims.borrow_mut() = json!({ "groups": groups });
        let browser = Browser::new(&world);
        browser.come_back(&world.op.authorize(&browser.begin("/.auth/login"), &ADA));
        assert_eq!(fate(&browser, script("/anything")), fate_of_ada);
    }
}

#[test]
fn cve_2021_21291_a_name_that_ends_alike_is_another_host() {
    let world = World::with_routes(&json!([
        { "Path": "/**", "Host": "www.example", "Access": "Anonymous" },
        { "Path": "/cors/**", "CorsOrigins": ["https://spa.example"] },
    ]));
    for host in ["badwww.example", "www.example.bad", "bad.www.example", "ww.example"] {
        let request = Request::script("GET", &format!("https://{host}/x"));
        assert_eq!(fate(&Browser::new(&world), request), "401 login_required", "{host}");
    }
    let request = Request::script("POST", &absolute("/cors/x")).with("sec-fetch-site", "cross-site");
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(fate(&browser, request.with("origin", "https://badspa.example")), "403 csrf_rejected");
}

#[test]
fn cve_2025_29927_no_header_of_ours_skips_a_check() {
    let world = world();
    for (name, value) in [
        ("x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"),
        ("x-middleware-subrequest", "src/middleware"),
        ("x-vestibule-internal", "1"),
        ("x-vestibule-assertion", "a.b.c"),
        ("cf-worker", "app.example"),
        ("cdn-loop", "cloudflare"),
    ] {
        assert_closed(&world, &script("/admin/x").with(name, value));
    }
}

#[test]
fn cve_2025_31492_the_origin_is_not_even_asked_for_a_stranger() {
    let world = of_each_access();
    for access in ["Login", "Api"] {
        let url = absolute(&format!("/for/{access}/x"));
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PURGE"] {
            for request in [Request::script(method, &url), Request::navigation(method, &url, "none").form("a=b")] {
                let answer = Browser::new(&world).send(request);
                assert!(!answer.body.contains("downstream"), "{answer:?}");
            }
        }
    }
    assert_eq!(world.downstream.count(), 0);
}

#[test]
fn cve_2017_6062_and_cve_2017_6413_headers_are_scrubbed_whatever_the_access() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    for access in ["Anonymous", "Optional", "Login", "Api"] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let request = Request::script(method, &absolute(&format!("/for/{access}/x")));
            let spoofed = ["X-MS-CLIENT-PRINCIPAL", "x-ms-client-principal-name", "X-Forwarded-User", "Authorization"];
            let request = spoofed.iter().fold(request, |request, name| request.with(name, "spoofed"));
            for sender in [&browser, &Browser::new(&world)] {
                if sender.copy().send(request.clone()).is_forwarded {
                    let arrival = world.downstream.last();
                    assert!(!arrival.headers.iter().any(|(_, value)| value == "spoofed"), "{access} {arrival:?}");
                }
            }
        }
    }
}

#[test]
fn cve_2023_33189_the_rule_that_was_judged_is_that_of_the_path_that_is_forwarded() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for (path, forwarded) in
        [("/open/x/../y", "/open/y"), ("/admin/../open/x", "/open/x"), ("/open/a%20b", "/open/a%20b")]
    {
        served(&browser.send(script(path)));
        assert_eq!(world.downstream.last().url, format!("{ORIGIN}{forwarded}"));
    }
    for path in ["/open/../admin/x", "/open/./../admin/x", "/open/%2e%2e/admin/x", "/open/..%2fadmin/x"] {
        assert_closed(&world, &script(path));
    }
}

#[test]
fn cve_2022_29226_a_bearer_token_is_no_session() {
    let world = world();
    for token in ["Bearer x", "Bearer a.b.c", "Bearer", "bearer  x", "Basic YTpi", "Bearer eyJhbGciOiJub25lIn0.e30."] {
        for path in ["/admin/x", "/other", "/api/Orders/x"] {
            let answer = Browser::new(&world).send(script(path).with("authorization", token));
            assert_eq!(answer.problem(), (401, "login_required".to_owned()), "{path} {token}");
        }
    }
}

#[test]
fn cve_2023_27487_an_x_envoy_original_path_opens_nothing() {
    let world = world();
    assert_closed(&world, &script("/admin/x").with("x-envoy-original-path", "/open/x"));
    served(&Browser::new(&world).send(script("/open/x").with("x-envoy-original-path", "/admin/x")));
    assert_eq!(world.downstream.last().header("x-envoy-original-path"), None);
}

#[test]
fn cve_2026_33494_a_path_that_climbs_is_that_of_where_it_arrives() {
    let world = world();
    for path in [
        "/open/../admin/x",
        "/open/%2e%2e/admin/x",
        "/open/.%2E/admin/x",
        "/open/..//admin/x",
        "//admin/x",
        "/admin//x",
        "/%61dmin/x",
        "/%2561dmin/x",
        "/ADMIN/x",
        "/admin./x",
        "/admin%20/x",
        "/open/..;/admin/x",
        "/open/%252e%252e/admin/x",
    ] {
        assert_closed(&world, &script(path));
    }
}

#[test]
fn cve_2026_33495_an_x_forwarded_proto_changes_no_address() {
    let world = world();
    let browser = Browser::new(&world);
    let request = Request::navigation("GET", &absolute("/page"), "none").with("x-forwarded-proto", "http");
    let redirect = browser.send(request.with("x-forwarded-host", "evil.example"));
    let redirect_uri = crate::op::parameter(redirect.location(), "redirect_uri").unwrap();
    assert_eq!(redirect_uri, absolute("/signin-oidc"));
    served(&browser.send(script("/open/x").with("x-forwarded-proto", "http")));
    assert_eq!(world.downstream.last().header("x-forwarded-proto"), Some("https"));
}

#[test]
fn ghsa_w9mr_28mw_j8hg_and_cve_2024_45410_connection_takes_no_header_of_ours_away() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let named = "close, X-MS-CLIENT-PRINCIPAL, x-ms-client-principal-id, X-Forwarded-Host, x-forwarded-proto, cookie";
    served(&browser.send(script("/page").with("connection", named)));
    let arrival = world.downstream.last();
    assert_eq!(arrival.header("x-ms-client-principal-id"), Some(ADA.sub));
    assert!(arrival.header("x-ms-client-principal").is_some() && arrival.header("x-forwarded-host").is_some());
    served(&browser.send(script("/api/Orders/x").with("connection", "authorization")));
    assert!(!world.downstream.last().bearer().is_empty());
}

#[test]
fn cve_2026_35051_an_x_forwarded_prefix_of_the_client_does_not_pass() {
    let world = World::with(&json!({ "Gateway": { "StripPathPrefix": "/app" } }));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.send(script("/app/x").with("x-forwarded-prefix", "/evil").with("X_Forwarded_Prefix", "/evil")));
    let arrival = world.downstream.last();
    assert_eq!(arrival.header("x-forwarded-prefix"), Some("/app"));
    assert!(!arrival.headers.iter().any(|(_, value)| value == "/evil"), "{arrival:?}");
}

#[test]
fn ghsa_fvhj_4qfh_q2hm_a_fragment_is_never_forwarded() {
    let world = world();
    for path in ["/open/x#/admin/x", "/open/x?y#z"] {
        // As the platform may hand it over, unparsed.
        served(&Browser::new(&world).send(Request::script("GET", &absolute(path))));
        assert!(!world.downstream.last().url.contains('#'), "{path}");
    }
}

#[test]
fn cve_2026_44087_and_cve_2026_39998_the_default_configuration_takes_nobodys_word() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let request = script("/page").with("x-ms-client-principal-id", "bob").with("x-ms-client-principal-name", "bob");
    served(&browser.send(request.with("x-forwarded-user", "bob").with("remote-user", "bob")));
    assert!(!world.downstream.last().headers.iter().any(|(_, value)| value == "bob"));
}

#[test]
fn cve_2026_31908_no_claim_breaks_a_header() {
    let world = World::with(&json!({ "Gateway": { "ClaimHeaders": { "X-Name": "name", "X-Dept": "dept" } } }));
    *world.op.claims.borrow_mut() = json!({ "dept": "a\r\nX-Evil: 1\0\u{7f}" });
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/page"));
    for (name, value) in world.downstream.last().headers {
        assert!(!value.bytes().any(|byte| byte.is_ascii_control()), "{name}: {value:?}");
    }
}

#[test]
fn cve_2020_14359_letter_case_changes_nothing() {
    let world = of_each_access();
    for name in
        ["x-ms-client-principal-id", "X-Ms-Client-Principal-Id", "X-MS-CLIENT-PRINCIPAL-ID", "x-MS-cLiEnT-principal-ID"]
    {
        served(&Browser::new(&world).send(script("/for/Optional/x").with(name, "spoofed")));
        assert!(!world.downstream.last().headers.iter().any(|(_, value)| value == "spoofed"), "{name}");
    }
}

#[test]
fn cve_2021_21378_a_bad_cookie_is_not_the_same_as_none() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    let bad = crate::route_rules::tampered(&browser);
    assert_eq!(fate(&bad, script("/for/Login/x")), "401 session_expired");
    assert_eq!(fate(&Browser::new(&world), script("/for/Login/x")), "401 login_required");
    let answer = bad.send(script("/for/Optional/x"));
    assert!(answer.is_forwarded && answer.expires(crate::browser::SESSION));
    assert_eq!(world.downstream.last().header("x-ms-client-principal-id"), None);
    *world.downstream.fault.borrow_mut() = Some(TransportFault::NoConnection);
    assert_eq!(bad.send(script("/for/Optional/x")).status, 502);
}
