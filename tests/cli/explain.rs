//! `vestibule explain`: whole outputs, by which operators hold their rules as tests of their own.

use serde_json::{Value, json};

use super::program::Folder;

const FILE: &str = r#"
[vars.AzureAd]
TenantId = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ClientId = "app"
[vars.DownstreamApis.Orders]
BaseUrl = "https://api.example.com/v1"
Scopes = "api://orders/read"
ExtraHeaderParameters = { x-version = "2" }
ExtraQueryParameters = { tenant = "a" }
[vars.DownstreamApis.News]
BaseUrl = "https://news.example.com"
Anonymous = true
[vars.Bearer]
Audiences = "api://app"
[vars.Gateway]
PublicOrigin = "https://app.example.com"
Origin = "https://origin.example.com"
[[vars.Gateway.Routes]]
Name = "docs"
Path = "/docs/**"
Access = "Anonymous"
[[vars.Gateway.Routes]]
Name = "admin"
Path = "/admin/**"
Require = { Roles = "Admin", Any = [{ Groups = "g1" }, { Claims = { level = [3, 4] } }] }
[[vars.Gateway.Routes]]
Name = "hidden"
Path = "/hidden"
Require = { Not = { Present = "guest" } }
Hide = true
[[vars.Gateway.Routes]]
Name = "shop"
Path = "/shop/**"
Access = "Optional"
CorsOrigins = "https://spa.example.com"
[[vars.Gateway.Routes]]
Name = "hook"
Path = "/hook"
Access = "Login"
AntiForgery = false
[[vars.Gateway.Routes]]
Name = "data"
Path = "/data/**"
Access = "Api"
AcrValues = "mfa"
MaxAgeSeconds = 300
[[vars.Gateway.Routes]]
Name = "pay"
Path = "/pay"
MaxAgeSeconds = 300
[[vars.Gateway.Routes]]
Name = "machines"
Path = "/machines/**"
Access = "Bearer"
Scopes = "read write"
[[vars.Gateway.Routes]]
Name = "programs"
Path = "/api/*/programs/**"
Access = "Bearer"
[[vars.Gateway.Routes]]
Name = "other"
Path = "/only-there"
Host = "other.example.com"
Access = "Anonymous"
[[vars.kv_namespaces]]
"#;

