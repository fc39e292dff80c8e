//! The configuration, from the outside: vectors for every rule, the table of settings against the parser, and the
//! promise that no fault repeats a value.
//!
//! A vector's `environment` is a JSON merge patch (RFC 7396) on the `base` of its file.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests may panic, and so may what they call")]

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::rsa::PublicKeyComponents;
use ring::signature::RsaKeyPair;
use serde_json::{Map, Value, json};
use vestibule::config::{
    ApiToken, ClientCredential, Cloud, Config, Introspection, Kind, Origin, Provider, SETTINGS, Setting,
};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::user_flow::UserFlow;
use vestibule::request::Method;
use vestibule::rules::{Access, AmbiguousReading, Condition, Rules};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

#[test]
fn every_vector_is_accepted_or_refused_as_it_says() {
    let mut count = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/config")).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let mut environment = file["base"].clone();
            patch(&mut environment, &case["environment"]);
            let lines = case["expect"].as_array();
            assert!(lines.is_some() || case["expect"] == "accepted", "{}: {}", path.display(), case["name"]);
            let expected: Vec<&str> = lines.into_iter().flatten().map(|line| line.as_str().unwrap()).collect();
            assert_eq!(faults(&environment), expected, "{}: {}", path.display(), case["name"]);
            count += 1;
        }
    }
    assert!(count > 100, "only {count} vectors");
}

#[test]
fn a_text_that_is_no_environment_is_one_fault() {
    for text in ["", "null", "[]", "{}", r#"{"vars": []}"#, r#"{"vars": {}, "bindings": [1]}"#] {
        let faults = Config::parse(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}");
        assert_eq!(faults[0].key(), "environment");
    }
}

#[test]
fn azure_ad_becomes_the_endpoints_of_its_tenant() {
    const MSA: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let upper = TENANT.to_uppercase();
    for (instance, tenant, metadata, issuer) in [
        ("https://login.microsoftonline.com", TENANT, TENANT, IssuerRule::Exact(issuer("com", TENANT))),
        ("https://login.microsoftonline.com/", upper.as_str(), TENANT, IssuerRule::Exact(issuer("com", TENANT))),
        ("https://login.microsoftonline.us/", "common", "common", IssuerRule::Tenanted(issuer("us", "{tenantid}"))),
        ("https://login.microsoftonline.com/", "organizations", "organizations", tenanted()),
        ("https://login.microsoftonline.com/", "consumers", "consumers", IssuerRule::Exact(issuer("com", MSA))),
    ] {
        let in_parts = json!({"vars": {"AzureAd": {"Instance": instance, "TenantId": tenant}}});
        let authority = format!("{}/{tenant}/v2.0", instance.trim_end_matches('/'));
        let in_one = json!({"vars": {"AzureAd": {"Instance": null, "TenantId": null, "Authority": authority}}});
        for change in [in_parts, in_one] {
            let provider = parsed(&azure_ad(&change)).provider;
            let host = instance.trim_end_matches('/');
            let expected = format!("{host}/{metadata}/v2.0/.well-known/openid-configuration");
            assert_eq!(provider.metadata_url.as_str(), expected);
            assert_eq!(provider.issuer, issuer);
            assert!(provider.is_entra);
            assert_eq!(provider.name, "AzureAd");
            assert_eq!(provider.id_token_algorithms, [Algorithm::Rs256]);
            assert!(matches!(provider.credentials[..], [ClientCredential::SecretPost(_)]));
        }
    }
}

#[test]
fn an_authority_of_the_platform_has_its_cloud_and_its_issuer() {
    let at = |base: &str, tenant: &str| format!("{base}/{tenant}/v2.0/.well-known/openid-configuration");
    let external = |tenant: &str| format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0");
    let learned = |templates: &[String]| IssuerRule::Learned(templates.to_vec());
    let (domain, placeholder) = ("contoso.onmicrosoft.com", "{tenantid}");
    let public = "https://login.microsoftonline.com";
    let china = "https://login.partner.microsoftonline.cn";
    let own = "https://login.contoso.com:8443/x";
    for (section, metadata, rule, cloud, is_for_customers) in [
        (
            json!({"TenantId": "Contoso.OnMicrosoft.com"}),
            at(public, domain),
            learned(&[issuer("com", placeholder)]),
            Some(Cloud::Public),
            false,
        ),
        (
            json!({"Domain": domain}),
            at(public, domain),
            learned(&[issuer("com", placeholder)]),
            Some(Cloud::Public),
            false,
        ),
        (
            json!({"Domain": domain, "TenantId": TENANT}),
            at(public, TENANT),
            IssuerRule::Exact(issuer("com", TENANT)),
            Some(Cloud::Public),
            false,
        ),
        (
            json!({"Instance": "https://sts.windows.net/", "TenantId": TENANT}),
            at(public, TENANT),
            IssuerRule::Exact(issuer("com", TENANT)),
            Some(Cloud::Public),
            false,
        ),
        (
            json!({"Authority": "https://login.windows.net/common"}),
            at(public, "common"),
            tenanted(),
            Some(Cloud::Public),
            false,
        ),
        (
            json!({"Instance": "https://login.usgovcloudapi.net", "TenantId": TENANT}),
            at("https://login.microsoftonline.us", TENANT),
            IssuerRule::Exact(issuer("us", TENANT)),
            Some(Cloud::UsGovernment),
            false,
        ),
        (
            json!({"Instance": "https://login.chinacloudapi.cn/", "TenantId": "organizations"}),
            at(china, "organizations"),
            IssuerRule::Tenanted(format!("{china}/{placeholder}/v2.0")),
            Some(Cloud::China),
            false,
        ),
        (
            json!({"Authority": "https://contoso.ciamlogin.com/"}),
            at("https://contoso.ciamlogin.com", domain),
            learned(&[external(placeholder)]),
            Some(Cloud::Public),
            true,
        ),
        (
            json!({"Instance": "https://contoso.ciamlogin.com/"}),
            at("https://contoso.ciamlogin.com", domain),
            learned(&[external(placeholder)]),
            Some(Cloud::Public),
            true,
        ),
        (
            json!({"Instance": "https://contoso.ciamlogin.com/", "TenantId": TENANT}),
            at("https://contoso.ciamlogin.com", TENANT),
            IssuerRule::Exact(external(TENANT)),
            Some(Cloud::Public),
            true,
        ),
        (
            json!({"Authority": format!("{own}/{TENANT}/v2.0")}),
            at(own, TENANT),
            learned(&[format!("{own}/{TENANT}/v2.0"), external(TENANT)]),
            None,
            false,
        ),
        (
            json!({"Instance": own, "TenantId": domain}),
            at(own, domain),
            learned(&[format!("{own}/{placeholder}/v2.0"), external(placeholder)]),
            None,
            false,
        ),
    ] {
        let mut environment = azure_ad(&json!({"vars": {"AzureAd": {"TenantId": null}}}));
        patch(&mut environment["vars"]["AzureAd"], &section);
        let provider = parsed(&environment).provider;
        assert_eq!((provider.metadata_url.as_str(), &provider.issuer), (metadata.as_str(), &rule), "{section}");
        assert_eq!((provider.cloud, provider.is_for_customers), (cloud, is_for_customers), "{section}");
        assert!(provider.is_entra && provider.user_flows.is_none() && !provider.sends_id_token_hint);
    }
}

