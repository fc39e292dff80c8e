//! What the operator configured: environments for the worlds, with hostile characters wherever they are allowed.

use std::rc::Rc;

use serde_json::{Value, json};
use vestibule::app::App;

pub(crate) const PUBLIC: &str = "https://app.example";
pub(crate) const ORIGIN: &str = "http://127.0.0.1:8080";
pub(crate) const CLIENT_ID: &str = "client!+ID";
pub(crate) const CLIENT_SECRET: &str = "SECRET?%Gclient&=+ x";
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const OTHER_KEY: &str = "HxsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQAfHh0=";

pub(crate) const BILLING: &str = "https://billing.example/v1";
pub(crate) const ORDERS: &str = "https://orders.example/base/v2";
pub(crate) const BILLING_RESOURCE: &str = "https://billing.example/?r=1";
pub(crate) const ORDERS_RESOURCE: &str = "urn:orders";

/// An OpenID Provider, two APIs with resources of their own, and an origin.
pub(crate) fn environment() -> Value {
    let environment = json!({
        "vars": {
            "OpenIdConnect": { "Authority": "https://op.example", "ClientId": CLIENT_ID },
            "OpenIdConnect__ClientSecret": CLIENT_SECRET,
            "Session__Key": KEY,
            "Gateway": { "PublicOrigin": PUBLIC, "Origin": ORIGIN },
            "DownstreamApis": {
                "Billing": { "BaseUrl": BILLING, "Scopes": ["billing.read"], "Resource": BILLING_RESOURCE },
                "Orders": {
                    "BaseUrl": ORDERS, "Scopes": "orders.read orders.write", "Resource": ORDERS_RESOURCE,
                },
            },
        },
        "bindings": ["TOKEN_CACHE"],
    });
    if crate::WITH_ACCOUNTS { with_accounts(environment) } else { environment }
}

/// The same behind the Microsoft identity platform, for every tenant.
pub(crate) fn microsoft() -> Value {
    let mut environment = environment();
    let vars = environment["vars"].as_object_mut().unwrap();
    vars.remove("OpenIdConnect");
    vars.remove("OpenIdConnect__ClientSecret");
    vars.insert(
        "AzureAd".to_owned(),
        json!({ "Instance": "https://login.microsoftonline.com/", "TenantId": "common", "ClientId": CLIENT_ID }),
    );
    vars.insert("AzureAd__ClientSecret".to_owned(), CLIENT_SECRET.into());
    for api in ["Billing", "Orders"] {
        vars["DownstreamApis"][api].as_object_mut().unwrap().remove("Resource");
    }
    environment
}

/// Two OpenID Providers, and an API that takes tokens of the second.
pub(crate) fn two_providers() -> Value {
    changed(
        environment(),
        &json!({
            "Providers": { "Staff": { "Authority": "https://staff.example", "ClientId": CLIENT_ID, "DisplayName": "<Staff> & co" } },
            "Providers__Staff__ClientSecret": CLIENT_SECRET,
            "DownstreamApis": { "Orders": { "Provider": "Staff" } },
        }),
    )
}

/// The environment with an object for every account.
pub(crate) fn with_accounts(mut environment: Value) -> Value {
    environment["bindings"] = json!(["TOKEN_CACHE", "ACCOUNTS"]);
    environment
}

/// The environment with Workers KV and nothing else.
pub(crate) fn on_kv_alone(mut environment: Value) -> Value {
    environment["bindings"] = json!(["TOKEN_CACHE"]);
    environment
}

/// The environment with a D1 database and nothing else.
pub(crate) fn on_database_alone(mut environment: Value) -> Value {
    environment["bindings"] = json!(["TOKEN_CACHE_DB"]);
    changed(environment, &json!({ "Session": { "TokenCache": "D1" } }))
}

/// The environment with an object for every account and nothing else.
pub(crate) fn on_objects_alone(mut environment: Value) -> Value {
    environment["bindings"] = json!(["ACCOUNTS"]);
    changed(environment, &json!({ "Session": { "TokenCache": "DurableObject" } }))
}

/// The environment with a dataset to count in.
pub(crate) fn with_metrics(mut environment: Value) -> Value {
    environment["bindings"].as_array_mut().unwrap().push(json!("METRICS"));
    environment
}

/// An isolate of the deployment, with nothing in its memory.
pub(crate) fn app(environment: &Value) -> Rc<App> {
    let app = App::new(&environment.to_string());
    Rc::new(app.unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<String>())))
}

/// The environment with some variables changed (RFC 7396).
pub(crate) fn changed(mut environment: Value, vars: &Value) -> Value {
    merge(&mut environment["vars"], vars);
    environment
}

/// A JSON merge patch.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let members = target.as_object_mut().unwrap();
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}
