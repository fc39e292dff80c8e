//! WebSockets of the origin and of APIs: who may open one, and for whom it is carried.

use vestibule::forwarding::Carried;

use crate::WITH_ACCOUNTS;
use crate::browser::{Browser, absolute};
use crate::deployment::{ORDERS, ORIGIN};
use crate::op::ADA;
use crate::request::Request;
use crate::world::{NOW, World};

const PATHS: [&str; 2] = ["/chat?room=%2F", "/api/Orders/chat?room=%2F"];

fn handshake(path: &str) -> Request {
    Request::handshake(&absolute(path))
}

#[test]
fn a_websocket_is_carried_for_the_session_that_opened_it() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for (path, url) in [(PATHS[0], format!("{ORIGIN}/chat?room=%2F")), (PATHS[1], format!("{ORDERS}/chat?room=%2F"))] {
        assert!(browser.send(handshake(path)).is_forwarded);
        let arrival = world.downstream.last();
        assert_eq!(arrival.url, url);
        assert_eq!(arrival.header("upgrade"), Some("WebSocket"));
        assert_eq!(arrival.header("sec-websocket-protocol"), Some("chat.v2, \"quoted\""));
        let Carried { session, object, ends_at } = arrival.plan.carried.unwrap();
        assert_eq!(ends_at.as_unix(), NOW + 28_800);
        assert_eq!(object.is_some(), WITH_ACCOUNTS);
        if let Some(object) = object {
            assert!(world.accounts.sessions(&object).iter().any(|(id, _)| Some(*id) == session));
        }
    }
}

#[test]
fn nothing_else_is_carried_for_anybody() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for path in PATHS {
        for request in [Request::script("GET", &absolute(path)), handshake(path).with("upgrade", "h2c")] {
            assert!(browser.send(request).is_forwarded);
            assert_eq!(world.downstream.last().plan.carried, None);
        }
    }
}

#[test]
fn no_other_site_opens_a_websocket() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    for path in PATHS {
        for foreign in [
            handshake(path).with("sec-fetch-site", "cross-site"),
            handshake(path).with("sec-fetch-site", "same-site").with("x-csrf", "1"),
            handshake(path).without("sec-fetch-site").with("origin", "https://evil.example"),
            handshake(path).without("sec-fetch-site").with("origin", "null").with("x-csrf", "1"),
            handshake(path).without("sec-fetch-site").without("origin"),
        ] {
            assert_eq!(browser.send(foreign).problem(), (403, "csrf_rejected".to_owned()), "{path}");
        }
    }
    assert_eq!(world.downstream.count(), arrived);
    for path in PATHS {
        let client = handshake(path).without("sec-fetch-site").without("origin").with("x-csrf", "1");
        assert!(browser.send(client).is_forwarded, "a program that is no browser");
    }
}

#[test]
fn nobody_opens_a_websocket_without_a_session_and_none_is_redirected() {
    let world = World::new();
    for path in PATHS {
        for request in [handshake(path), handshake(path).without("sec-fetch-mode").with("accept", "text/html")] {
            let answer = Browser::new(&world).send(request);
            assert_eq!(answer.problem(), (401, "login_required".to_owned()));
        }
    }
    assert_eq!(world.downstream.count(), 0);
}

#[test]
fn our_cookies_stay_here_and_a_handshake_rolls_none() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.jar.plant("theme", "dark");
    world.advance(3500);
    for path in PATHS {
        let answer = browser.send(handshake(path).without("sec-fetch-mode").with("accept", "text/html"));
        assert!(answer.is_forwarded && answer.set_cookies().count() == 0, "{answer:?}");
        assert!(!world.downstream.last().header("cookie").unwrap_or_default().contains("__Host-"));
    }
}

#[test]
fn an_api_sets_no_cookie_with_its_handshake() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.send(handshake(PATHS[1]));
    assert!(world.downstream.last().plan.answer.drop_cookies);
}
