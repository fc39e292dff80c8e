//! `vestibule check`: what it finds in `wrangler.toml`, and what the parser of the Worker says.

use serde_json::{Value, json};

use super::program::{Folder, KEY, repository};

/// Without a fault, a warning or a note.
const SOUND: &str = r#"
main = "build/worker/entry.js"
workers_dev = false
routes = [{ pattern = "app.example.com", custom_domain = true }]
kv_namespaces = [{ binding = "TOKEN_CACHE" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["AccountObject"] }]
[observability]
enabled = true
logs.invocation_logs = false
[durable_objects]
bindings = [{ name = "ACCOUNTS", class_name = "AccountObject" }]
[vars.OpenIdConnect]
Authority = "https://op.example"
ClientId = "app"
[vars.Gateway]
PublicOrigin = "https://app.example.com"
Origin = "https://origin.example.com"
OriginAssertion = true
"#;

const NEEDED: &str = "\
note: OpenIdConnect__ClientSecret: is a secret that must be put: wrangler secret put OpenIdConnect__ClientSecret
note: Session__Key: is a secret that must be put: wrangler secret put Session__Key
";

/// A name, the parts of [`SOUND`] to replace, the exit code and the findings.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], i32, &'a [&'a str]);

/// Exit code and findings of a check of [`SOUND`] with parts of it replaced, without the lines that every one has.
fn changed(name: &str, changes: &[(&str, &str)]) -> (i32, Vec<String>) {
    let mut text = SOUND.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    let run = Folder::of(name, &[("wrangler.toml", &text)]).run(&["check"]);
    assert_eq!(run.complaint, "", "{name}");
    let output = run.output.replace(NEEDED, "");
    let lines =
        output.lines().map(str::to_owned).filter(|line| !line.starts_with(|first: char| first.is_ascii_digit()));
    (run.code, lines.collect())
}

#[test]
fn the_repositorys_own_file_has_no_fault_and_no_warning() {
    let run = repository().run(&["check", "wrangler.toml"]);
    assert_eq!((run.code, run.output), (0, format!("{NEEDED}0 faults, 0 warnings\n")));
}

#[test]
fn the_file_of_the_demo_at_the_microsoft_identity_platform_has_no_fault_and_no_warning() {
    let run = repository().run(&["check", "demo/entra/wrangler.toml"]);
    let needed = NEEDED.replace("OpenIdConnect", "AzureAd");
    assert_eq!((run.code, run.output), (0, format!("{needed}0 faults, 0 warnings\n")));
}

#[test]
fn a_sound_file_needs_its_secrets_and_nothing_else() {
    let run = Folder::of("sound", &[("wrangler.toml", SOUND)]).run(&["check"]);
    assert_eq!((run.code, run.output), (0, format!("{NEEDED}0 faults, 0 warnings\n")));
}

