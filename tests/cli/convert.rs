//! `vestibule convert`: what becomes of an `appsettings.json`, and that the Worker's own parser takes it.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vestibule::cli;
use vestibule::config::{ApiToken, Config};

use super::program::{Folder, KEY, Run};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const CLIENT: &str = "11111111-1111-1111-1111-111111111111";

/// What `wrangler.toml` has besides the variables.
const HEAD: &str = r#"
main = "build/worker/entry.js"
kv_namespaces = [{ binding = "TOKEN_CACHE" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["AccountObject"] }]
durable_objects.bindings = [{ name = "ACCOUNTS", class_name = "AccountObject" }]
"#;

fn convert(name: &str, files: &[&Value]) -> Run {
    let texts: Vec<_> = files.iter().map(|file| file.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    convert_texts(name, &texts)
}

fn convert_texts(name: &str, texts: &[&str]) -> Run {
    let names: Vec<_> = (0..texts.len()).map(|position| format!("{position}.json")).collect();
    let files: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().copied()).collect();
    let folder = Folder::of(&format!("convert-{name}"), &files);
    let arguments: Vec<_> = std::iter::once("convert").chain(names.iter().map(String::as_str)).collect();
    folder.run(&arguments)
}

/// The variables of a printed part.
fn vars(output: &str) -> Value {
    let table = output.parse::<toml::Table>();
    assert!(table.is_ok(), "{table:?}\n{output}");
    serde_json::to_value(table.unwrap()).unwrap()["vars"].take()
}

/// The lines of one of the lists in the comments.
fn listed<'a>(output: &'a str, title: &str) -> Vec<&'a str> {
    let rest = output.split_once(&format!("\n# {title}")).map_or("", |(_, rest)| rest);
    rest.lines().skip(1).map_while(|line| line.strip_prefix("#   ")).collect()
}

fn azure_ad(more: &Value) -> Value {
    let mut section = json!({"Instance": "https://login.microsoftonline.com/", "TenantId": TENANT, "ClientId": CLIENT});
    section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    section
}

#[test]
fn a_template_of_asp_net_core_is_converted_as_it_stands() {
    let text = r#"{
      /* Made by
         dotnet new */
      "AzureAd": {
        "Instance": "https://login.microsoftonline.com/",
        "Domain": "contoso.onmicrosoft.com", // the tenant
        "tenantId": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "ClientId": "11111111-1111-1111-1111-111111111111",
        "ClientSecret": "SECRET~value",
        "CallbackPath": "/signin-oidc",
      },
      "DownstreamApi": { "BaseUrl": "https://graph.microsoft.com/v1.0", "Scopes": "user.read mail.read" },
      "Logging": { "LogLevel": { "Default": "Information" } },
      "AllowedHosts": "*",
    }"#;
    let run = convert_texts("template", &[&format!("\u{feff}{text}")]);
    assert_eq!((run.code, run.complaint.as_str()), (0, ""), "{}", run.output);
    let vars = vars(&run.output);
    assert_eq!(vars["AzureAd"]["TenantId"], TENANT);
    assert_eq!(vars["AzureAd"]["CallbackPath"], "/signin-oidc");
    assert_eq!(vars["AzureAd"].get("ClientSecret"), None);
    assert_eq!(vars["DownstreamApis"]["Graph"]["Scopes"], "user.read mail.read");
    assert_eq!(vars["Gateway"]["PublicOrigin"], "https://app.example.com");
    assert!(run.output.contains("npx wrangler secret put AzureAd__ClientSecret   # AzureAd:ClientSecret\n"));
    assert!(!run.output.contains("SECRET"), "{}", run.output);
    let left_out = listed(&run.output, "Left out");
    let keys: Vec<_> = left_out.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(keys, ["AllowedHosts", "Logging"]);
}

