//! Where a sign-in may lead: hostile targets by the hundred, and the word of a WHATWG parser about each.

use url::Url;
use vestibule::session::return_to::ReturnTo;

use crate::browser::Browser;
use crate::deployment::PUBLIC;
use crate::op::ADA;
use crate::world::World;

/// What may stand before a host so that some parser takes it for one.
const STARTS: [&str; 44] = [
    "//",
    "///",
    "////",
    "/\\",
    "\\/",
    "\\\\",
    "\\",
    "/\t/",
    "/\n/",
    "/\r/",
    "\t//",
    " //",
    "/\u{b}/",
    "/\u{0}/",
    "/ /",
    "/\u{a0}/",
    "/\u{2028}/",
    "/%2f",
    "/%2F/",
    "%2f%2f",
    "/%5c",
    "/%5C%5C",
    "/%09/",
    "/%0d%0a/",
    "/%252f",
    "/.//",
    "/./\\",
    "/..//",
    "/x/..//",
    "/x/../\\",
    "/%2e//",
    "/;//",
    "/?//",
    "/#//",
    "@",
    "/@",
    ":",
    "/:",
    "https://",
    "HTTPS:\\\\",
    "https:/",
    "http:",
    "\u{1}https://",
    "ht\ntps://",
];

/// Hosts, some of them dressed as ours.
const HOSTS: [&str; 12] = [
    "evil.example",
    "evil.example:443/x",
    "app.example@evil.example",
    "app.example:x@evil.example/",
    "app.example%40evil.example",
    "app.example.evil.example",
    "app.example\\.evil.example",
    "app.example:8443",
    "evil\u{3002}example",
    "\u{ff45}vil.example",
    "[::1]",
    "2130706433",
];

/// What is no address of ours in any way.
const OTHERS: [&str; 16] = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//",
    "java\tscript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "data:text/html,<script>1</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example/x",
    "mailto:x@evil.example",
    "about:blank",
    "evil.example",
    "www.evil.example/x",
    ".evil.example",
    "-evil",
    "",
    "\u{feff}//evil.example",
];

pub(crate) fn hostile() -> Vec<String> {
    let combined = STARTS.iter().flat_map(|start| HOSTS.iter().map(move |host| format!("{start}{host}")));
    combined.chain(OTHERS.map(str::to_owned)).collect()
}

/// Targets that are fine, and what becomes of them.
const FINE: [(&str, &str); 8] = [
    ("/", "/"),
    ("/a?b=//evil.example", "/a?b=//evil.example"),
    ("/a#//evil.example", "/a"),
    ("/a//b", "/a//b"),
    ("/x/../a", "/a"),
    ("/a:b@c", "/a:b@c"),
    ("/a%2f%2fb", "/a%2f%2fb"),
    ("/caf\u{e9}?\u{e9}", "/caf%C3%A9?%C3%A9"),
];

/// Where a browser goes that is sent to `location` from any of our pages.
fn resolved(location: &str) -> Vec<Url> {
    let pages = ["/", "/.auth/login", "/signin-oidc?code=1", "/a/b/c"];
    pages.iter().filter_map(|page| Url::parse(&format!("{PUBLIC}{page}")).unwrap().join(location).ok()).collect()
}

#[test]
fn whatever_is_accepted_is_ours_to_a_whatwg_parser_and_whatever_is_not_ours_to_it_is_refused() {
    let ours = Url::parse(PUBLIC).unwrap();
    let corpus = hostile();
    assert!(corpus.len() > 500, "{}", corpus.len());
    let mut accepted = 0;
    for target in corpus.iter().map(String::as_str).chain(FINE.map(|(target, _)| target)) {
        let Some(return_to) = ReturnTo::parse(target, &ours) else { continue };
        accepted += 1;
        for url in resolved(target).into_iter().chain(resolved(return_to.as_str())) {
            assert_eq!(url.origin(), ours.origin(), "{target:?}");
            assert_eq!(url.host_str(), Some("app.example"), "{target:?}");
        }
        let text = return_to.as_str();
        assert!(text.starts_with('/') && !text.starts_with("//"), "{target:?} became {text:?}");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{target:?} became {text:?}");
        // A second parse, as a lenient reader makes it after decoding, stays as well.
        let decoded = text.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\");
        for url in resolved(&decoded) {
            assert_eq!(url.origin(), ours.origin(), "{target:?} became {decoded:?}");
        }
        assert_eq!(ReturnTo::parse(text, &ours).unwrap(), return_to);
    }
    assert!(accepted < 150 && accepted >= FINE.len(), "{accepted}");
    for (target, expected) in FINE {
        assert_eq!(ReturnTo::parse(target, &ours).unwrap().as_str(), expected);
    }
}

#[test]
fn a_whole_sign_in_leads_to_no_other_origin() {
    for (index, target) in hostile().into_iter().enumerate().filter(|(index, _)| index % 7 == 0) {
        let world = World::new();
        let browser = Browser::new(&world);
        let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let request = browser.begin(&format!("/.auth/login?return_to={encoded}"));
        let returned = browser.come_back(&world.op.authorize(&request, &ADA));
        assert_eq!(returned.status, 303);
        let location = returned.location();
        assert!(location.starts_with(&format!("{PUBLIC}/")), "{index} {target:?}: {location}");
        assert!(!location.starts_with(&format!("{PUBLIC}//")), "{index} {target:?}: {location}");
        assert_eq!(Url::parse(location).unwrap().origin(), Url::parse(PUBLIC).unwrap().origin(), "{target:?}");
    }
}