#[test]
fn a_user_flow_of_azure_ad_b2c_has_an_authority_of_its_own() {
    let section = json!({
        "ResetPasswordPolicyId": "b2c_1_Reset", "EditProfilePolicyId": "B2C_1_edit", "OmitIdTokenHint": "false",
    });
    let at = |policy: &str| {
        format!("https://contoso.b2clogin.com/contoso.onmicrosoft.com/{policy}/v2.0/.well-known/openid-configuration")
    };
    let provider = parsed(&b2c(&json!({"vars": {"AzureAd": section}}))).provider;
    let flows = [UserFlow::SignIn, UserFlow::ResetPassword, UserFlow::EditProfile];
    let urls = flows.map(|flow| provider.metadata_url_of(flow).to_string());
    assert_eq!(urls, ["B2C_1_susi", "b2c_1_Reset", "B2C_1_edit"].map(at));
    assert_eq!(provider.metadata_url.as_str(), urls[0]);
    let issuer = "https://contoso.b2clogin.com/{tenantid}/v2.0/";
    assert_eq!(provider.issuer, IssuerRule::Learned(vec![issuer.to_owned()]));
    assert!(provider.is_entra && provider.is_for_customers && provider.sends_id_token_hint);
    assert_eq!(provider.cloud, Some(Cloud::Public));
    let named = provider.user_flows.as_ref().unwrap();
    assert_eq!(named.named("B2C_1_RESET"), Some(UserFlow::ResetPassword));
    assert_eq!(named.named("B2C_1_other"), None);

    let plain = parsed(&b2c(&json!({"vars": {"AzureAd": {"TenantId": TENANT}}}))).provider;
    assert_eq!(plain.issuer, IssuerRule::Exact(issuer.replace("{tenantid}", TENANT)));
    assert!(plain.policy(UserFlow::ResetPassword).is_none() && !plain.sends_id_token_hint);
    // Nobody asks for one that is not there; the answer would be the sign-in's.
    assert_eq!(plain.metadata_url_of(UserFlow::EditProfile), &plain.metadata_url);
}

#[test]
fn the_section_of_azure_ad_b2c_may_have_its_own_name() {
    let mut environment = b2c(&json!({"vars": {"DownstreamApis": {"Orders": {"Provider": "AzureAdB2C"}}}}));
    let vars = environment["vars"].as_object_mut().unwrap();
    for (name, alias) in [("AzureAd", "AzureAdB2C"), ("AzureAd__ClientSecret", "AzureAdB2C__ClientSecret")] {
        let value = vars.remove(name).unwrap();
        vars.insert(alias.to_owned(), value);
    }
    let provider = parsed(&environment).provider;
    assert_eq!((provider.name.as_str(), provider.label(), provider.idp()), ("AzureAdB2C", None, "aad"));
    assert_eq!(provider.policy(UserFlow::SignIn).unwrap().name, "B2C_1_susi");
}