#[test]
fn what_is_for_the_operator_to_do_is_the_exit_code() {
    for (name, files, to_do) in [
        ("nothing", vec![json!({})], "AzureAd: is required; add [vars.AzureAd]"),
        ("placeholder", vec![json!({"AzureAd": azure_ad(&json!({"ClientId": "Enter_the_Id"}))})], "AzureAd.ClientId: "),
        (
            "scopes-of-two",
            vec![json!({"AzureAd": azure_ad(&json!({})), "DownstreamApis": {"A": {
                "BaseUrl": "https://a.example", "Scopes": ["api://a/x", "api://b/x"]}}})],
            "DownstreamApis.A.Scopes: must be scopes of one resource",
        ),
        (
            "managed-identity",
            vec![json!({"AzureAd": azure_ad(&json!({"ClientCredentials": [{"SourceType": 7}]}))})],
            "AzureAd:ClientCredentials:0: exists on Azure hosts only",
        ),
    ] {
        let run = convert(name, &files.iter().collect::<Vec<_>>());
        let found = listed(&run.output, "Still to do");
        assert!(found.iter().any(|line| line.starts_with(to_do)), "{name}: {}", run.output);
        assert_eq!(run.code, 1, "{name}");
    }
}

#[test]
fn later_files_count_more() {
    let base = json!({"AzureAd": azure_ad(&json!({"ClientSecret": "one"})), "AllowedHosts": "a;b"});
    let production =
        json!({"AzureAd:ClientId": TENANT, "azuread": {"clientsecret": null}, "AllowedHosts": "app.contoso.com"});
    let run = convert("merge", &[&base, &production]);
    let vars = vars(&run.output);
    assert_eq!(vars["AzureAd"]["ClientId"], TENANT);
    assert_eq!(vars["Gateway"]["PublicOrigin"], "https://app.contoso.com");
    assert!(run.output.contains("secret put AzureAd__ClientSecret   # not in these files"), "{}", run.output);
}

#[test]
fn every_shape_of_an_api_is_found() {
    let scopes = json!(["User.Read", "Mail.Read"]);
    for (name, file, api, expected) in [
        ("graph", json!({"MicrosoftGraph": {}}), "Graph", json!({"Preset": "Graph"})),
        (
            "graph-app",
            json!({"MicrosoftGraph": {"RequestAppToken": "True"}}),
            "Graph",
            json!({"Preset": "Graph", "RequestAppToken": true}),
        ),
        (
            "beta",
            json!({"GraphBeta": {"BaseUrl": "https://graph.microsoft.com/beta", "Scopes": scopes}}),
            "Graph",
            json!({"Preset": "Graph", "BaseUrl": "https://graph.microsoft.com/beta", "Scopes": scopes}),
        ),
        (
            "called",
            json!({"CalledApi": {"CalledApiUrl": "https://graph.microsoft.com/beta", "CalledApiScopes": "user.read"}}),
            "Graph",
            json!({"Preset": "Graph", "BaseUrl": "https://graph.microsoft.com/beta", "Scopes": "user.read"}),
        ),
        (
            "alone",
            json!({"TodoList": {"baseurl": "https://todo.example", "Scopes:0": "api://todo/read", "Scopes:1": "api://todo/write"}}),
            "TodoList",
            json!({"BaseUrl": "https://todo.example", "Scopes": ["api://todo/read", "api://todo/write"]}),
        ),
        (
            "singular-of-several",
            json!({"DownstreamWebApi": {"Todo List": {"BaseUrl": "https://todo.example", "Scopes": "api://todo/read"}}}),
            "Todo-List",
            json!({"BaseUrl": "https://todo.example", "Scopes": "api://todo/read"}),
        ),
        (
            "without-scopes",
            json!({"DownstreamApis": {"Open": {"BaseUrl": "https://open.example", "ExtraQueryParameters": {"units": "metric"}}}}),
            "Open",
            json!({"BaseUrl": "https://open.example", "Anonymous": true, "ExtraQueryParameters": {"units": "metric"}}),
        ),
    ] {
        let mut file = file;
        file["AzureAd"] = azure_ad(&json!({}));
        let run = convert(&format!("api-{name}"), &[&file]);
        let apis = vars(&run.output)["DownstreamApis"].take();
        assert_eq!(apis[api], expected, "{name}: {}", run.output);
        assert_eq!(apis.as_object().unwrap().len(), 1, "{name}");
        assert_eq!(run.code, 0, "{name}: {}", run.output);
    }
}