#[test]
fn what_the_worker_cannot_see_is_found() {
    const DOOR: &str =
        "a second door to the same Worker, where nothing holds that goes by the host (routes, WAF, Access)";
    const ROUTE: &str = r#"{ pattern = "app.example.com", custom_domain = true }"#;
    const OBJECTS: &str = r#"bindings = [{ name = "ACCOUNTS", class_name = "AccountObject" }]"#;
    const MIGRATION: &str = r#"new_sqlite_classes = ["AccountObject"]"#;
    const LOGS: &str = "logs.invocation_logs = false";
    const ORIGIN: &str = r#"Origin = "https://origin.example.com""#;
    const MAIN: &str = r#"main = "build/worker/entry.js""#;
    const KV_BOUND: &str = "a sign-out is over elsewhere after about 60 to 90 s, which Workers KV does not guarantee";

    const KV: &str = r#"kv_namespaces = [{ binding = "TOKEN_CACHE" }]"#;
    const DATABASE: &str = r#"d1_databases = [{ binding = "TOKEN_CACHE_DB", database_name = "tokens" }]"#;
    const VARS: &str = "[vars.Gateway]";
    const D1: (&str, &str) = (VARS, "[vars.Session]\nTokenCache = \"D1\"\n[vars.Gateway]");
    const LESS: &str = "is not bound in [[durable_objects.bindings]]: open pages do not hear of a sign-out, and isolates may renew a token at once";

    let unbound = format!("warning: ACCOUNTS: is not bound in [[durable_objects.bindings]]: {KV_BOUND}");
    let cases: &[Case<'_>] = &[
        ("another-folder", &[(MAIN, r#"main = "../app/build/worker/entry.js""#)], 0, &[]),
        (
            "another-entry",
            &[(MAIN, r#"main = "src/build/entry.js""#)],
            0,
            &["warning: main: is not build/worker/entry.js, the entry that `npm run build` makes"],
        ),
        (
            "no-entry",
            &[(MAIN, "")],
            1,
            &["fault: main: is required; without it no Worker is deployed, and what stands beside it is open"],
        ),
        ("no-objects", &[(OBJECTS, "")], 0, &[&unbound]),
        (
            "no-objects-but-a-delay",
            &[(OBJECTS, ""), ("[vars.Gateway]", "[vars.Session]\nRevocationDelay = 5\n[vars.Gateway]")],
            0,
            &[
                &unbound,
                &format!("warning: Session.RevocationDelay: is no bound without the binding ACCOUNTS: {KV_BOUND}"),
            ],
        ),
        ("a-database-alone", &[(OBJECTS, ""), (KV, DATABASE), D1], 0, &[&format!("note: ACCOUNTS: {LESS}")]),
        ("a-database-beside-the-objects", &[(KV, DATABASE), D1], 0, &[]),
        (
            "a-database-that-is-none",
            &[(KV, r#"kv_namespaces = [{ binding = "TOKEN_CACHE_DB" }]"#), D1],
            1,
            &["fault: TOKEN_CACHE_DB: must be a D1 database of [[d1_databases]]"],
        ),
        (
            "a-namespace-that-is-none",
            &[(KV, r#"d1_databases = [{ binding = "TOKEN_CACHE" }]"#)],
            1,
            &["fault: TOKEN_CACHE: must be a KV namespace of [[kv_namespaces]]"],
        ),
        (
            "objects-alone",
            &[(KV, ""), (VARS, "[vars.Session]\nTokenCache = \"DurableObject\"\n[vars.Gateway]")],
            0,
            &[],
        ),
        (
            "memory",
            &[(KV, ""), (OBJECTS, ""), (VARS, "[vars.Session]\nTokenCache = \"Memory\"\n[vars.Gateway]")],
            0,
            &[
                "warning: Session.TokenCache: is Memory, which is for tests: sessions end with the isolate at any moment, and no other isolate knows them",
            ],
        ),
        (
            "another-class",
            &[(r#"class_name = "AccountObject""#, r#"class_name = "Accounts""#)],
            1,
            &["fault: durable_objects.bindings: must give ACCOUNTS the class_name AccountObject"],
        ),
        (
            "no-migration",
            &[(MIGRATION, "")],
            1,
            &["fault: migrations: must list AccountObject in new_sqlite_classes of one migration"],
        ),
        (
            "another-storage",
            &[(MIGRATION, r#"new_classes = ["AccountObject"]"#)],
            1,
            &["fault: migrations: must list AccountObject in new_sqlite_classes, not in new_classes: it needs SQLite"],
        ),
        ("a-renamed-class", &[(MIGRATION, r#"renamed_classes = [{ from = "A", to = "AccountObject" }]"#)], 0, &[]),
        (
            "an-exported-class",
            &[
                (r#"migrations = [{ tag = "v1", new_sqlite_classes = ["AccountObject"] }]"#, ""),
                (
                    "[observability]",
                    "[exports.AccountObject]\ntype = \"durable-object\"\nstorage = \"sqlite\"\n[observability]",
                ),
            ],
            0,
            &[],
        ),
        (
            "objects-of-another",
            &[(OBJECTS, r#"bindings = [{ name = "ACCOUNTS", class_name = "X", script_name = "y" }]"#)],
            0,
            &[],
        ),
        (
            "open-files",
            &[(MAIN, "main = \"build/worker/entry.js\"\nassets = { directory = \"public\" }")],
            1,
            &["fault: assets.run_worker_first: must be true: files are served without a sign-in otherwise"],
        ),
        (
            "some-open-files",
            &[(MAIN, "main = \"build/worker/entry.js\"\nassets = { run_worker_first = [\"/app/*\"] }")],
            1,
            &["fault: assets.run_worker_first: must be true: files are served without a sign-in otherwise"],
        ),
        (
            "guarded-files",
            &[(
                MAIN,
                "main = \"build/worker/entry.js\"\nassets = { run_worker_first = true, not_found_handling = \"404-page\" }",
            )],
            0,
            &[
                "note: assets.not_found_handling: answers for paths without a file; it takes effect behind Vestibule, so such a path needs a sign-in too",
            ],
        ),
        (
            "second-door",
            &[("workers_dev = false", "workers_dev = true")],
            0,
            &[&format!("warning: workers_dev: should be false: it is {DOOR}")],
        ),
        (
            "second-door-by-default",
            &[("workers_dev = false", ""), (ROUTE, "")],
            0,
            &[&format!("warning: workers_dev: should be false: it is {DOOR}")],
        ),
        ("no-door-by-default", &[("workers_dev = false", "")], 0, &[]),
        (
            "previews",
            &[("workers_dev = false", "workers_dev = false\npreview_urls = true")],
            0,
            &[&format!("warning: preview_urls: should be false: they are {DOOR}")],
        ),
        (
            "front-door",
            &[
                ("workers_dev = false", "workers_dev = true"),
                (ROUTE, ""),
                ("https://app.example.com", "https://app.me.workers.dev"),
            ],
            0,
            &[],
        ),
        (
            "another-host",
            &[(ROUTE, r#""example.com/*""#)],
            0,
            &["warning: routes: has no pattern for the host of Gateway.PublicOrigin"],
        ),
        (
            "some-paths",
            &[(ROUTE, r#""app.example.com/app/*""#)],
            0,
            &[
                "warning: routes: should take every path of the host (/*): requests for other paths go past Vestibule, without a sign-in",
            ],
        ),
        (
            "logs",
            &[(LOGS, "")],
            0,
            &[
                "warning: observability.logs.invocation_logs: should be false, or observability.redact_query_string true: each URL is logged, and a callback's URL holds an authorization code",
            ],
        ),
        ("redacted-logs", &[(LOGS, "redact_query_string = true")], 0, &[]),
        (
            "traces",
            &[(LOGS, "logs.invocation_logs = false\ntraces.enabled = true")],
            0,
            &[
                "warning: observability.traces: should go with observability.redact_query_string = true: each URL is recorded, and a callback's URL holds an authorization code",
            ],
        ),
        (
            "pushed-logs",
            &[(MAIN, "main = \"build/worker/entry.js\"\nlogpush = true")],
            0,
            &[
                "warning: logpush: writes the URL of every request down, and a callback's URL holds an authorization code",
            ],
        ),
        (
            "alternate-host",
            &[(ORIGIN, "Origin = \"https://origin.example.com\"\nAlternateOrigins = \"https://shop.example.com\"")],
            0,
            &["warning: routes: has no pattern for the host of Gateway.AlternateOrigins"],
        ),
        (
            "alternate-hosts",
            &[
                (ROUTE, "{ pattern = \"app.example.com\", custom_domain = true }, \"shop.example.com/*\""),
                (
                    ORIGIN,
                    "Origin = \"https://origin.example.com\"\nAlternateOrigins = [\"https://shop.example.com\", \"http://localhost:8787\"]",
                ),
                (
                    "[vars.Gateway]",
                    "[[vars.Gateway.Routes]]\nPath = \"/a\"\nHost = \"shop.example.com\"\n[vars.Gateway]",
                ),
            ],
            0,
            &[],
        ),
        (
            "some-paths-of-an-alternate-host",
            &[
                (ROUTE, "{ pattern = \"app.example.com\", custom_domain = true }, \"shop.example.com/shop/*\""),
                (ORIGIN, "Origin = \"https://origin.example.com\"\nAlternateOrigins = \"https://shop.example.com\""),
            ],
            0,
            &[
                "warning: routes: should take every path of the host (/*): requests for other paths go past Vestibule, without a sign-in",
            ],
        ),
        (
            "a-front-door-beside",
            &[
                ("workers_dev = false", "workers_dev = true"),
                (ORIGIN, "Origin = \"https://origin.example.com\"\nAlternateOrigins = \"https://app.me.workers.dev\""),
            ],
            0,
            &[],
        ),
        (
            "a-service",
            &[
                (ORIGIN, "OriginService = \"APP\""),
                (MAIN, "main = \"build/worker/entry.js\"\nservices = [{ binding = \"APP\", service = \"app\" }]"),
                ("OriginAssertion = true", ""),
            ],
            0,
            &[],
        ),
        (
            "files-as-a-service",
            &[
                (ORIGIN, "OriginService = \"FILES\""),
                (MAIN, "main = \"build/worker/entry.js\"\nassets = { directory = \"public\", binding = \"FILES\" }"),
            ],
            1,
            &["fault: assets.run_worker_first: must be true: files are served without a sign-in otherwise"],
        ),
        (
            "no-service",
            &[
                (ORIGIN, "OriginService = \"VISITS\""),
                (
                    MAIN,
                    "main = \"build/worker/entry.js\"\nanalytics_engine_datasets = [{ binding = \"VISITS\", dataset = \"visits\" }]",
                ),
            ],
            1,
            &[
                "fault: Gateway.OriginService: must name a binding of [[services]] or [assets]; that one cannot serve a request",
            ],
        ),
        (
            "no-such-service",
            &[(ORIGIN, "OriginService = \"NONE\"")],
            1,
            &[
                "fault: Gateway.OriginService: must name a binding of [[services]] or [assets] in wrangler.toml; e.g. \"ASSETS\"",
            ],
        ),
        (
            "a-dataset",
            &[(MAIN, "main = \"build/worker/entry.js\"\nanalytics_engine_datasets = [{ binding = \"VISITS\" }]")],
            0,
            &[],
        ),
        (
            "no-assertion",
            &[("OriginAssertion = true", "OriginAssertion = false")],
            0,
            &[
                "warning: Gateway.OriginAssertion: should be true: without it the origin cannot tell a request that went past Vestibule from one that did not",
            ],
        ),
        (
            "loopback",
            &[("https://origin.example.com", "http://localhost:3000")],
            0,
            &["warning: Gateway.Origin: is a loopback address, which a deployed Worker does not reach"],
        ),
        (
            "loopback-everywhere",
            &[
                ("https://origin.example.com", "http://[::1]:3000"),
                ("https://app.example.com", "http://localhost:8787"),
                ("OriginAssertion = true", ""),
            ],
            0,
            &[],
        ),
        (
            "a-committed-secret",
            &[("[vars.Gateway]", "[vars]\nSession__Key = \"SECRET?\"\n[vars.Gateway]")],
            1,
            &[
                "fault: Session.Key: is a secret and must not stand in [vars]; use `wrangler secret put Session__Key`",
                "fault: Session.Key: must be 32 random bytes in base64, as `openssl rand -base64 32` prints",
                "note: OpenIdConnect__ClientSecret: is a secret that must be put: wrangler secret put OpenIdConnect__ClientSecret",
            ],
        ),
    ];
    for (name, changes, code, lines) in cases {
        let expected: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(changed(name, changes), (*code, expected), "{name}");
    }
}

#[test]
fn rules_that_are_seldom_meant_are_warned_of() {
    let rule = "[[vars.Gateway.Routes]]\nName = \"all\"\nPath = \"/**\"\nAccess = \"Anonymous\"\n";
    let text = format!("{SOUND}{rule}");
    let run = Folder::of("rules", &[("wrangler.toml", &text)]).run(&["check"]);
    let line = "warning: Gateway.Routes: all makes everything anonymous that has no other rule\n";
    assert_eq!((run.code, run.output), (0, format!("{line}{NEEDED}0 faults, 1 warning\n")));
}

#[test]
fn every_fault_of_the_workers_parser_is_reported_at_once() {
    let (code, lines) = changed(
        "parser",
        &[
            ("ClientId", "ClientID"),
            ("https://origin.example.com", "http://10.0.0.1"),
            (r#"[{ binding = "TOKEN_CACHE" }]"#, "[]"),
        ],
    );
    let expected = [
        "fault: Gateway.Origin: must be an https URL (or http on a loopback host); e.g. \"https://origin.example.com\"",
        "fault: OpenIdConnect.ClientID: is spelled ClientId",
        "fault: TOKEN_CACHE: is required; bind a KV namespace under this name in [[kv_namespaces]] of wrangler.toml",
    ];
    assert_eq!((code, lines), (1, expected.map(str::to_owned).to_vec()));
}

#[test]
fn secrets_of_a_file_are_checked_and_never_printed() {
    let good = format!("OpenIdConnect__ClientSecret=SECRET?%G\nSession__Key={KEY}\n");
    for (name, dev_vars, code, lines) in [
        ("good", good.as_str(), 0, &[][..]),
        (
            "bad",
            "OpenIdConnect__ClientSecret='SECRET? '\nSECRET? alone\n",
            1,
            &[
                "fault: OpenIdConnect.ClientSecret: must be a string that is not empty and has no control characters or spaces around it",
                "fault: Session.Key: is required; store 32 random bytes in base64 with `wrangler secret put Session__Key`",
                "warning: .dev.vars:2: is no NAME=VALUE, and is skipped",
            ],
        ),
    ] {
        let folder = Folder::of(&format!("dev-vars-{name}"), &[("wrangler.toml", SOUND), (".dev.vars", dev_vars)]);
        let run = folder.run(&["check", "--dev-vars", ".dev.vars"]);
        let found: Vec<_> = run.output.lines().collect();
        assert_eq!((run.code, &found[..found.len() - 1]), (code, lines), "{name}");
        assert!(!run.output.contains("SECRET?") && !run.output.contains(KEY), "{}", run.output);
    }
}

#[test]
fn with_secrets_named_only_those_count() {
    let folder = Folder::of("named", &[("wrangler.toml", SOUND)]);
    let run = folder.run(&["check", "--secret", "Session__Key", "--secret=OpenIdConnect__ClientSecret"]);
    assert_eq!((run.code, run.output.as_str()), (0, "0 faults, 0 warnings\n"));
    let run = folder.run(&["check", "--secret", "Session__Key", "--secret", "OpenIdConnect__ClientSecrets"]);
    let expected = "\
fault: OpenIdConnect.ClientSecret: is required; store it with `wrangler secret put OpenIdConnect__ClientSecret`
fault: OpenIdConnect.ClientSecrets: is not a known setting; did you mean ClientSecret?
2 faults, 0 warnings
";
    assert_eq!((run.code, run.output.as_str()), (1, expected));
}

#[test]
fn each_provider_needs_a_secret_of_its_own() {
    let provider = "[vars.Providers.Staff]\nAuthority = \"https://staff.example\"\nClientId = \"app\"\n";
    let folder = Folder::of("providers", &[("wrangler.toml", &format!("{SOUND}{provider}"))]);
    let run = folder.run(&["check"]);
    let (first, last) = NEEDED.split_at(NEEDED.find("note: Session").unwrap());
    let staff = "note: Providers__Staff__ClientSecret: is a secret that must be put: wrangler secret put Providers__Staff__ClientSecret\n";
    assert_eq!((run.code, run.output), (0, format!("{first}{staff}{last}0 faults, 0 warnings\n")));
    let run = folder.run(&["check", "--secret", "Session__Key", "--secret", "OpenIdConnect__ClientSecret"]);
    assert!(
        run.code == 1 && run.output.starts_with("fault: Providers.Staff.ClientSecret: is required"),
        "{}",
        run.output
    );
}

#[test]
fn a_setting_that_was_put_as_a_secret_is_unknown() {
    let text = SOUND.replace("Origin = \"https://origin.example.com\"\n", "");
    let folder =
        Folder::of("unknown", &[("wrangler.toml", &text), (".dev.vars", "Gateway__Origin=https://o.example\n")]);
    let secrets = ["--secret=Session__Key", "--secret=OpenIdConnect__ClientSecret", "--secret=Gateway__Origin"];
    let run = folder.run(&[&["check"], &secrets[..]].concat());
    let note = "note: Gateway.Origin: is put as a secret, whose value is not known here: it is not checked\n";
    assert_eq!((run.code, run.output), (0, format!("{note}0 faults, 0 warnings\n")));
    let run = folder.run(&[&["explain", "GET /"], &secrets[..]].concat());
    let fault = "fault: Gateway.Origin: has a value that is not known here; give it with --dev-vars\n";
    assert_eq!((run.code, run.output), (1, format!("{fault}1 fault, 0 warnings\n")));
    // No other secret is needed to explain.
    let run = folder.run(&["explain", "GET /.auth/health", "--dev-vars", ".dev.vars"]);
    assert_eq!((run.code, run.complaint.as_str()), (0, ""), "{}", run.output);
}

#[test]
fn a_named_environment_is_checked_with_what_it_inherits() {
    let text = format!("{SOUND}\n[env.staging]\nkv_namespaces = [{{ binding = \"TOKEN_CACHE\" }}]\n");
    let run = Folder::of("environment", &[("wrangler.toml", &text)]).run(&["check", "--env", "staging"]);
    let expected = "\
fault: AzureAd: is required; add [vars.AzureAd], or [vars.OpenIdConnect] for any other OpenID Provider
fault: Gateway.Origin: is required; e.g. \"https://origin.example.com\", or OriginService with the name of a binding
fault: Gateway.PublicOrigin: is required; e.g. \"https://app.example.com\"
warning: ACCOUNTS: is not bound in [[durable_objects.bindings]]: a sign-out is over elsewhere after about 60 to 90 s, which Workers KV does not guarantee
note: durable_objects: is not inherited from the top level; env.staging needs its own
note: vars: is not inherited from the top level; env.staging needs its own
note: Session__Key: is a secret that must be put: wrangler secret put Session__Key
3 faults, 1 warning
";
    assert_eq!((run.code, run.output.as_str()), (1, expected));
}

#[test]
fn secrets_that_wrangler_dev_would_keep_back_are_named() {
    let text = format!("secrets = {{ required = [\"Session__Key\"] }}\n{SOUND}");
    let run = Folder::of("required", &[("wrangler.toml", &text)]).run(&["check"]);
    let line = "warning: secrets.required: does not list OpenIdConnect__ClientSecret, which wrangler dev then keeps from the Worker\n";
    assert_eq!((run.code, run.output), (0, format!("{line}{NEEDED}0 faults, 1 warning\n")));
}

#[test]
fn programs_get_one_document_and_json_is_read_as_toml_is() {
    let file = r#"{ // comment
        "main": "build/worker/entry.js", "workers_dev": true,
        "vars": {"OpenIdConnect": {"Authority": "https://op.example", "ClientId": "app"},
                 "Gateway": {"PublicOrigin": "https://app.me.workers.dev"}},
        "kv_namespaces": [{"binding": "TOKEN_CACHE"}], }"#;
    let run = Folder::of("json", &[("wrangler.jsonc", file)]).run(&["check", "--json"]);
    let document: Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(run.code, 1);
    assert_eq!(
        document["faults"],
        json!([{
            "key": "Gateway.Origin",
            "problem": "is required; e.g. \"https://origin.example.com\", or OriginService with the name of a binding",
        }])
    );
    assert_eq!(document["warnings"][0]["key"], "ACCOUNTS");
    assert_eq!(document["notes"], json!([]));
    assert_eq!(document["secrets"], json!(["OpenIdConnect__ClientSecret", "Session__Key"]));
}

#[test]
fn wrong_usage_and_unreadable_files_are_told_apart_from_faults() {
    let folder = Folder::of("usage", &[("broken.toml", "a = 1\nkey = SECRET?"), ("wrangler.toml", SOUND)]);
    for (arguments, complaint) in [
        (&[][..], "a command is missing"),
        (&["chek"], "there is no command \"chek\""),
        (&["check", "--jsn"], "invalid option '--jsn'"),
        (&["check", "a", "b"], "unexpected argument \"b\""),
        (&["schema", "x"], "unexpected argument \"x\""),
        (&["check", "broken.toml"], "broken.toml: line 2: is no TOML"),
        (&["check", "none.toml"], "none.toml: "),
        (&["check", "--dev-vars", "none"], "none: "),
        (&["check", "--env", "none"], "wrangler.toml: has no environment [env.none]"),
    ] {
        let run = folder.run(arguments);
        assert_eq!((run.code, run.output.as_str()), (2, ""), "{arguments:?}");
        assert!(run.complaint.starts_with(&format!("vestibule: {complaint}")), "{arguments:?}: {}", run.complaint);
        assert!(!run.complaint.contains("SECRET?"), "{}", run.complaint);
    }
    assert!(Folder::of("empty", &[]).run(&["check"]).complaint.contains("name a file"));
    let help = folder.run(&["--help"]);
    assert!(help.code == 0 && help.output.starts_with("Usage:"), "{}", help.output);
}

#[test]
fn what_a_section_of_the_microsoft_identity_platform_leads_to_is_said() {
    const GUID: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const SECRETS: &str = "ClientSecret: is a secret that must be put";
    let learned = "note: AzureAd: does not tell its tenant's GUID: the issuer is the one that its metadata name";
    let b2c = "[vars.AzureAdB2C]\nInstance = \"https://contoso.b2clogin.com\"\nDomain = \"contoso.onmicrosoft.com\"\n\
               SignUpSignInPolicyId = \"B2C_1_susi\"\n";
    for (section, expected) in [
        (format!("[vars.AzureAd]\nTenantId = \"{GUID}\"\n"), vec![]),
        (format!("[vars.AzureAd]\nInstance = \"https://login.microsoftonline.com\"\nTenantId = \"{GUID}\"\n"), vec![]),
        (
            format!("[vars.AzureAd]\nInstance = \"https://login.usgovcloudapi.net\"\nTenantId = \"{GUID}\"\n"),
            vec![
                "note: AzureAd: signs in at Azure Government of the United States",
                "note: AzureAd.Instance: is another name of login.microsoftonline.us, which is asked instead",
            ],
        ),
        (
            "[vars.AzureAd]\nAuthority = \"https://login.windows.net/contoso.com\"\n".to_owned(),
            vec![
                learned,
                "note: AzureAd.Authority: is another name of login.microsoftonline.com, which is asked instead",
            ],
        ),
        (
            b2c.to_owned(),
            vec!["note: AzureAdB2C: does not tell its tenant's GUID: the issuer is the one that its metadata name"],
        ),
    ] {
        let text = SOUND.replace("[vars.OpenIdConnect]\nAuthority = \"https://op.example\"\n", &section);
        let run = Folder::of("authorities", &[("wrangler.toml", &text)]).run(&["check"]);
        assert_eq!((run.code, run.complaint.as_str()), (0, ""), "{}", run.output);
        let lines: Vec<_> = run.output.lines().filter(|line| line.starts_with("note: Azure")).collect();
        let (secrets, notes): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.contains(SECRETS));
        assert_eq!((secrets.len(), notes), (1, expected), "{section}");
    }
}