#[test]
fn the_issuer_of_another_provider_is_kept_byte_for_byte() {
    for (authority, metadata) in [
        ("https://OP.example", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/realms/One/", "https://op.example/realms/One/.well-known/openid-configuration"),
    ] {
        let provider = parsed(&open_id_connect(&json!({"vars": {"OpenIdConnect": {"Authority": authority}}}))).provider;
        assert_eq!(provider.issuer, IssuerRule::Exact(authority.to_owned()));
        assert_eq!(provider.metadata_url.as_str(), metadata);
        assert_eq!(provider.id_token_algorithms, Algorithm::ALL);
        assert!(!provider.is_entra);
        let [ClientCredential::SecretBasic(secret)] = &provider.credentials[..] else { panic!("not the default") };
        assert_eq!(secret.expose(), "SECRET?%G+client ~");
    }
}

#[test]
fn account_objects_are_there_if_they_are_bound() {
    assert!(!parsed(&azure_ad(&json!({}))).has_account_objects);
    assert!(parsed(&azure_ad(&json!({"bindings": ["ACCOUNTS", "TOKEN_CACHE"]}))).has_account_objects);
    assert!(!parsed(&azure_ad(&json!({"bindings": ["accounts", "TOKEN_CACHE"]}))).has_account_objects);
}

#[test]
fn the_capability_is_kept_as_the_wire_has_it() {
    assert_eq!(parsed(&azure_ad(&json!({}))).provider.client_capabilities, [""; 0]);
    for value in [json!("cp1"), json!("CP1"), json!(["Cp1"])] {
        let change = json!({"vars": {"AzureAd": {"ClientCapabilities": value}}});
        assert_eq!(parsed(&azure_ad(&change)).provider.client_capabilities, ["cp1"]);
    }
}

#[test]
fn tenants_are_kept_in_lower_case_and_only_those_are_admitted() {
    const OTHER: &str = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE";
    let change = json!({"vars": {
        "AzureAd": {"TenantId": "common", "AllowedTenants": [TENANT, OTHER], "AppHomeTenantId": OTHER},
        "DownstreamApis": {"Orders": {"AcquireTokenOptions": {"Tenant": OTHER}}},
    }});
    let config = parsed(&azure_ad(&change));
    let (provider, other) = (&config.provider, OTHER.to_lowercase());
    assert_eq!(provider.allowed_tenants, [TENANT, &other]);
    assert_eq!(provider.app_tenant.as_ref(), Some(&other));
    assert_eq!(config.api("Orders").unwrap().tenant, Some(other));
    assert!(provider.admits(Some(TENANT)) && provider.admits(Some(OTHER)));
    for tenant in [None, Some(""), Some("common"), Some(&TENANT[..35]), Some("9188040d-6c67-4c5b-b112-36a304b66dad")] {
        assert!(!provider.admits(tenant), "{tenant:?}");
        assert!(parsed(&azure_ad(&json!({}))).provider.admits(tenant));
    }
}

#[test]
fn the_query_of_an_authority_goes_to_the_authorization_request() {
    let authority = "https://login.microsoftonline.com/common/v2.0?slice=a%26b&a=1";
    let change = json!({"vars": {"AzureAd": {
        "TenantId": null, "Authority": authority, "ExtraQueryParameters": {"c": "2"},
    }}});
    let provider = parsed(&azure_ad(&change)).provider;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(provider.extra_query, [pair("a", "1"), pair("c", "2"), pair("slice", "a&b")]);
    assert_eq!(provider.authority(), "https://login.microsoftonline.com/common/v2.0");
}

#[test]
fn the_graph_preset_fills_in_what_is_not_written() {
    let graph = |instance: &str, api: Value| {
        let vars = json!({"AzureAd": {"Instance": instance, "TenantId": TENANT}, "DownstreamApis": {"Graph": api}});
        parsed(&azure_ad(&json!({ "vars": vars }))).apis.remove(0)
    };
    for (instance, base, resource) in [
        ("https://login.microsoftonline.com/", "https://graph.microsoft.com/v1.0", "https://graph.microsoft.com"),
        ("https://login.microsoftonline.us/", "https://graph.microsoft.us/v1.0", "https://graph.microsoft.us"),
        (
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn/v1.0",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
    ] {
        let api = graph(instance, json!({"Preset": "Graph"}));
        assert_eq!((api.base_url.as_str(), api.scopes, api.rewrites_links), (base, vec!["User.Read".to_owned()], true));
        let api = graph(instance, json!({"Preset": "Graph", "RequestAppToken": true, "RelativePath": "me"}));
        assert_eq!(api.base_url.as_str(), format!("{base}/me"));
        assert_eq!((api.token, api.scopes), (ApiToken::App, vec![format!("{resource}/.default")]));
    }
    let api = graph(
        "https://login.microsoftonline.us/",
        json!({"Preset": "Graph", "BaseUrl": "https://dod-graph.microsoft.us/v1.0"}),
    );
    assert_eq!(api.scopes, ["https://dod-graph.microsoft.us/User.Read"]);
    let written =
        json!({"Preset": "Graph", "BaseUrl": "http://127.0.0.1:1/v1.0", "Scopes": "Mail.Read", "RewriteLinks": false});
    let api = graph("https://login.microsoftonline.com/", written);
    assert_eq!((api.base_url.port(), api.rewrites_links), (Some(1), false));
    assert_eq!(api.scopes, ["Mail.Read"]);
    let plain = json!({"BaseUrl": "https://graph.microsoft.com/v1.0", "Scopes": "User.Read"});
    assert!(!graph("https://login.microsoftonline.com/", plain).rewrites_links);
}

#[test]
fn apis_are_sorted_and_found_by_exact_name() {
    let api = |base: &str, path: &str| json!({"BaseUrl": base, "RelativePath": path, "Scopes": "a b"});
    let config = parsed(&azure_ad(&json!({"vars": {"DownstreamApis": {
        "Orders": api("https://api.example.com/v1/", "/orders/"),
        "Graph": {"BaseUrl": "https://graph.microsoft.com", "Scopes": ["User.Read"]},
    }}})));
    assert_eq!(config.apis.iter().map(|api| api.name.as_str()).collect::<Vec<_>>(), ["Graph", "Orders"]);
    assert_eq!(config.api("Orders").unwrap().base_url.as_str(), "https://api.example.com/v1/orders");
    assert_eq!(config.api("Orders").unwrap().scopes, ["a", "b"]);
    assert_eq!(config.api("Graph").unwrap().base_url.as_str(), "https://graph.microsoft.com/");
    assert!(config.api("orders").is_none());
}

#[test]
fn every_api_of_many_is_found_and_no_other() {
    // In the order of bytes, digits and capitals come before what stands between words, and that before small letters.
    let stems = ["A", "Z", "a0", "aa", "a-b", "a_b", "0", "9z"];
    let names: Vec<_> = (0..13).flat_map(|number| stems.map(|stem| format!("{stem}{number}"))).collect();
    let api = json!({ "BaseUrl": "https://api.example", "Anonymous": true });
    let apis: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), api.clone())).collect();
    let config = parsed(&azure_ad(&json!({ "vars": { "DownstreamApis": apis } })));
    for name in &names {
        assert_eq!(config.api(name).map(|api| &api.name), Some(name));
        assert!(
            config.api(&format!("{name}x")).is_none() && config.api(&name[1..]).is_none_or(|api| api.name == name[1..])
        );
    }
}