#[test]
fn the_tenant_of_an_api_is_kept_and_the_rest_of_how_a_token_is_acquired_explained() {
    let options = json!({"tenant": CLIENT, "ForceRefresh": true});
    let api = json!({"BaseUrl": "https://a.example", "Scopes": "api://a/x", "AcquireTokenOptions": options});
    let run = convert("tenant", &[&json!({"AzureAd": azure_ad(&json!({})), "DownstreamApis": {"A": api}})]);
    assert_eq!(run.code, 0, "{}", run.output);
    assert_eq!(vars(&run.output)["DownstreamApis"]["A"]["AcquireTokenOptions"], json!({"Tenant": CLIENT}));
    let left_out = listed(&run.output, "Left out");
    assert!(left_out[0].starts_with("DownstreamApis:A:AcquireTokenOptions:ForceRefresh: a token is renewed"));
}

#[test]
fn what_signs_nobody_in_for_graph_gets_no_preset() {
    let explicit = json!({"BaseUrl": "https://graph.microsoft.com/v1.0", "Scopes": "User.Read"});
    let as_app = json!({"Preset": "Graph", "RequestAppToken": true});
    let other = json!({"Oidc": {"Authority": "https://op.example", "ClientId": "app"}});
    let b2c = json!({"AzureAdB2C": {
        "Instance": "https://contoso.b2clogin.com", "Domain": "contoso.onmicrosoft.com", "ClientId": CLIENT,
        "SignUpSignInPolicyId": "B2C_1_susi"
    }});
    for (name, file, graph, expected) in [
        ("other", &other, json!({}), &explicit),
        ("b2c", &b2c, json!({}), &explicit),
        ("b2c-app", &b2c, json!({"RequestAppToken": true}), &as_app),
    ] {
        let mut file = file.clone();
        file["MicrosoftGraph"] = graph;
        let run = convert(&format!("preset-{name}"), &[&file]);
        assert_eq!(&vars(&run.output)["DownstreamApis"]["Graph"], expected, "{name}: {}", run.output);
    }
}

#[test]
fn two_apis_never_get_one_name() {
    let api = json!({"BaseUrl": "https://graph.microsoft.com/v1.0", "Scopes": "User.Read"});
    let file = json!({
        "AzureAd": azure_ad(&json!({})), "MicrosoftGraph": api, "GraphBeta": api,
        "DownstreamApis": {"a b": api, "a.b": api, "graph": api}
    });
    let run = convert("names", &[&file]);
    let apis = vars(&run.output)["DownstreamApis"].take();
    let names: Vec<_> = apis.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(run.code, 0, "{}", run.output);
}

#[test]
fn credentials_become_secrets() {
    let one = json!({"ClientCredentials": [{"SourceType": "ClientSecret", "ClientSecret": "SECRET"}]});
    let run = convert("one-credential", &[&json!({"AzureAd": azure_ad(&one)})]);
    assert!(run.output.contains("secret put AzureAd__ClientSecret   # AzureAd:ClientCredentials:0:ClientSecret\n"));
    assert_eq!(run.code, 0, "{}", run.output);
    assert!(!run.output.contains("SECRET"));

    let several = json!({
        "ClientCertificates": [
            {"sourceType": "KeyVault", "KeyVaultUrl": "https://vault.example", "KeyVaultCertificateName": "c"},
            {"SourceType": 2, "Base64EncodedValue": "UEZY", "CertificatePassword": "PASSWORD"}
        ],
        "ClientSecret": "SECRET"
    });
    let run = convert("several-credentials", &[&json!({"AzureAd": azure_ad(&several)})]);
    for value in ["SECRET", "PASSWORD", "UEZY", "vault.example"] {
        assert!(!run.output.contains(value), "{value}");
    }
    assert_eq!(run.code, 0, "{}", run.output);
    let list = vars(&run.output)["AzureAd"]["ClientCredentials"].take();
    let types: Vec<_> = list.as_array().unwrap().iter().map(|entry| entry["SourceType"].as_str().unwrap()).collect();
    assert_eq!(types, ["Base64Encoded", "Base64Encoded", "ClientSecret"]);
    for line in [
        "AzureAd__ClientCredentials__0__Base64EncodedValue   # AzureAd:ClientCertificates:0: download",
        "AzureAd__ClientCredentials__1__Base64EncodedValue   # AzureAd:ClientCertificates:1\n",
        "AzureAd__ClientCredentials__1__CertificatePassword   # AzureAd:ClientCertificates:1:CertificatePassword\n",
        "AzureAd__ClientCredentials__2__ClientSecret   # AzureAd:ClientSecret\n",
    ] {
        assert!(run.output.contains(line), "{line}\n{}", run.output);
    }
}

