//! A deployment of some size, an isolate of it, and the decisions that it makes.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use vestibule::answer::Answer;
use vestibule::app::App;
use vestibule::flow::{AtOnce, RefusedAtOnce, Reply, keep, refuse_at_once, serve, serve_at_once, standing, stands};
use vestibule::forwarding::ForwardPlan;
use vestibule::request::RequestHead;

use super::runtime::{NOW, Still};
use super::told::told;
use super::visitor::Visitor;

pub(crate) const PUBLIC: &str = "https://app.example";
pub(crate) const ISSUER: &str = "https://op.example";

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Route rules. The first lets everybody read what is under `/public`, each further one is for a path of its own.
    pub(crate) rules: usize,
    /// Downstream APIs, at least one.
    pub(crate) apis: usize,
    /// Access tokens in the session's entry, one of them for the API that is called.
    pub(crate) tokens: usize,
    /// Cookies of other applications.
    pub(crate) cookies: usize,
}

/// What most deployments have.
pub(crate) const USUAL: Sizes = Sizes { rules: 10, apis: 2, tokens: 2, cookies: 2 };

/// What becomes of a request that waits for nothing.
#[allow(clippy::large_enum_variant, reason = "a box would be an allocation that the Worker does not make")]
pub(crate) enum Outcome {
    /// It is passed on.
    Forwarded(ForwardPlan),
    /// It is answered here.
    Answered(Answer),
}

/// A kind of request.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The head of one, as the runtime hands it over.
    pub(crate) request: fn(&Scene) -> String,
}

/// What is measured wherever something is measured.
pub(crate) const API_CALL: Scenario = Scenario { name: "signed-in API call", request: Scene::api_call };
pub(crate) const PAGE: Scenario = Scenario { name: "origin with identity", request: Scene::page };
pub(crate) const ANONYMOUS: Scenario = Scenario { name: "anonymous", request: Scene::anonymous };
pub(crate) const REFUSED: Scenario = Scenario { name: "401 without a session", request: Scene::refused };

/// One isolate, and somebody whom it knows.
pub(crate) struct Scene {
    pub(crate) app: App,
    pub(crate) sizes: Sizes,
    pub(crate) visitor: Visitor,
}

impl Scene {
    pub(crate) fn of(sizes: Sizes) -> Self {
        let app = App::new(&environment(sizes));
        let app = app.unwrap_or_else(|faults| panic!("{faults:?}"));
        let visitor = Visitor::new(&app, 0, sizes);
        visitor.is_remembered_by(&app);
        Self { app, sizes, visitor }
    }

    fn api_call(&self) -> String {
        self.visitor.script(&api_path(self.sizes))
    }

    fn page(&self) -> String {
        self.visitor.script(&format!("/area{}/page/one?sort=name", self.sizes.rules / 2))
    }

    fn anonymous(&self) -> String {
        Visitor::stranger("/public/about")
    }

    fn refused(&self) -> String {
        Visitor::stranger(&format!("/api/{}/orders", api_name(called(self.sizes))))
    }

    /// Keeps the plan for a request, and tells it as [`standing`] wants it.
    pub(crate) fn kept(&self, text: &str) -> String {
        let told = told(&self.app.config, text);
        let head = RequestHead::parse(text).unwrap_or_else(|fault| panic!("{fault:?}: {text}"));
        let kept = serve_at_once(&self.app, &Still, &head)
            .and_then(|AtOnce { plan, standing }| keep(&self.app, &told, &plan, standing?).map(|kept| kept.place));
        assert!(kept.is_some(), "this plan does not stand: {text}");
        told
    }

    /// From what is told of a request to the plan that stands for it.
    pub(crate) fn standing(&self, told: &str) -> Option<usize> {
        standing(&self.app, NOW, told)
    }

    /// Whether the plan in that place still stands.
    pub(crate) fn stands(&self, place: usize) -> bool {
        stands(&self.app, NOW, place)
    }

    /// From the text of the head to whatever becomes of the request.
    pub(crate) fn decided(&self, text: &str) -> Outcome {
        decided(&self.app, text)
    }
}

/// What becomes of a request, as the Worker's own edge finds it out.
pub(crate) fn decided(app: &App, text: &str) -> Outcome {
    let head = RequestHead::parse(text).unwrap_or_else(|fault| panic!("{fault:?}: {text}"));
    if let Some(AtOnce { plan, .. }) = serve_at_once(app, &Still, &head) {
        return Outcome::Forwarded(plan);
    }
    if let Some(RefusedAtOnce { answer, .. }) = refuse_at_once(app, &Still, &head) {
        return Outcome::Answered(answer);
    }
    let served = pin!(serve(app, &Still, &(), &head));
    match served.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Reply::Answer(answer)) => Outcome::Answered(answer),
        Poll::Ready(Reply::Forwarded(())) | Poll::Pending => panic!("this has to be waited for: {text}"),
    }
}

/// What an API call asks for.
pub(crate) fn api_path(sizes: Sizes) -> String {
    format!("/api/{}/orders/17/lines?top=20", api_name(called(sizes)))
}

/// The name of an API, and the resource that its tokens are for.
fn api_name(number: usize) -> String {
    format!("Api{number:03}")
}

pub(crate) fn resource(number: usize) -> String {
    format!("https://api{number:03}.example/")
}

/// The API that is called, which lies last.
pub(crate) const fn called(sizes: Sizes) -> usize {
    sizes.apis - 1
}

/// The Worker's variables and bindings, as [`App::new`] reads them.
pub(crate) fn environment(sizes: Sizes) -> String {
    let apis = (0..sizes.apis).map(|number| {
        let api = json!({
            "BaseUrl": format!("https://api{number:03}.example/v1"),
            "Scopes": "orders.read orders.write",
            "Resource": resource(number),
        });
        (api_name(number), api)
    });
    json!({
        "vars": {
            "OpenIdConnect": { "Authority": ISSUER, "ClientId": "client" },
            "OpenIdConnect__ClientSecret": "secret",
            "Session__Key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "Gateway": { "PublicOrigin": PUBLIC, "Origin": "https://origin.example", "Routes": routes(sizes.rules) },
            "DownstreamApis": apis.collect::<serde_json::Map<_, _>>(),
        },
        "bindings": ["TOKEN_CACHE", "ACCOUNTS"],
    })
    .to_string()
}

fn routes(count: usize) -> Vec<Value> {
    let public = json!({ "Path": "/public/**", "Access": "Anonymous" });
    let areas = (1..count).map(|number| json!({ "Path": format!("/area{number}/page/*"), "Access": "Login" }));
    std::iter::once(public).chain(areas).take(count).collect()
}