#[test]
fn an_api_gets_the_token_that_its_settings_say() {
    let config = parsed(&azure_ad(&json!({"vars": {"DownstreamApis": {
        "Graph": {"BaseUrl": "https://graph.microsoft.com", "RequestAppToken": true, "Scopes": "api://graph/.default"},
        "Mail": {"BaseUrl": "https://graph.microsoft.com", "IncrementalConsent": "true", "Scopes": "Mail.Read"},
        "News": {"BaseUrl": "https://news.example.com", "Anonymous": true},
    }}})));
    let kinds = config.apis.iter().map(|api| (api.name.as_str(), api.token, api.incremental_consent));
    let expected = [
        ("Graph", ApiToken::App, false),
        ("Mail", ApiToken::User, true),
        ("News", ApiToken::None, false),
        ("Orders", ApiToken::User, false),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert_eq!(config.api("Graph").unwrap().scopes, ["api://graph/.default"]);
    assert_eq!(config.api("News").unwrap().scopes, [""; 0]);
}

#[test]
fn extra_parameters_are_sorted_and_header_names_in_lower_case() {
    let config = parsed(&azure_ad(&json!({"vars": {"DownstreamApis": {"Orders": {
        "ExtraHeaderParameters": {"x-trace_id": "a, \"b\"  c=%;", "Accept": "text/csv", "ConsistencyLevel": "eventual"},
        "ExtraQueryParameters": {"b": "1&2=3 \u{e9}", "$top": "5", "A": "x"},
    }}}})));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected =
        [header("accept", "text/csv"), header("consistencylevel", "eventual"), header("x-trace_id", "a, \"b\"  c=%;")];
    assert_eq!(config.apis[0].extra_headers, expected);
    let expected = [header("$top", "5"), header("A", "x"), header("b", "1&2=3 \u{e9}")];
    assert_eq!(config.apis[0].extra_query, expected);
}

#[test]
fn the_origin_is_a_url_or_a_binding_and_what_is_rewritten_is_in_lower_case() {
    let gateway = parsed(&azure_ad(&json!({}))).gateway;
    assert!(matches!(&gateway.origin, Origin::Url(url) if url.as_str() == "https://origin.example.com/"));
    let rewriting = gateway.rewriting;
    assert!(rewriting.rewrite_location && rewriting.strip_path_prefix.is_none());
    assert!(rewriting.request_headers.is_empty() && rewriting.remove_request_headers.is_empty());
    assert!(rewriting.response_headers.is_empty() && rewriting.remove_response_headers.is_empty());
    let change = json!({"bindings": ["APP", "TOKEN_CACHE"], "vars": {"Gateway": {
        "Origin": null, "OriginService": "APP", "StripPathPrefix": "/app",
        "RequestHeaders": {"X-B": "2", "X-A": "1"}, "RemoveRequestHeaders": ["Accept-Language"],
        "ResponseHeaders": {"X-C": "3"}, "RemoveResponseHeaders": "Server X-D",
    }}});
    let gateway = parsed(&azure_ad(&change)).gateway;
    assert_eq!(gateway.origin, Origin::Service("APP".to_owned()));
    let rewriting = gateway.rewriting;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(rewriting.strip_path_prefix.as_deref(), Some("/app"));
    assert_eq!(rewriting.request_headers, [header("x-a", "1"), header("x-b", "2")]);
    assert_eq!(rewriting.remove_request_headers, ["accept-language"]);
    assert_eq!(rewriting.response_headers, [header("x-c", "3")]);
    assert_eq!(rewriting.remove_response_headers, ["server", "x-d"]);
}

#[test]
fn a_rule_is_what_its_table_says() {
    let rules = rules(&json!([{"Path": "/a"}, {
        "Name": "all", "Path": "/Admin/*/**", "Methods": "GET", "Host": "APP.example.com", "Access": "Api",
        "Provider": "AzureAd", "AcrValues": ["c1", "c2"], "MaxAgeSeconds": 600, "Sensitive": true, "AntiForgery": false,
        "CorsOrigins": ["https://spa.example.com"], "TimeoutSeconds": 120, "Hide": true, "Require": {
            "Roles": "Admin", "Groups": ["g 1"], "EmailDomains": "EXAMPLE.com", "Claims": {"tid": "t", "level": [1, "2"]},
            "Present": "oid", "All": [{"Roles": "a"}], "Any": [{"Roles": "b"}, {"Roles": "c"}], "Not": {"Roles": "d"},
        },
    }]));
    let rule = rules.find("app.example.com", Method::Head, "/Admin/x/y").unwrap();
    assert_eq!((rule.name.as_str(), rule.pattern.to_string().as_str()), ("all", "/Admin/*/**"));
    assert_eq!((rule.host.as_deref(), rule.provider.as_deref()), (Some("app.example.com"), Some("AzureAd")));
    assert!(rule.access == Access::Api && rule.is_sensitive && !rule.has_anti_forgery && rule.hides);
    assert_eq!(rule.cors_origins, ["https://spa.example.com"]);
    assert_eq!(rule.timeout.map(|timeout| timeout.as_seconds()), Some(120));
    let step_up = rule.step_up.as_ref().unwrap();
    assert_eq!(step_up.acr_values, ["c1", "c2"]);
    assert_eq!(step_up.max_age.map(|age| age.as_seconds()), Some(600));
    let conditions = rule.require.as_ref().unwrap().conditions();
    let claim = |name: &str, values: Value| Condition::Claim {
        name: name.to_owned(),
        values: values.as_array().unwrap().clone(),
    };
    assert_eq!(conditions[0], claim("roles", json!(["Admin"])));
    assert_eq!(conditions[1], claim("groups", json!(["g 1"])));
    assert_eq!(conditions[2], Condition::EmailDomain(vec!["example.com".to_owned()]));
    assert_eq!(conditions[3], claim("level", json!([1, "2"])));
    assert_eq!(conditions[4], claim("tid", json!(["t"])));
    assert_eq!(conditions[5], Condition::Present(vec!["oid".to_owned()]));
    let Condition::All(all) = &conditions[6] else { panic!("{conditions:?}") };
    assert_eq!(all[0].conditions(), [claim("roles", json!(["a"]))]);
    let Condition::Any(any) = &conditions[7] else { panic!("{conditions:?}") };
    assert_eq!(any[1].conditions(), [claim("roles", json!(["c"]))]);
    let Condition::Not(not) = &conditions[8] else { panic!("{conditions:?}") };
    assert_eq!(not.conditions(), [claim("roles", json!(["d"]))]);
    assert_eq!(conditions.len(), 9);
}

#[test]
fn a_rule_of_a_path_alone_asks_for_a_sign_in_and_nothing_more() {
    let rules = rules(&json!([{"Path": "/a"}, {"Path": "/b", "Access": "Bearer", "Scopes": "x y"}]));
    let rule = rules.find("app.example.com", Method::Other, "/a/").unwrap();
    assert_eq!((rule.name.as_str(), rule.access), ("Routes[0]", Access::Login));
    assert!(rule.methods.is_none() && rule.host.is_none() && rule.provider.is_none() && rule.require.is_none());
    assert!(rule.scopes.is_empty() && rule.step_up.is_none() && rule.cors_origins.is_empty() && rule.timeout.is_none());
    assert!(!rule.is_sensitive && rule.has_anti_forgery && !rule.hides);
    assert_eq!(rules.find("", Method::Get, "/b").unwrap().scopes, ["x", "y"]);
    assert_eq!(rules.find("", Method::Get, "/A").unwrap_err(), AmbiguousReading);
}

#[test]
fn rules_under_the_api_path_are_for_the_apis_alone() {
    let rules = rules(&json!([{"Path": "/**", "Access": "Anonymous"}, {"Path": "/api/Graph/**", "Sensitive": true}]));
    let rule = rules.find_api("", Method::Post, "/api/Graph/me").unwrap();
    assert_eq!((rule.name.as_str(), rule.access, rule.is_sensitive), ("Routes[1]", Access::Api, true));
    assert_eq!(rules.find_api("", Method::Post, "/api/Orders/1").unwrap().access, Access::Api);
    assert_eq!(rules.find("", Method::Post, "/api/Graph/me").unwrap().name, "Routes[0]");
}

#[test]
fn letter_case_is_ignored_where_the_origin_does() {
    let change =
        json!({"vars": {"Gateway": {"IgnorePathCase": true, "Routes": [{"Path": "/Docs", "Access": "Anonymous"}]}}});
    let rules = parsed(&azure_ad(&change)).rules;
    assert_eq!(rules.find("", Method::Get, "/dOCS").unwrap().access, Access::Anonymous);
}

#[test]
fn each_listed_setting_is_accepted_and_its_default_is_what_holds_without_it() {
    for setting in SETTINGS {
        let environment = with_setting(setting, setting.default);
        assert_eq!(faults(&environment), [""; 0], "{}", setting.key);
        if setting.default.is_some() {
            let without = format!("{:?}", parsed(&base_of(setting)));
            assert_eq!(format!("{:?}", parsed(&environment)), without, "the default of {}", setting.key);
        }
    }
}

#[test]
fn a_setting_that_is_not_listed_is_refused() {
    for setting in SETTINGS {
        let mut environment = base_of(setting);
        let key = format!("{}X", setting.key.replace("<Name>", "Orders").replace("[]", "[0]"));
        match key.rsplit_once("Routes[0].") {
            None if key.contains("[0]") => {
                environment["vars"][key.replace(['.', '['], "__").replace(']', "")] = json!("1")
            }
            None => environment["vars"][key.replace('.', "__")] = json!("1"),
            Some((_, name)) => {
                let name = name.replace('.', "/");
                let (table, name) = name.rsplit_once('/').unwrap_or(("", &name));
                let rule = &mut environment["vars"]["Gateway"]["Routes"][0];
                let table = if table.is_empty() { rule } else { &mut rule[table] };
                table[name] = json!("1");
            }
        }
        let lines = faults(&environment);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{key}: is not a known setting")), "{lines:?}");
    }
}

#[test]
fn providers_are_sorted_and_each_has_paths_of_its_own() {
    let named = |authority: &str| json!({"Authority": authority, "ClientId": "c", "DisplayName": "Team A"});
    let config = parsed(&azure_ad(&json!({"vars": {
        "Providers": {"Staff": named("https://staff.example"), "Partners": named("https://partners.example")},
        "Providers__Staff__ClientSecret": "s", "Providers__Partners__ClientSecret": "s",
        "DownstreamApis": {"Orders": {"Provider": "Staff"}, "Own": {"BaseUrl": "https://own.example", "Scopes": "a"}},
    }})));
    let names: Vec<_> = config.providers().map(|provider| (provider.name.as_str(), provider.label())).collect();
    assert_eq!(names, [("AzureAd", None), ("Partners", Some("Partners")), ("Staff", Some("Staff"))]);
    let callbacks: Vec<_> = config.providers().map(|provider| provider.paths.callback.as_str()).collect();
    assert_eq!(callbacks, ["/signin-oidc", "/signin-oidc/Partners", "/signin-oidc/Staff"]);
    assert_eq!(config.providers().map(Provider::idp).collect::<Vec<_>>(), ["aad", "Partners", "Staff"]);
    let shown: Vec<_> = config.providers().map(|provider| provider.display_name.as_str()).collect();
    assert_eq!(shown, ["AzureAd", "Team A", "Team A"]);
    let apis = |provider| config.apis_of(provider).map(|api| api.name.as_str()).collect::<Vec<_>>();
    assert_eq!((apis("AzureAd"), apis("Staff"), apis("Partners")), (vec!["Own"], vec!["Orders"], vec![]));
}

#[test]
fn claim_headers_are_sorted_and_in_lower_case() {
    let gateway = parsed(&azure_ad(&json!({"vars": {"Gateway": {"ClaimHeaders": {
        "X-Shop_User": "sub", "Remote-User": "Preferred.Name",
    }}}})))
    .gateway;
    let pair = |name: &str, claim: &str| (name.to_owned(), claim.to_owned());
    assert_eq!(gateway.claim_headers, [pair("remote-user", "Preferred.Name"), pair("x-shop_user", "sub")]);
}

#[test]
fn an_assertion_is_for_the_origin_unless_the_operator_names_another_audience() {
    let audience =
        |gateway: Value| parsed(&azure_ad(&json!({"vars": {"Gateway": gateway}}))).gateway.assertion_audience;
    assert_eq!(audience(json!({})), None);
    assert_eq!(audience(json!({"OriginAssertionAudience": "urn:shop"})), None);
    let default = audience(json!({"OriginAssertion": true, "Origin": "https://origin.example.com:8443/"}));
    assert_eq!(default.as_deref(), Some("https://origin.example.com:8443"));
    let own = audience(json!({"OriginAssertion": "true", "OriginAssertionAudience": "urn:shop/"}));
    assert_eq!(own.as_deref(), Some("urn:shop/"));
}

#[test]
fn an_operator_is_named_by_the_key_alone() {
    assert!(parsed(&azure_ad(&json!({}))).operator.is_none());
    let operator = parsed(&azure_ad(&json!({"vars": {"Operator__Key": KEY}}))).operator.unwrap();
    assert!(operator.is_named_by(KEY) && operator.is_named_by(KEY.trim_end_matches('=')));
    for credential in
        ["", "=", KEY.get(1..).unwrap(), "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &format!("{KEY} ")]
    {
        assert!(!operator.is_named_by(credential), "{credential}");
    }
    assert!(!format!("{operator:?}").contains("[0, 1"));
}

#[test]
fn access_tokens_of_machine_clients_are_taken_as_the_section_says() {
    assert!(parsed(&azure_ad(&json!({}))).bearer.is_none());
    let with = |bearer: Value| parsed(&azure_ad(&json!({"vars": {"Bearer": bearer}}))).bearer.unwrap();
    let plain = with(json!({"Audiences": "https://app.example.com api://x"}));
    assert_eq!(plain.audiences, ["https://app.example.com", "api://x"]);
    assert_eq!((plain.introspection, plain.introspection_cache.as_seconds()), (Introspection::Off, 30));
    assert_eq!((plain.provider.as_str(), plain.resource_name), ("AzureAd", None));
    let other = |bearer: Value| parsed(&open_id_connect(&json!({"vars": {"Bearer": bearer}}))).bearer.unwrap();
    let full = other(json!({
        "Audiences": ["a"], "Provider": "OpenIdConnect", "Introspection": "Opaque", "IntrospectionCacheSeconds": 0,
        "ResourceName": "Orders & more",
    }));
    assert_eq!((full.introspection, full.introspection_cache.as_seconds()), (Introspection::Opaque, 0));
    assert_eq!((full.provider.as_str(), full.resource_name.as_deref()), ("OpenIdConnect", Some("Orders & more")));
    assert_eq!(other(json!({"Audiences": "a", "Introspection": "Always"})).introspection, Introspection::Always);
}

#[test]
fn debug_output_has_no_secret() {
    let text = format!("{:?}", parsed(&azure_ad(&json!({}))));
    assert!(!text.contains("SECRET"), "{text}");
    assert!(!text.contains("[0, 1, 2, 3"), "{text}");
}

proptest! {
    #[test]
    fn no_fault_repeats_a_value(value in "[!-~]{0,3}q0Z[ -~]{0,3}x9W[!-~\n\u{e9}]{0,40}", is_flat: bool, wrong_case: bool) {
        for setting in SETTINGS {
            let mut environment = base_of(setting);
            let value = match setting.kind {
                Kind::Table => json!({"a": value, "b": [value]}),
                Kind::Tables => json!([{"Roles": value}, {"Claims": {"a": value, "b": [value]}}, value]),
                Kind::Boolean
                | Kind::List
                | Kind::Number
                | Kind::Path
                | Kind::Seconds
                | Kind::Secret
                | Kind::Text
                | Kind::Url => json!(value),
            };
                let is_flat = is_flat && !setting.key.contains("Routes[]");
            set(&mut environment, setting, value, is_flat, wrong_case);
            for line in faults(&environment) {
                prop_assert!(!line.contains("q0Z") && !line.contains("x9W"), "{}", line);
            }
        }
    }

    #[test]
    fn any_environment_is_parsed_or_explained(text in ".{0,60}", name in "[A-Za-z_]{0,20}", number: i64) {
        for value in [json!(text), json!(number), json!([text]), json!({ (text.as_str()): 1 }), Value::Null] {
            let mut environment = azure_ad(&json!({}));
            environment["vars"][name.as_str()] = value;
            if let Err(faults) = Config::parse(&environment.to_string()) {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.is_sorted_by_key(|fault| fault.key().to_owned()));
                prop_assert!(faults.iter().all(|fault| !fault.to_string().contains('\n')));
            }
        }
    }
}

fn tenanted() -> IssuerRule {
    IssuerRule::Tenanted(issuer("com", "{tenantid}"))
}

fn issuer(top_level: &str, tenant: &str) -> String {
    format!("https://login.microsoftonline.{top_level}/{tenant}/v2.0")
}

fn rules(routes: &Value) -> Rules {
    parsed(&with_routes(routes)).rules
}

/// Route rules, some of which may be for access tokens and some sensitive.
fn with_routes(routes: &Value) -> Value {
    let vars = json!({"Gateway": {"Routes": routes}, "Bearer": {"Audiences": "api://orders"}});
    azure_ad(&json!({"vars": vars, "bindings": ["ACCOUNTS", "TOKEN_CACHE"]}))
}

fn parsed(environment: &Value) -> Config {
    Config::parse(&environment.to_string()).unwrap()
}

fn faults(environment: &Value) -> Vec<String> {
    let faults = Config::parse(&environment.to_string()).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

fn azure_ad(change: &Value) -> Value {
    let mut environment = json!({
        "vars": {
            "AzureAd": {"TenantId": TENANT, "ClientId": "client!+ID"},
            "AzureAd__ClientSecret": "SECRET?%G+client ~",
            "DownstreamApis": {"Orders": {"BaseUrl": "https://api.example.com", "Scopes": "a"}},
            "Gateway": {"PublicOrigin": "https://app.example.com", "Origin": "https://origin.example.com"},
            "Session__Key": KEY,
        },
        "bindings": ["TOKEN_CACHE"],
    });
    patch(&mut environment, change);
    environment
}

fn open_id_connect(change: &Value) -> Value {
    let mut environment = azure_ad(&json!({"vars": {
        "AzureAd": null,
        "AzureAd__ClientSecret": null,
        "OpenIdConnect": {"Authority": "https://op.example", "ClientId": "client!+ID"},
        "OpenIdConnect__ClientSecret": "SECRET?%G+client ~",
    }}));
    patch(&mut environment, change);
    environment
}

/// The least environment in which the setting may stand.
fn base_of(setting: &Setting) -> Value {
    let mut environment = section_of(setting);
    if setting.key.ends_with(".ErrorPath") {
        environment["vars"]["Gateway"]["Routes"] = json!([{"Path": "/other", "Access": "Anonymous"}]);
    }
    environment
}

fn section_of(setting: &Setting) -> Value {
    const OF_ENTRA: &[&str] = &["Instance", "TenantId", "Domain", "ClientCapabilities"];
    const OF_MANY: &[&str] = &["AllowedTenants", "AppHomeTenantId"];

    if let Some((section, name)) = setting.key.split_once(".ClientCredentials[].") {
        let environment = match section {
            "AzureAd" => azure_ad(&json!({})),
            "OpenIdConnect" => open_id_connect(&json!({})),
            _ => several("OpenIdConnect", &json!({"Authority": "https://staff.example"})),
        };
        return with_credential(environment, section, name);
    }
    match setting.key.rsplit_once('.').unwrap() {
        ("AzureAd", name) if OF_MANY.contains(&name) => azure_ad(&json!({"vars": {"AzureAd": {"TenantId": "common"}}})),
        ("Providers.<Name>", name) if OF_MANY.contains(&name) => several("AzureAd", &json!({"TenantId": "common"})),
        ("OpenIdConnect", _) => open_id_connect(&json!({})),
        ("Providers.<Name>", name) if name.ends_with("PolicyId") => several("AzureAd", &b2c_section()),
        ("Providers.<Name>", name) if OF_ENTRA.contains(&name) => several("AzureAd", &json!({"TenantId": TENANT})),
        ("Providers.<Name>", _) => several("OpenIdConnect", &json!({"Authority": "https://staff.example"})),
        // Without it, the section itself is a fault.
        ("Bearer", _) => azure_ad(&json!({"vars": {"Bearer": {"Audiences": "api://orders"}}})),
        ("AzureAd", name) if name.ends_with("PolicyId") => b2c(&json!({})),
        _ => match setting.key.split_once("Routes[].") {
            None => azure_ad(&json!({})),
            Some((_, name)) => with_routes(&json!([rule_of(name)])),
        },
    }
}

/// A directory of Azure AD B2C, and an API that it issues tokens for.
fn b2c(change: &Value) -> Value {
    let mut environment = azure_ad(&json!({"vars": {
        "AzureAd": {"TenantId": null},
        "DownstreamApis": {"Orders": {"Scopes": "https://contoso.onmicrosoft.com/orders/read"}},
    }}));
    patch(&mut environment["vars"]["AzureAd"], &b2c_section());
    patch(&mut environment, change);
    environment
}

fn b2c_section() -> Value {
    json!({
        "Instance": "https://contoso.b2clogin.com/", "Domain": "contoso.onmicrosoft.com",
        "SignUpSignInPolicyId": "B2C_1_susi",
    })
}

/// The environment with the least entry in which the setting may stand as the only credential of a provider.
fn with_credential(mut environment: Value, section: &str, name: &str) -> Value {
    let (source, secret) = match name {
        "Base64EncodedValue" | "CertificatePassword" => ("Base64Encoded", Some(("Base64EncodedValue", json!("AAAA")))),
        "Pem" | "KeyId" | "SigningAlgorithm" => ("Pem", Some(("Pem", json!(pem())))),
        "Jwk" => ("Jwk", Some(("Jwk", json!(jwk())))),
        "AssertionService" | "AssertionToken" | "TokenExchangeUrl" | "AssertionUrl" => ("CustomSignedAssertion", None),
        _ => ("ClientSecret", Some(("ClientSecret", json!("SECRET?%G+client ~")))),
    };
    let flat = section.replace("<Name>", "Orders").replace('.', "__");
    environment["vars"].as_object_mut().unwrap().remove(&format!("{flat}__ClientSecret"));
    environment["bindings"].as_array_mut().unwrap().push(json!("ASSERTIONS"));
    let entry = format!("{flat}__ClientCredentials__0");
    environment["vars"][format!("{entry}__SourceType")] = json!(source);
    if let Some((name, value)) = secret {
        environment["vars"][format!("{entry}__{name}")] = value;
    } else {
        environment["vars"][format!("{entry}__AssertionService")] = json!("ASSERTIONS");
    }
    environment
}

/// A key with its certificate.
fn pem() -> String {
    let block =
        |label: &str, der: &[u8]| format!("-----BEGIN {label}-----{}-----END {label}-----", STANDARD.encode(der));
    let certificate = block("CERTIFICATE", include_bytes!("keys/rsa-2048.crt"));
    block("PRIVATE KEY", include_bytes!("keys/rsa-2048.pk8")) + &certificate
}

/// Has the form of one with that certificate: nothing is signed with it.
fn jwk() -> String {
    let pair = RsaKeyPair::from_pkcs8(include_bytes!("keys/rsa-2048.pk8")).unwrap();
    let n = PublicKeyComponents::<Vec<u8>>::from(pair.public()).n;
    let mut jwk = json!({
        "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB",
        "x5c": [STANDARD.encode(include_bytes!("keys/rsa-2048.crt"))],
    });
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        jwk[name] = json!("AQ");
    }
    jwk.to_string()
}

/// A second provider, `Orders`.
fn several(kind: &str, authority: &Value) -> Value {
    let mut environment = azure_ad(&json!({"vars": {
        "Providers": {"Orders": {"Kind": kind, "ClientId": "client!+ID"}},
        "Providers__Orders__ClientSecret": "SECRET?%G+client ~",
    }}));
    patch(&mut environment["vars"]["Providers"]["Orders"], authority);
    environment
}

/// The least rule in which the setting may stand.
fn rule_of(name: &str) -> Value {
    match name {
        "Scopes" => json!({"Path": "/x", "Access": "Bearer"}),
        "Hide" => json!({"Path": "/x", "Require": {"Present": ["oid"]}}),
        _ if name.starts_with("Require.") => json!({"Path": "/x", "Require": {"Present": ["oid"]}}),
        _ => json!({"Path": "/x"}),
    }
}

/// The environment with the setting written out: its default, or something that fits its kind.
fn with_setting(setting: &Setting, default: Option<&str>) -> Value {
    let mut environment = base_of(setting);
    let value = match (setting.key, setting.kind, default) {
        (_, _, Some(default)) => json!(default.replace("<Name>", "Orders")),
        ("DownstreamApis.<Name>.Provider", ..) => json!("AzureAd"),
        ("Providers.<Name>.TenantId", ..) => json!("common"),
        ("Providers.<Name>.OmitIdTokenHint", ..) => json!(true),
        ("AzureAd.Domain" | "Providers.<Name>.Domain", ..) => json!("contoso.onmicrosoft.com"),
        ("Providers.<Name>.ClientCapabilities", ..) => json!("cp1"),
        ("Providers.<Name>.TokenEndpointAuthMethod", ..) => json!("client_secret_post"),
        ("Providers.<Name>.IdTokenSigningAlgorithms", ..) => json!("ES256"),
        ("Providers.<Name>.ClockSkewSeconds", ..) => json!("10"),
        (key, ..) if key.ends_with("[].SourceType") => json!("ClientSecret"),
        (key, ..) if key.ends_with("[].SigningAlgorithm") => json!("RS256"),
        (key, ..) if key.ends_with("[].AssertionService") => json!("ASSERTIONS"),
        (key, ..) if key.ends_with("[].Base64EncodedValue") => json!("AA=="),
        (key, ..) if key.ends_with("[].Pem") => json!(pem()),
        (key, ..) if key.ends_with("[].Jwk") => json!(jwk()),
        ("AzureAd.TenantId", ..) => json!("common"),
        ("AzureAd.Authority", ..) => json!("https://login.microsoftonline.com/common"),
        ("AzureAd.ClientCapabilities", ..) => json!("cp1"),
        (
            "AzureAd.AllowedTenants"
            | "AzureAd.AppHomeTenantId"
            | "Providers.<Name>.AllowedTenants"
            | "Providers.<Name>.AppHomeTenantId"
            | "DownstreamApis.<Name>.AcquireTokenOptions.Tenant",
            ..,
        ) => json!(TENANT),
        ("Bearer.Provider", ..) => json!("AzureAd"),
        ("Session.Key" | "Operator.Key", ..) => json!(KEY),
        ("Session.PreviousKeys", ..) => json!("BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("Gateway.OriginService", ..) => json!("APP"),
        ("Gateway.AlternateOrigins", ..) => json!("https://www.example.com"),
        ("DownstreamApis.<Name>.Preset", ..) => json!("Graph"),
        ("DownstreamApis.<Name>.Resource", ..) => json!("urn:example:orders"),
        ("Gateway.Routes[].Path", ..) => json!("/docs/**"),
        ("Gateway.Routes[].Methods", ..) => json!("GET"),
        ("Gateway.Routes[].Host", ..) => json!("app.example.com"),
        ("Gateway.Routes[].Provider", ..) => json!("AzureAd"),
        ("Gateway.Routes[].Require.EmailDomains", ..) => json!("example.com"),
        ("Gateway.Routes[].Require.Not", ..) => json!({"Roles": "Guest"}),
        ("Gateway.Routes[].CorsOrigins", ..) => json!("https://spa.example.com"),
        (_, Kind::Seconds, _) => json!(60),
        (_, Kind::Table, _) => json!({"slice": "test"}),
        (_, Kind::Tables, _) => json!([{"Roles": "Admin"}]),
        (_, Kind::Url, _) => json!("https://other.example.com"),
        (_, Kind::Path, _) => json!("/other"),
        (_, Kind::Boolean | Kind::List | Kind::Number | Kind::Secret | Kind::Text, _) => json!("other"),
    };
    if setting.key == "AzureAd.Authority" {
        patch(&mut environment, &json!({"vars": {"AzureAd": {"TenantId": null}}}));
    }
    if setting.key == "DownstreamApis.<Name>.Preset" {
        patch(&mut environment, &json!({"vars": {"DownstreamApis": {"Orders": {"BaseUrl": null}}}}));
    }
    if setting.key == "Gateway.OriginService" {
        patch(&mut environment, &json!({"vars": {"Gateway": {"Origin": null}}, "bindings": ["TOKEN_CACHE", "APP"]}));
    }
    let replaced = match setting.key.rsplit_once('.').unwrap().1 {
        // It stands there already in the other form, or what cannot stand beside it.
        "SourceType" => "__SourceType",
        "AssertionService" | "AssertionUrl" => "__AssertionService",
        _ => "__",
    };
    environment["vars"].as_object_mut().unwrap().retain(|name, _| replaced == "__" || !name.ends_with(replaced));
    set(&mut environment, setting, value, setting.kind == Kind::Secret, false);
    environment
}

/// Writes one setting into its table, or in the `Section__Key` form.
fn set(environment: &mut Value, setting: &Setting, value: Value, is_flat: bool, wrong_case: bool) {
    let key = setting.key.replace("<Name>", "Orders");
    let (section, name) = key.rsplit_once('.').unwrap();
    let name = if wrong_case { name.to_lowercase() } else { name.to_owned() };
    let flat = format!("{}__{name}", section.replace('.', "__").replace("[]", "__0"));
    if is_flat {
        environment["vars"][flat] = value;
        return;
    }
    let mut table = &mut environment["vars"];
    for part in section.split('.') {
        table = match part.strip_suffix("[]") {
            None => &mut table[part],
            Some(list) => {
                if table[list].is_null() {
                    table[list] = json!([{}]);
                }
                &mut table[list][0]
            }
        };
        if table.is_null() {
            *table = Value::Object(Map::new());
        }
    }
    table[name] = value;
}

/// RFC 7396 §2.
fn patch(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, value) in change {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            patch(&mut target[name.as_str()], value);
        }
    }
}