#[test]
fn an_authority_counts_unless_instance_and_tenant_stand_beside_it() {
    let authority = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let beside = json!({"AzureAd": azure_ad(&json!({"Authority": authority}))});
    let run = convert("authority-beside", &[&beside]);
    assert_eq!((run.code, vars(&run.output)["AzureAd"].get("Authority")), (0, None), "{}", run.output);
    assert!(listed(&run.output, "Left out").iter().any(|line| line.starts_with("AzureAd:Authority: Instance and")));

    let alone = json!({"AzureAd": {"Authority": authority, "TenantId": "", "ClientId": CLIENT}});
    let run = convert("authority-alone", &[&alone]);
    assert_eq!((run.code, &vars(&run.output)["AzureAd"]["Authority"]), (0, &json!(authority)), "{}", run.output);
}

#[test]
fn another_provider_is_converted_from_the_schemes_of_net() {
    let file = json!({"Authentication": {"Schemes": {
        "OpenIdConnect": {
            "Authority": "https://op.example", "ClientId": "app", "ClientSecret": "SECRET", "ResponseType": "code",
            "ResponseMode": "form_post", "GetClaimsFromUserInfoEndpoint": "true", "SaveTokens": true, "Scope": ["email"]
        },
        "Bearer": {"ValidAudiences": ["x"]}
    }}});
    let run = convert("schemes", &[&file]);
    assert_eq!(run.code, 0, "{}", run.output);
    let expected = json!({"Authority": "https://op.example", "ClientId": "app", "UserInfo": true, "Scope": ["email"]});
    assert_eq!(vars(&run.output)["OpenIdConnect"], expected);
    let left_out = listed(&run.output, "Left out").join("\n");
    for key in ["OpenIdConnect:ResponseMode: ", "OpenIdConnect:SaveTokens: ", "Schemes:Bearer: "] {
        assert!(left_out.contains(key), "{key} {left_out}");
    }
}

#[test]
fn every_name_of_microsofts_section_is_one() {
    for file in [
        json!({"EntraId": azure_ad(&json!({}))}),
        json!({"MicrosoftEntraId": azure_ad(&json!({}))}),
        json!({"Authentication": {"azuread": azure_ad(&json!({}))}}),
    ] {
        let run = convert("names-of-azure-ad", &[&file]);
        assert_eq!((run.code, &vars(&run.output)["AzureAd"]["ClientId"]), (0, &json!(CLIENT)), "{}", run.output);
        assert_eq!(listed(&run.output, "Left out").len(), 0, "{}", run.output);
    }
}

#[test]
fn a_page_for_errors_is_one_that_everybody_sees() {
    let file = json!({
        "AzureAd": azure_ad(&json!({"ErrorPath": "/Home/Error"})),
        "Oidc": {"Authority": "https://op.example", "ClientId": "app", "ErrorPath": "/Home/Error"}
    });
    let run = convert("error-path", &[&file]);
    assert_eq!(run.code, 0, "{}", run.output);
    let rule = json!([{"Path": "/Home/Error", "Access": "Anonymous"}]);
    assert_eq!(vars(&run.output)["Gateway"]["Routes"], rule);
}

#[test]
fn a_second_provider_stands_among_several() {
    let file = json!({
        "AzureAd": azure_ad(&json!({})),
        "Oidc": {"MetadataAddress": "https://op.example/.well-known/openid-configuration", "ClientId": "app"}
    });
    let run = convert("two-providers", &[&file]);
    assert_eq!(run.code, 0, "{}", run.output);
    let expected = json!({"Kind": "OpenIdConnect", "Authority": "https://op.example", "ClientId": "app"});
    assert_eq!(vars(&run.output)["Providers"]["Others"], expected);
    assert!(run.output.contains("secret put Providers__Others__ClientSecret"), "{}", run.output);
}

