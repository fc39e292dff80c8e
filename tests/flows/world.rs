//! The world: one deployment, its store, its accounts' objects, its OpenID Provider, what lies behind it, and a clock
//! that the test sets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Map, Value, json};
use vestibule::app::App;
use vestibule::flow::{COMMON_MEMBERS, EVENTS};
use vestibule::measure::Measure;

use crate::accounts::Accounts;
use crate::background::Background;
use crate::deployment;
use crate::downstream::Downstream;
use crate::durability::Durability;
use crate::federation::Federation;
use crate::kv::Kv;
use crate::leaks::Emitted;
use crate::op::Op;
use crate::site::Site;
use crate::standing::Standing;
use crate::standing_refusals::Refusals;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) struct World {
    app: RefCell<Rc<App>>,
    environment: Rc<RefCell<Value>>,
    clock: Cell<u64>,
    draws: Cell<u64>,
    pub(crate) kv: Kv,
    pub(crate) accounts: Accounts,
    pub(crate) background: Background,
    pub(crate) op: Op,
    /// Another OpenID Provider, for deployments that know both.
    pub(crate) staff: Op,
    pub(crate) downstream: Downstream,
    pub(crate) durability: Durability,
    /// Whether every call of the outside pauses.
    pub(crate) pauses: Rc<Cell<bool>>,
    /// The seconds of every sleep so far.
    pub(crate) slept: RefCell<Vec<u64>>,
    /// How often somebody waited for what another request brings.
    pub(crate) waits: Cell<usize>,
    /// And how often nobody woke them.
    pub(crate) waits_in_vain: Cell<usize>,
    /// Whether the clock goes on while the code sleeps.
    pub(crate) sleeping_takes_time: Cell<bool>,
    /// Whether what is decided at once is forwarded without a second look.
    pub(crate) forwards_at_once: Cell<bool>,
    /// Whether the platform signs.
    pub(crate) signs: Cell<bool>,
    /// How often it opened a PFX file.
    pub(crate) files_opened: Cell<usize>,
    /// Who signs assertions that speak for the client.
    pub(crate) federation: Federation,
    pub(crate) emitted: Emitted,
    pub(crate) standing: Standing,
    pub(crate) refusals: Refusals,
    log: RefCell<Vec<String>>,
    points: RefCell<Vec<Measure>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(deployment::environment())
    }

    /// With some variables changed.
    pub(crate) fn with(vars: &Value) -> Self {
        Self::of(deployment::changed(deployment::environment(), vars))
    }

    /// With these route rules.
    pub(crate) fn with_routes(routes: &Value) -> Self {
        Self::with(&json!({ "Gateway": { "Routes": routes } }))
    }

    /// With an object for every account, whatever the test target.
    pub(crate) fn with_accounts() -> Self {
        Self::of(deployment::with_accounts(deployment::environment()))
    }

    /// Without such objects, whatever the test target.
    pub(crate) fn on_kv_alone() -> Self {
        Self::of(deployment::on_kv_alone(deployment::environment()))
    }

    /// With a D1 database in place of Workers KV and no such objects, whatever the test target.
    pub(crate) fn on_database_alone() -> Self {
        Self::of(deployment::on_database_alone(deployment::environment()))
    }

    /// With objects that nothing is kept beside, whatever the test target.
    pub(crate) fn on_objects_alone() -> Self {
        Self::of(deployment::on_objects_alone(deployment::environment()))
    }

    pub(crate) fn of(environment: Value) -> Self {
        let is_database = environment["vars"]["Session"]["TokenCache"] == "D1";
        let app = RefCell::new(deployment::app(&environment));
        let (environment, pauses) = (Rc::new(RefCell::new(environment)), Rc::new(Cell::new(false)));
        let world = Self {
            app,
            accounts: Accounts::new(Rc::clone(&environment), Rc::clone(&pauses)),
            environment,
            clock: Cell::new(NOW),
            draws: Cell::new(0),
            kv: Kv::default(),
            background: Background::default(),
            op: Op::new(),
            staff: Op::at("https://staff.example", "/signin-oidc/Staff"),
            downstream: Downstream::default(),
            durability: Durability::default(),
            pauses,
            slept: RefCell::default(),
            waits: Cell::new(0),
            waits_in_vain: Cell::new(0),
            sleeping_takes_time: Cell::new(false),
            forwards_at_once: Cell::new(false),
            signs: Cell::new(true),
            files_opened: Cell::new(0),
            federation: Federation::default(),
            emitted: Emitted::default(),
            standing: Standing::default(),
            refusals: Refusals::default(),
            log: RefCell::default(),
            points: RefCell::default(),
        };
        world.kv.is_database.set(is_database);
        world
    }

    /// The current isolate, at location 0.
    pub(crate) fn site(&self) -> Site<'_> {
        Site::new(self, self.isolate(), 0)
    }

    /// Another isolate, which remembers nothing, at some location.
    pub(crate) fn isolate_at(&self, location: usize) -> Site<'_> {
        Site::new(self, deployment::app(&self.environment.borrow()), location)
    }

    /// The next requests are served by an isolate that remembers nothing.
    pub(crate) fn new_isolate(&self) {
        let app = deployment::app(&self.environment.borrow());
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
        let environment = self.environment.borrow().clone();
        self.deploy(deployment::changed(environment, vars));
    }

    /// The operator binds the objects.
    pub(crate) fn bind_accounts(&self) {
        let environment = self.environment.borrow().clone();
        self.deploy(deployment::with_accounts(environment));
    }

    /// The operator does without a store beside the objects.
    pub(crate) fn keep_in_objects_alone(&self) {
        let environment = self.environment.borrow().clone();
        self.deploy(deployment::on_objects_alone(environment));
    }

    fn deploy(&self, environment: Value) {
        *self.environment.borrow_mut() = environment;
        self.new_isolate();
        self.accounts.restart_all();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.set(self.clock.get() + seconds);
    }

    pub(crate) fn time(&self) -> u64 {
        self.clock.get()
    }

    /// The number of the next draw from the random source.
    pub(crate) fn draw(&self) -> u64 {
        self.draws.set(self.draws.get() + 1);
        self.draws.get()
    }

    /// Nothing is logged that is not documented.
    pub(crate) fn keep_log(&self, line: &str) {
        let members: Map<String, Value> = serde_json::from_str(line).unwrap();
        let event = EVENTS.iter().find(|event| members["event"] == event.name);
        let event = event.unwrap_or_else(|| panic!("no known event: {line}"));
        for (name, value) in &members {
            let name = name.as_str();
            assert!(COMMON_MEMBERS.contains(&name) || event.members.contains(&name), "{name} is undocumented: {line}");
            assert!(!value.is_null(), "{name} says nothing: {line}");
        }
        self.log.borrow_mut().push(line.to_owned());
        self.emitted.to_log(line);
    }

    /// Does something of which nothing remains: no line, no point, and nothing is drawn.
    pub(crate) fn without_trace<T>(&self, work: impl FnOnce() -> T) -> T {
        let (lines, points, draws) = (self.log.borrow().len(), self.points.borrow().len(), self.draws.get());
        let result = work();
        self.log.borrow_mut().truncate(lines);
        self.points.borrow_mut().truncate(points);
        self.draws.set(draws);
        result
    }

    pub(crate) fn keep_point(&self, point: &Measure) {
        self.points.borrow_mut().push(point.clone());
        self.emitted.to_log(&point.lines());
    }

    /// What was counted, in the order of `BLOBS`, and how long it took.
    pub(crate) fn points(&self) -> Vec<Measure> {
        self.points.borrow().clone()
    }

    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.borrow().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last line about that event.
    pub(crate) fn logged(&self, event: &str) -> Value {
        self.log().into_iter().rfind(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event}"))
    }

    pub(crate) fn has_logged(&self, event: &str) -> bool {
        self.log().iter().any(|line| line["event"] == event)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let stored = [self.kv.dump(), self.accounts.dump()].concat();
            self.emitted.assert_no_secret(
                &[self.op.secrets(), self.staff.secrets(), self.federation.secrets()].concat(),
                &stored,
            );
        }
    }
}