fn folder(name: &str) -> Folder {
    let file = FILE.replace("[[vars.kv_namespaces]]", "[[kv_namespaces]]\nbinding = \"TOKEN_CACHE\"");
    let user = r#"{"sub": "s1", "oid": "o1", "name": "Zoë", "preferred_username": "zoe@example.com", "acr": "mfa"}"#;
    let admin = r#"{"sub": "s1", "roles": ["Admin"], "level": 4}"#;
    let guest = r#"{"sub": "s1", "guest": true, "roles": ["Admin"], "hasgroups": true}"#;
    let files = [
        ("wrangler.toml", file.as_str()),
        ("user.json", user),
        ("admin.json", admin),
        ("guest.json", guest),
        ("list.json", "[\"SECRET?\"]"),
        ("old.json", r#"{"sub": "s1", "acr": "mfa", "auth_time": 1500000000}"#),
        ("program.json", r#"{"sub": "p", "azp": "a", "scp": "read", "oid": "o1"}"#),
        ("nobody.json", r#"{"sub": "p", "azp": "a", "roles": ["Read"]}"#),
        // For ever.
        ("recent.json", r#"{"sub": "s1", "acr": "mfa", "auth_time": 100000000000}"#),
    ];
    Folder::of(name, &files)
}

/// Checks exit code and output of a few requests, each with further arguments.
fn explained(name: &str, cases: &[(&[&str], i32, &str)]) {
    let folder = folder(name);
    for (arguments, code, output) in cases {
        let run = folder.run(&[&["explain"], *arguments].concat());
        assert_eq!((run.code, run.output.as_str(), run.complaint.as_str()), (*code, *output, ""), "{arguments:?}");
    }
}

#[test]
fn what_is_open_goes_to_the_origin_without_an_identity() {
    explained(
        "open",
        &[(
            &["GET /docs/a?b=c", "--claims", "user.json"],
            0,
            "\
request: GET https://app.example.com/docs/a?b=c
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: docs (/docs/**)
access: Anonymous
sets: x-forwarded-host: app.example.com
sets: x-forwarded-proto: https
timeout: 30 s
served: by https://origin.example.com/docs/a?b=c
",
        )],
    );
}

#[test]
fn who_is_not_signed_in_is_sent_or_told() {
    explained(
        "signed-out",
        &[
            (
                &["GET /"],
                3,
                "\
request: GET https://app.example.com/
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: default (/**)
access: Login
signed in: nobody
refused: 302, a sign-in by AzureAd is required: to the OpenID Provider
",
            ),
            (
                &["GET /", "--header", "Accept: */*"],
                3,
                "\
request: GET https://app.example.com/
route: the origin
rule: default (/**)
access: Login
signed in: nobody
refused: 401, a sign-in by AzureAd is required
",
            ),
            (
                &["GET /data/1"],
                3,
                "\
request: GET https://app.example.com/data/1
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: data (/data/**)
access: Api
signed in: nobody
refused: 401, a sign-in by AzureAd is required
",
            ),
            (
                &["GET /shop/1"],
                0,
                "\
request: GET https://app.example.com/shop/1
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: shop (/shop/**)
access: Optional
signed in: nobody
sets: x-forwarded-host: app.example.com
sets: x-forwarded-proto: https
timeout: 30 s
served: by https://origin.example.com/shop/1
",
            ),
        ],
    );
}

#[test]
fn who_is_signed_in_is_named_to_the_origin_and_nothing_else_may_name_anybody() {
    explained(
        "signed-in",
        &[(
            &[
                "POST /page",
                "--claims",
                "user.json",
                "--header",
                "Sec-Fetch-Site: same-origin",
                "--header",
                "X-MS-Client-Principal-Name: evil",
                "--header",
                "Authorization: Bearer x",
                "--header",
                "Cookie: __Host-session=x; theme=dark",
                "--header",
                "CF-Connecting-IP: 192.0.2.1",
            ],
            0,
            "\
request: POST https://app.example.com/page
route: the origin
rule: default (/**)
access: Login
signed in: whoever the claims name, by AzureAd
anti-forgery: passed: a page of PublicOrigin sent it
removes: x-ms-client-principal-name
removes: authorization
sets: x-ms-client-principal: eyJhdXRoX3R5cCI6ImFhZCIsImNsYWltcyI6W3sidHlwIjoiYWNyIiwidmFsIjoibWZhIn0seyJ0eXAiOiJuYW1lIiwidmFsIjoiWm/DqyJ9LHsidHlwIjoib2lkIiwidmFsIjoibzEifSx7InR5cCI6InByZWZlcnJlZF91c2VybmFtZSIsInZhbCI6InpvZUBleGFtcGxlLmNvbSJ9LHsidHlwIjoic3ViIiwidmFsIjoiczEifV0sIm5hbWVfdHlwIjoibmFtZSIsInJvbGVfdHlwIjoicm9sZXMifQ==
sets: x-ms-client-principal-id: o1
sets: x-ms-client-principal-idp: aad
sets: x-ms-client-principal-name: zoe@example.com
sets: x-forwarded-host: app.example.com
sets: x-forwarded-proto: https
sets: x-forwarded-for: 192.0.2.1
sets: cookie: theme=dark
timeout: 30 s
served: by https://origin.example.com/page
",
        )],
    );
}

#[test]
fn programs_get_tokens_that_are_exchanged_for_theirs() {
    explained(
        "programs",
        &[
            (
                &["GET /api/Orders/programs/1", "--claims", "program.json", "--header", "Authorization: Bearer x"],
                0,
                "\
request: GET https://app.example.com/api/Orders/programs/1
read leniently: /api/orders/programs/1
route: the downstream API Orders
rule: programs (/api/*/programs/**)
access: Bearer
removes: authorization
sets: x-version: 2
sets: authorization: Bearer <an exchanged access token for Orders>
timeout: 30 s
served: by https://api.example.com/v1/programs/1?tenant=a
",
            ),
            (
                &["GET /api/Orders/programs/1", "--claims", "nobody.json"],
                3,
                "\
request: GET https://app.example.com/api/Orders/programs/1
sent by: a script of a page of PublicOrigin (no --header says otherwise)
read leniently: /api/orders/programs/1
route: the downstream API Orders
rule: programs (/api/*/programs/**)
access: Bearer
refused: 403, the access token stands for no end-user, whose token the API takes
",
            ),
            (
                &["GET /api/News/programs/1", "--claims", "nobody.json"],
                0,
                "\
request: GET https://app.example.com/api/News/programs/1
sent by: a script of a page of PublicOrigin (no --header says otherwise)
read leniently: /api/news/programs/1
route: the downstream API News
rule: programs (/api/*/programs/**)
access: Bearer
timeout: 30 s
served: by https://news.example.com/programs/1
",
            ),
        ],
    );
}

#[test]
fn requirements_say_what_the_claims_lack() {
    explained(
        "requirements",
        &[
            (
                &["GET /admin/x", "--claims", "user.json"],
                3,
                "\
request: GET https://app.example.com/admin/x
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: admin (/admin/**)
access: Login
signed in: whoever the claims name, by AzureAd
anti-forgery: not needed: the method changes nothing
requires: Require.Roles is not met
requires: Require.Any[0].Groups is not met
requires: Require.Any[1].Claims.level is not met
refused: 403, the claims do not meet Require
",
            ),
            (
                &["GET /admin/x", "--claims", "guest.json"],
                3,
                "\
request: GET https://app.example.com/admin/x
sent by: a person who opens a page (no --header says otherwise)
route: the origin
rule: admin (/admin/**)
access: Login
signed in: whoever the claims name, by AzureAd
anti-forgery: not needed: the method changes nothing
requires: Require.Any[0].Groups cannot be told from the claims, which counts as not met
requires: Require.Any[1].Claims.level is not met
refused: 403, the claims do not meet Require
",
            ),
            (
                &["GET /hidden", "--claims", "guest.json", "--header", "accept: text/html"],
                3,
                "\
request: GET https://app.example.com/hidden
route: the origin
rule: hidden (/hidden)
access: Login
signed in: whoever the claims name, by AzureAd
anti-forgery: not needed: the method changes nothing
requires: Require.Not is not met
refused: 404, the claims do not meet Require, which the rule hides
",
            ),
        ],
    );
    let run = folder("requirements-met").run(&["explain", "GET /admin/x", "--claims", "admin.json"]);
    assert!(run.code == 0 && run.output.contains("\nrequires: Require holds\n"), "{}", run.output);
}

#[test]
fn a_step_up_is_judged_by_what_the_claims_tell() {
    const REFUSED: &str = "refused: 401, a better or more recent sign-in by AzureAd is required";
    const NO_TIME: &str = "requires: MaxAgeSeconds is not met: the claims have no auth_time";

    let folder = folder("step-up");
    let asked = |file: &'static str| ["GET /data/1", "--claims", file];
    told(&folder, &asked("user.json"), 3, &["requires: AcrValues holds", NO_TIME, REFUSED]);
    told(&folder, &asked("admin.json"), 3, &["requires: AcrValues is not met", NO_TIME, REFUSED]);
    told(&folder, &asked("old.json"), 3, &["requires: MaxAgeSeconds is not met", REFUSED]);
    told(&folder, &asked("recent.json"), 0, &["requires: AcrValues holds", "requires: MaxAgeSeconds holds"]);
    let page = ["GET /pay", "--claims", "old.json"];
    let sent = "refused: 302, a better or more recent sign-in by AzureAd is required: to the OpenID Provider";
    told(&folder, &page, 3, &[sent]);
}

/// Asserts the exit code and that these lines are among the output.
fn told(folder: &Folder, arguments: &[&str], code: i32, lines: &[&str]) {
    let run = folder.run(&[&["explain"], arguments].concat());
    assert_eq!(run.code, code, "{arguments:?}: {}{}", run.output, run.complaint);
    for line in lines {
        assert!(run.output.lines().any(|own| own == *line), "{arguments:?}: no {line:?} in {}", run.output);
    }
}

#[test]
fn the_anti_forgery_rule_and_cors_have_a_verdict() {
    let folder = folder("cross-site");
    let cross = ["--claims", "user.json", "--header", "Sec-Fetch-Site: cross-site", "--header"];
    let with = |request: &'static str, header: &'static str| [&[request], &cross[..], &[header]].concat();
    let refused = "refused: 403, no page of PublicOrigin sent it, as far as its headers tell";
    told(
        &folder,
        &with("POST /page", "Origin: https://evil.example"),
        3,
        &["anti-forgery: failed", "cors: not allowed: the page's origin is none of the rule's CorsOrigins", refused],
    );
    told(
        &folder,
        &with("POST /shop/1", "Origin: https://spa.example.com"),
        0,
        &[
            "anti-forgery: passed: a page of one of the rule's CorsOrigins sent it",
            "cors: allowed: the page's origin is one of the rule's CorsOrigins",
        ],
    );
    told(&folder, &with("POST /hook", "X-Any: 1"), 0, &["anti-forgery: off: the rule has AntiForgery = false"]);
    told(&folder, &with("GET /api/Orders/1", "X-Any: 1"), 3, &["anti-forgery: failed", refused]);
    told(&folder, &with("GET /page", "Upgrade: websocket"), 3, &["anti-forgery: failed", refused]);
    told(
        &folder,
        &["POST /page", "--claims", "user.json", "--header", "Origin: https://app.example.com"],
        0,
        &["cors: not needed: the page's origin is PublicOrigin"],
    );
}

#[test]
fn an_api_gets_a_token_that_is_named_and_not_made_up() {
    explained(
        "apis",
        &[
            (
                &["GET /api/Orders/7?tenant=b&x=1", "--claims", "user.json"],
                0,
                "\
request: GET https://app.example.com/api/Orders/7?tenant=b&x=1
sent by: a script of a page of PublicOrigin (no --header says otherwise)
read leniently: /api/orders/7
route: the downstream API Orders
rule: default (/**)
access: Api
signed in: whoever the claims name, by AzureAd
anti-forgery: passed: a page of PublicOrigin sent it
sets: x-version: 2
sets: authorization: Bearer <the end-user's access token for Orders>
timeout: 30 s
served: by https://api.example.com/v1/7?x=1&tenant=a
",
            ),
            (
                &["GET /api/News/", "--claims", "user.json", "--header", "x-csrf: 1", "--header", "cookie: a=b"],
                0,
                "\
request: GET https://app.example.com/api/News/
read leniently: /api/news
route: the downstream API News
rule: default (/**)
access: Api
signed in: whoever the claims name, by AzureAd
anti-forgery: passed: a page of PublicOrigin sent it
removes: cookie
timeout: 30 s
served: by https://news.example.com/
",
            ),
        ],
    );
}

#[test]
fn machines_need_a_token_with_scopes() {
    let folder = folder("machines");
    told(&folder, &["GET /machines/1"], 3, &["access: Bearer", "refused: 401, an access token is required"]);
    told(
        &folder,
        &["GET /machines/1", "--claims", "admin.json", "--scopes", "read"],
        3,
        &["lacks scope: write", "refused: 403, the access token lacks a scope of the rule"],
    );
    told(
        &folder,
        &["GET /machines/1", "--claims", "admin.json", "--scopes", "read write"],
        0,
        &["served: by https://origin.example.com/machines/1"],
    );
}

#[test]
fn paths_that_can_be_read_as_another_are_refused() {
    let folder = folder("readings");
    told(
        &folder,
        &["GET /Admin/x", "--claims", "admin.json"],
        3,
        &[
            "read leniently: /admin/x",
            "reading: /Admin/x, for the rule default",
            "reading: /admin/x, for the rule admin",
            "refused: 400, an origin could read the path as one that another rule is for",
        ],
    );
    told(
        &folder,
        &["GET /docs/.../x"],
        3,
        &[
            "reading: too many, or one that climbs",
            "refused: 400, an origin could read the path as one that another rule is for",
        ],
    );
    told(
        &folder,
        &["GET /docs/..%2fadmin"],
        3,
        &["refused: 400, the path has an encoded dot segment, backslash or control character"],
    );
    // Dot segments are resolved before anybody looks.
    told(&folder, &["GET /docs/../admin/x", "--claims", "admin.json"], 0, &["rule: admin (/admin/**)"]);
}

#[test]
fn paths_of_vestibules_own_and_hosts_are_told_apart() {
    let folder = folder("own");
    told(&folder, &["GET /.auth/me"], 0, &["served: by Vestibule itself, who is signed in"]);
    told(&folder, &["GET /signin-oidc?code=x"], 0, &["served: by Vestibule itself, the redirect URI"]);
    told(
        &folder,
        &["GET /.auth/none"],
        3,
        &["refused: 404, nothing is behind this path: it is kept for Vestibule, or not under StripPathPrefix"],
    );
    told(&folder, &["GET https://other.example.com/only-there"], 0, &["rule: other (/only-there)"]);
    told(&folder, &["GET https://other.example.com:8443/only-there"], 3, &["rule: default (/**)"]);
    told(&folder, &["GET /only-there"], 3, &["rule: default (/**)"]);
}

/// A file with further providers and settings, and no rules but these.
fn other(name: &str, gateway: &str, rules: &str) -> Folder {
    let file = format!(
        "kv_namespaces = [{{ binding = \"TOKEN_CACHE\" }}]\n\
         services = [{{ binding = \"APP\", service = \"app\" }}]\n\
         [vars.OpenIdConnect]\nAuthority = \"https://op.example\"\nClientId = \"app\"\n\
         [vars.Providers.Staff]\nAuthority = \"https://staff.example\"\nClientId = \"app\"\n\
         [vars.Gateway]\nPublicOrigin = \"https://app.example.com\"\n{gateway}\n{rules}"
    );
    Folder::of(
        name,
        &[("wrangler.toml", &file), ("user.json", r#"{"sub": "s1", "aud": "app", "email": "a@b.example"}"#)],
    )
}

#[test]
fn several_providers_are_told_apart() {
    let rules = "[[vars.Gateway.Routes]]\nPath = \"/staff\"\nProvider = \"Staff\"\n";
    let folder = other("providers-explained", "Origin = \"https://origin.example.com\"", rules);
    told(&folder, &["GET /"], 3, &["refused: 302, a sign-in is required: to the choice of an OpenID Provider"]);
    told(&folder, &["POST /"], 3, &["refused: 401, a sign-in by any OpenID Provider is required"]);
    let by_staff = "refused: 302, a sign-in by Staff is required: to the OpenID Provider";
    told(&folder, &["GET /staff"], 3, &[by_staff]);
    told(&folder, &["GET /staff", "--claims", "user.json", "--provider", "OpenIdConnect"], 3, &[by_staff]);
    let signed_in = "signed in: whoever the claims name, by Staff";
    told(&folder, &["GET /staff", "--claims", "user.json", "--provider", "Staff"], 0, &[signed_in]);
    told(&folder, &["GET /staff", "--claims", "user.json"], 0, &[signed_in]);
    told(&folder, &["GET /", "--claims", "user.json", "--provider", "Staff"], 0, &[signed_in]);
    let run = folder.run(&["explain", "GET /", "--provider", "Nobody"]);
    assert_eq!(
        (run.code, run.complaint.as_str()),
        (2, "vestibule: --provider must name the section of an OpenID Provider\n")
    );
}

#[test]
fn what_the_origin_gets_is_told_without_what_is_signed() {
    let gateway = "OriginService = \"APP\"\nOriginAssertion = true\nStripPathPrefix = \"/shop\"\n\
                   AlternateOrigins = \"https://shop.example.com\"\nOriginTimeoutSeconds = 7\n\
                   ClaimHeaders = { X-Mail = \"email\" }\nRequestHeaders = { X-From = \"gateway\" }\n";
    let folder = other("service-explained", gateway, "");
    let arguments = ["GET https://shop.example.com/shop/1", "--claims", "user.json", "--header", "X_Mail: evil"];
    told(
        &folder,
        &arguments,
        0,
        &[
            "public origin: https://shop.example.com",
            "removes: x_mail",
            "sets: x-from: gateway",
            "sets: x-forwarded-prefix: /shop",
            "sets: x-mail: a@b.example",
            "sets: x-forwarded-host: shop.example.com",
            "sets: x-vestibule-assertion: <assertion signed for APP>",
            "timeout: 7 s",
            "served: by the binding APP, as https://shop.example.com/1",
        ],
    );
    told(&folder, &["GET /.auth/jwks"], 0, &["served: by Vestibule itself, the keys of assertions to the origin"]);
    let without = other("no-keys", "Origin = \"https://origin.example.com\"", "");
    told(
        &without,
        &["GET /.auth/jwks"],
        3,
        &["refused: 404, nothing is behind this path: it is kept for Vestibule, or not under StripPathPrefix"],
    );
}

#[test]
fn preflights_and_websockets_are_judged_as_such() {
    let folder = folder("preflights");
    let preflight = |path: &'static str, origin: &'static str| {
        [path, "--header", origin, "--header", "Access-Control-Request-Method: POST"]
    };
    told(
        &folder,
        &preflight("OPTIONS /shop/1", "Origin: https://spa.example.com"),
        0,
        &[
            "rule: shop (/shop/**)",
            "answers: access-control-allow-origin: https://spa.example.com",
            "answers: access-control-allow-credentials: true",
            "served: by Vestibule itself, the answer to a preflight",
        ],
    );
    told(
        &folder,
        &preflight("OPTIONS /shop/1", "Origin: https://evil.example"),
        3,
        &["refused: 403, a preflight of a page whose origin is none of the rule's CorsOrigins"],
    );
    let asked = preflight("OPTIONS /docs/1", "Origin: https://evil.example");
    told(&folder, &asked, 0, &["served: by https://origin.example.com/docs/1"]);
    told(
        &folder,
        &[
            "GET /page",
            "--claims",
            "user.json",
            "--header",
            "Upgrade: websocket",
            "--header",
            "Sec-Fetch-Site: same-origin",
        ],
        0,
        &["websocket: a handshake", "anti-forgery: passed: a page of PublicOrigin sent it"],
    );
}

#[test]
fn programs_get_one_document() {
    let run = folder("document").run(&["explain", "GET /docs", "--json", "--header", "accept: */*"]);
    let document: Value = serde_json::from_str(&run.output).unwrap();
    let expected = json!({
        "request": ["GET https://app.example.com/docs"],
        "route": ["the origin"],
        "rule": ["docs (/docs/**)"],
        "access": ["Anonymous"],
        "sets": ["x-forwarded-host: app.example.com", "x-forwarded-proto: https"],
        "timeout": ["30 s"],
        "verdict": {"served": true, "how": "by https://origin.example.com/docs"},
    });
    assert_eq!((run.code, document), (0, expected));
    let run = folder("document").run(&["explain", "GET /", "--json"]);
    let document: Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!((run.code, &document["verdict"]["status"]), (3, &json!(302)));
}

#[test]
fn what_cannot_be_explained_is_said() {
    let folder = folder("usage");
    for (arguments, complaint) in [
        (&["explain", "/docs"][..], "the request must be a method and a path"),
        (&["explain", "GET docs"], "the request must have a path that begins with /, or an absolute URL"),
        (&["explain", "GET /", "--header", "x"], "a header must be \"Name: value\""),
        (&["explain", "GET /", "--header", "x: a\nb: c"], "a header must have a name, and no control characters"),
        (&["explain", "GET /", "--claims", "list.json"], "list.json: line 1: is no JSON object"),
        (&["explain", "GET /", "--claims", "none.json"], "none.json: "),
    ] {
        let run = folder.run(arguments);
        assert_eq!((run.code, run.output.as_str()), (2, ""), "{arguments:?}");
        assert!(run.complaint.starts_with(&format!("vestibule: {complaint}")), "{arguments:?}: {}", run.complaint);
        assert!(!run.complaint.contains("SECRET?"));
    }
    let faulty = Folder::of("faulty", &[("wrangler.toml", "[vars]")]);
    let run = faulty.run(&["explain", "GET /"]);
    assert!(run.code == 1 && run.output.contains("fault: TOKEN_CACHE: is required"), "{}", run.output);
}