#[test]
fn azure_ad_b2c_is_the_section_of_microsofts_platform() {
    let file = json!({"AzureAdB2C": {
        "Instance": "https://contoso.b2clogin.com", "Domain": "contoso.onmicrosoft.com", "ClientId": CLIENT,
        "SignUpSignInPolicyId": "B2C_1_susi", "ResetPasswordPolicyId": "B2C_1_reset", "EditProfilePolicyId": "B2C_1_edit",
        "CallbackPath": "/signin-oidc", "SignedOutCallbackPath": "/signout/B2C_1_susi"
    }});
    let run = convert("b2c", &[&file]);
    let vars = vars(&run.output);
    assert_eq!(vars["AzureAd"]["Domain"], "contoso.onmicrosoft.com");
    assert_eq!(run.code, 0, "{}", run.output);
    assert_eq!(vars["AzureAd"]["SignUpSignInPolicyId"], "B2C_1_susi");
}

#[test]
fn what_cannot_be_read_is_wrong_usage_and_quotes_nothing() {
    for (name, text, complaint) in [
        ("no-json", "{\n\"Key\": SECRET", "0.json: line 2: is no JSON with comments"),
        ("a-list", "[]", "0.json: is no table of settings"),
        ("twice", r#"{"A": {"B": "SECRET", "b": "SECRET"}}"#, "0.json: has A:b twice; letter case does not count"),
    ] {
        let run = convert_texts(name, &[text]);
        assert_eq!((run.code, run.output.as_str()), (2, ""), "{name}");
        assert!(run.complaint.contains(complaint) && !run.complaint.contains("SECRET"), "{name}: {}", run.complaint);
    }
    let run = Folder::of("convert-none", &[]).run(&["convert"]);
    assert_eq!(run.code, 2);
    assert!(run.complaint.contains("name an appsettings.json"), "{}", run.complaint);
}

#[test]
fn secrets_are_written_where_they_are_wanted_and_over_nothing() {
    let file = json!({"AzureAd": azure_ad(&json!({"ClientSecret": "SEC'RET #1"}))}).to_string();
    let folder = Folder::of("convert-dev-vars", &[("appsettings.json", &file), ("taken", "")]);
    let run = folder.run(&["convert", "appsettings.json", "--dev-vars", "-"]);
    let wanted = "AzureAd__ClientSecret=`SEC'RET #1`\n";
    assert!(run.code == 0 && run.output.starts_with(wanted), "{}", run.output);
    assert!(folder.run(&["convert", "appsettings.json"]).output.lines().all(|line| !line.contains("SEC'RET")));

    let run = folder.run(&["convert", "appsettings.json", "--dev-vars", ".dev.vars"]);
    assert_eq!((run.code, run.complaint.as_str()), (0, "wrote .dev.vars\n"));
    assert!(!run.output.contains("SEC'RET"));
    let path = folder.path(".dev.vars");
    assert!(fs::read_to_string(&path).unwrap().starts_with(wanted));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for taken in ["taken", ".dev.vars"] {
        assert_eq!(folder.run(&["convert", "appsettings.json", "--dev-vars", taken]).code, 2, "{taken}");
    }
}

#[test]
fn nothing_in_a_file_ends_a_comment_or_a_string() {
    let evil = "x\n[vars.Session]\u{1b}[2J\u{7f}\u{85}\"\\";
    let file = json!({
        evil: 1,
        "AzureAd": azure_ad(&json!({evil: evil, "Domain": evil, "ExtraQueryParameters": {evil: evil}})),
        "DownstreamApis": {evil: {"BaseUrl": "https://a.example", "Scopes": "api://a/x", "ExtraHeaderParameters": {evil: evil}}}
    });
    let run = convert("evil", &[&file]);
    assert_eq!(run.code, 1);
    let vars = vars(&run.output);
    assert_eq!(vars.get("Session"), None);
    assert_eq!(vars["AzureAd"]["Domain"], evil);
    assert_eq!(vars["AzureAd"]["ExtraQueryParameters"][evil], evil);
    assert!(run.output.chars().all(|letter| letter == '\n' || !letter.is_control()), "{}", run.output);
}

/// What an application is configured with.
#[derive(Debug)]
struct Application {
    secret: Option<String>,
    capability: bool,
    paths: bool,
    apis: Vec<Api>,
    /// Keys that have no meaning here.
    others: Vec<usize>,
}

#[derive(Debug)]
struct Api {
    path: String,
    scopes: Vec<String>,
    is_string: bool,
    is_app: bool,
}

/// How it is written: for each setting whether `:` stands in its key, whether it is in the second file, and the letter case.
type Style = Vec<(bool, bool, u8)>;

fn application() -> impl Strategy<Value = Application> {
    let scopes = prop::collection::btree_set("[a-z]{1,6}\\.[A-Z][a-z]{1,5}", 0..4);
    let api = ("[a-z]{0,8}", scopes, any::<bool>(), any::<bool>()).prop_map(|(path, scopes, is_string, is_app)| Api {
        path,
        scopes: scopes.into_iter().collect(),
        is_string,
        is_app,
    });
    (
        prop::option::of("[ -~]{12,40}"),
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(api, 0..4),
        prop::collection::vec(0..MEANINGLESS.len(), 0..4),
    )
        .prop_map(|(secret, capability, paths, apis, others)| Application {
            secret,
            capability,
            paths,
            apis,
            others,
        })
}

const MEANINGLESS: [&str; 8] = [
    "AzureAd:EnablePiiLogging",
    "AzureAd:UseFastUnboundedCache",
    "AzureAd:WithSpaAuthCode",
    "AzureAd:CacheOptions:SizeLimit",
    "Logging:LogLevel:Default",
    "AllowedHosts",
    "ConnectionStrings:Redis",
    "Kestrel:Endpoints:Http:Url",
];

impl Application {
    /// Every setting with its key.
    fn settings(&self) -> Vec<(String, Value)> {
        let mut settings: Vec<(String, Value)> = vec![
            ("AzureAd:Instance".to_owned(), json!("https://login.microsoftonline.com/")),
            ("AzureAd:TenantId".to_owned(), json!(TENANT)),
            ("AzureAd:ClientId".to_owned(), json!(CLIENT)),
        ];
        settings.extend(self.secret.iter().map(|secret| ("AzureAd:ClientSecret".to_owned(), json!(secret))));
        if self.capability {
            settings.push(("AzureAd:ClientCapabilities".to_owned(), json!(["cp1"])));
        }
        if self.paths {
            settings.push(("AzureAd:CallbackPath".to_owned(), json!("/back/here")));
            settings.push(("AzureAd:SignedOutCallbackPath".to_owned(), json!("/signed/out")));
        }
        for (position, api) in self.apis.iter().enumerate() {
            let key = |name: &str| format!("DownstreamApis:Api{position}:{name}");
            settings.push((key("BaseUrl"), json!("https://api.example.com/v1")));
            settings.push((key("RelativePath"), json!(api.path)));
            settings.push((key("Scopes"), api.written_scopes()));
            settings.push((key("RequestAppToken"), json!(api.is_app)));
        }
        let mut others = self.others.clone();
        others.sort_unstable();
        others.dedup();
        settings.extend(others.into_iter().map(|other| (MEANINGLESS[other].to_owned(), json!("SECRET of another"))));
        settings
    }

    /// The files, written in a style.
    fn files(&self, style: &Style) -> [Value; 2] {
        let mut files = [json!({}), json!({})];
        for ((key, value), (is_flat, is_second, case)) in self.settings().into_iter().zip(style.iter().cycle()) {
            let file = &mut files[usize::from(*is_second)];
            let key = if key.starts_with("DownstreamApis:") { key } else { recased(&key, *case) };
            if *is_flat {
                file[key] = value;
            } else {
                let slot = key.split(':').fold(file, |slot, part| &mut slot[part]);
                *slot = value;
            }
        }
        files
    }
}

impl Api {
    fn full_scopes(&self) -> Vec<String> {
        if self.is_app {
            vec!["api://x/.default".to_owned()]
        } else {
            self.scopes.iter().map(|scope| format!("api://x/{scope}")).collect()
        }
    }

    fn written_scopes(&self) -> Value {
        let scopes = self.full_scopes();
        if self.is_string { json!(scopes.join("  ")) } else { json!(scopes) }
    }
}

fn recased(key: &str, case: u8) -> String {
    match case % 3 {
        0 => key.to_owned(),
        1 => key.to_lowercase(),
        _ => key.to_uppercase(),
    }
}

/// The configuration that the Worker reads from a printed part, its secrets being put.
fn read(output: &str, secrets: &[&str]) -> Config {
    let mut vars = vars(output);
    for secret in secrets {
        vars[*secret] = json!("a-secret");
    }
    vars["Session__Key"] = json!(KEY);
    let environment = json!({"vars": vars, "bindings": ["ACCOUNTS", "TOKEN_CACHE"]});
    let config = Config::parse(&environment.to_string());
    assert!(config.is_ok(), "{config:?}\n{output}");
    config.unwrap()
}

fn in_process(folder: &Folder, arguments: &[&str], files: &[&str]) -> cli::Outcome {
    let files = files.iter().map(|file| folder.path(file).into_os_string());
    cli::run(arguments.iter().map(Into::into).chain(files))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_an_application_is_configured_with_is_what_the_worker_reads(
        application in application(),
        style in prop::collection::vec(any::<(bool, bool, u8)>(), 24),
    ) {
        let [first, second] = application.files(&style);
        let folder = Folder::of(
            "convert-property",
            &[("first.json", &first.to_string()), ("second.json", &second.to_string())],
        );
        let outcome = in_process(&folder, &["convert"], &["first.json", "second.json"]);
        prop_assert_eq!(outcome.exit_code, 0, "{}", outcome.output);
        prop_assert!(!outcome.output.contains("SECRET"));
        if let Some(secret) = application.secret.as_deref().map(str::trim).filter(|secret| secret.len() > 6) {
            prop_assert!(!outcome.output.contains(secret));
        }

        fs::write(folder.path("wrangler.toml"), format!("{HEAD}{}", outcome.output)).unwrap();
        let check = in_process(&folder, &["check"], &["wrangler.toml"]);
        prop_assert_eq!(check.exit_code, 0, "{}\n{}", check.output, outcome.output);

        let config = read(&outcome.output, &["AzureAd__ClientSecret"]);
        prop_assert_eq!(&config.provider.client_id, CLIENT);
        prop_assert_eq!(config.provider.client_capabilities.len(), usize::from(application.capability));
        prop_assert_eq!(config.provider.paths.callback == "/back/here", application.paths);
        prop_assert_eq!(config.apis.len(), application.apis.len());
        for (position, api) in application.apis.iter().enumerate() {
            let found = config.api(&format!("Api{position}")).unwrap();
            let path = if api.path.is_empty() { String::new() } else { format!("/{}", api.path) };
            prop_assert_eq!(found.base_url.as_str(), format!("https://api.example.com/v1{path}"));
            prop_assert_eq!(&found.scopes, &api.full_scopes());
            let token = match (api.is_app, api.scopes.is_empty()) {
                (true, _) => ApiToken::App,
                (false, true) => ApiToken::None,
                (false, false) => ApiToken::User,
            };
            prop_assert_eq!(found.token, token);
        }
    }

    #[test]
    fn whatever_a_file_says_the_exit_code_is_what_check_would_say(file in anything()) {
        let folder = Folder::of("convert-anything", &[("appsettings.json", &file.to_string())]);
        let outcome = in_process(&folder, &["convert"], &["appsettings.json"]);
        if outcome.exit_code != 2 {
            fs::write(folder.path("wrangler.toml"), format!("{HEAD}{}", outcome.output)).unwrap();
            let check = in_process(&folder, &["check"], &["wrangler.toml"]);
            prop_assert!(check.exit_code < 2, "{}\n{}", check.complaint, outcome.output);
            prop_assert!(check.exit_code == 0 || outcome.exit_code == 1, "{}\n{}", check.output, outcome.output);
        }
    }
}

/// Objects of known and other names with values of every kind.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["https://a.example", "api://a/x", "common", TENANT, "6"]).prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "AzureAd",
        "AzureAdB2C",
        "OpenIdConnect",
        "Authentication",
        "Schemes",
        "DownstreamApis",
        "DownstreamApi",
        "MicrosoftGraph",
        "Orders",
        "Instance",
        "TenantId",
        "ClientId",
        "ClientSecret",
        "ClientCredentials",
        "ClientCertificates",
        "SourceType",
        "Authority",
        "BaseUrl",
        "Scopes",
        "ExtraQueryParameters",
        "CallbackPath",
        "AcquireTokenOptions",
        "Tenant",
        "Gateway",
        "Session",
        "vars",
        "a.b",
        "\u{7f}",
        "",
        "0",
        "1",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            4 => prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())),
        ]
    })
}
