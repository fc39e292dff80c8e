//! The world: one deployment, its store, its OpenID Provider, what lies behind it, and a clock that the test sets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::Value;
use sha2::{Digest, Sha256};
use vestibule::app::App;
use vestibule::flow::{self, Reply};
use vestibule::forwarding::ForwardPlan;
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::jwks::Jwk;
use vestibule::request::RequestHead;
use vestibule::runtime::{KvListing, OpRequest, OpResponse, Runtime, StoreFault, TransportFault};
use vestibule::time::{Lifetime, Timestamp};

use crate::deployment;
use crate::downstream::Downstream;
use crate::kv::Kv;
use crate::leaks::Emitted;
use crate::op::{Op, keys};
use crate::request::{Received, Request};
use crate::schedule::Pause;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) struct World {
    app: RefCell<Rc<App>>,
    environment: RefCell<Value>,
    clock: Cell<u64>,
    draws: Cell<u64>,
    pub(crate) kv: Kv,
    pub(crate) op: Op,
    pub(crate) downstream: Downstream,
    /// Whether every call of the outside pauses.
    pub(crate) pauses: Cell<bool>,
    pub(crate) emitted: Emitted,
    log: RefCell<Vec<String>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(deployment::environment())
    }

    /// With some variables changed.
    pub(crate) fn with(vars: &Value) -> Self {
        Self::of(deployment::changed(deployment::environment(), vars))
    }

    pub(crate) fn of(environment: Value) -> Self {
        Self {
            app: RefCell::new(app(&environment)),
            environment: RefCell::new(environment),
            clock: Cell::new(NOW),
            draws: Cell::new(0),
            kv: Kv::default(),
            op: Op::new(),
            downstream: Downstream::default(),
            pauses: Cell::new(false),
            emitted: Emitted::default(),
            log: RefCell::default(),
        }
    }

    /// The next requests are served by an isolate that remembers nothing.
    pub(crate) fn new_isolate(&self) {
        let app = app(&self.environment.borrow());
        *self.app.borrow_mut() = app;
    }

    /// The same isolate again, with its memory.
    pub(crate) fn isolate(&self) -> Rc<App> {
        Rc::clone(&self.app.borrow())
    }

    pub(crate) fn resume(&self, isolate: Rc<App>) {
        *self.app.borrow_mut() = isolate;
    }

    /// The operator deploys changed variables.
    pub(crate) fn redeploy(&self, vars: &Value) {
        let changed = deployment::changed(self.environment.borrow().clone(), vars);
        *self.environment.borrow_mut() = changed;
        self.new_isolate();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.set(self.clock.get() + seconds);
    }

    pub(crate) fn time(&self) -> u64 {
        self.clock.get()
    }

    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.borrow().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn has_logged(&self, event: &str) -> bool {
        self.log().iter().any(|line| line["event"] == event)
    }

    /// Serves one request to its end.
    pub(crate) fn serve(&self, request: &Request) -> Received {
        pollster::block_on(self.serving(request))
    }

    pub(crate) async fn serving(&self, request: &Request) -> Received {
        let app = self.isolate();
        let text = request.text();
        let received = match RequestHead::parse(&text) {
            Err(fault) => Received::from_answer(flow::refuse_head(self, fault)),
            Ok(head) => {
                let arrived = self.downstream.count();
                let planned = flow::serve_at_once(&app, self, &head);
                let received = match flow::serve(&app, self, request, &head).await {
                    Reply::Answer(answer) => Received::from_answer(answer),
                    Reply::Forwarded(received) => received,
                };
                if let Some(planned) = planned.filter(|_| !self.pauses.get()) {
                    assert_eq!(self.downstream.count(), arrived + 1, "planned, and not forwarded: {request:?}");
                    assert_same_plan(planned, self.downstream.last().plan);
                }
                received
            }
        };
        self.emitted.to_browser(&received);
        received
    }

    async fn pause(&self) {
        Pause(self.pauses.get()).await;
    }
}

impl Runtime for World {
    type Inbound = Request;
    type Forwarded = Received;

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.get())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        self.draws.set(self.draws.get() + 1);
        let blocks = (0_u64..).flat_map(|block| {
            Sha256::new().chain_update(self.draws.get().to_be_bytes()).chain_update(block.to_be_bytes()).finalize()
        });
        let mut bytes = [0; N];
        bytes.iter_mut().zip(blocks).for_each(|(byte, drawn)| *byte = drawn);
        self.emitted.draw(&bytes);
        bytes
    }

    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault> {
        assert!((1..=14).contains(&timeout.as_seconds()), "no call may take {timeout}");
        self.pause().await;
        self.op.now.set(self.clock.get());
        let answer = self.op.answer(&request);
        self.pause().await;
        answer
    }

    async fn forward(&self, inbound: &Request, plan: &ForwardPlan) -> Result<Received, TransportFault> {
        let received = self.downstream.receive(inbound, plan);
        self.emitted.to_downstream(&self.downstream.last());
        self.pause().await;
        received
    }

    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.pause().await;
        let value = self.kv.get(key, self.now());
        self.pause().await;
        value
    }

    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault> {
        self.pause().await;
        let done = self.kv.put(key, value, metadata, (self.now(), lifetime));
        self.pause().await;
        done
    }

    async fn kv_delete(&self, key: &str) -> Result<(), StoreFault> {
        self.pause().await;
        let done = self.kv.delete(key);
        self.pause().await;
        done
    }

    async fn kv_list(&self, prefix: &str) -> Result<Vec<KvListing>, StoreFault> {
        self.pause().await;
        let listed = self.kv.list(prefix, self.now());
        self.pause().await;
        listed
    }

    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool {
        self.pause().await;
        keys::verifies(key, algorithm, signed_data, signature)
    }

    fn log(&self, line: &str) {
        assert!(!line.contains('\n'), "a log event is one line: {line}");
        self.log.borrow_mut().push(line.to_owned());
        self.emitted.to_log(line);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.emitted.assert_no_secret(&self.op.secrets(), &self.kv.dump());
        }
    }
}

/// Only the seal of a rolled cookie may differ: its nonce is drawn anew.
fn assert_same_plan(mut at_once: ForwardPlan, mut awaited: ForwardPlan) {
    assert_eq!(at_once.answer.set_cookie.len(), awaited.answer.set_cookie.len());
    at_once.answer.set_cookie.clear();
    awaited.answer.set_cookie.clear();
    assert_eq!(at_once, awaited);
}

fn app(environment: &Value) -> Rc<App> {
    let app = App::new(&environment.to_string());
    Rc::new(app.unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<String>())))
}
