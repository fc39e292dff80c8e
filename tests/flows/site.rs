//! The runtime as the code under test sees it: an isolate at a location, or inside an account's object.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use sha2::{Digest, Sha256};
use vestibule::app::App;
use vestibule::flow;
use vestibule::forwarding::ForwardPlan;
use vestibule::measure::Measure;
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::client_key::ClientKey;
use vestibule::oidc::jwks::Jwk;
use vestibule::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use vestibule::runtime::{KvPage, OpRequest, OpResponse, Runtime, StoreFault, Task, TransportFault, Wake};
use vestibule::session::session::SessionId;
use vestibule::session::signing_key::{PublicPoint, SigningKey};
use vestibule::time::{Lifetime, Timestamp};

use crate::accounts::Object;
use crate::background::Job;
use crate::kv::{At, Stored};
use crate::op::keys;
use crate::request::{Received, Request};
use crate::schedule::Pause;
use crate::signing;
use crate::storage::Storage;
use crate::world::World;

/// After so many turns of others, those who wait for one of them have waited for as long as they will.
const MOST_TURNS: usize = 800;

#[derive(Clone)]
pub(crate) struct Site<'w> {
    pub(crate) world: &'w World,
    pub(crate) isolate: Rc<App>,
    location: usize,
    object: Option<Rc<Object>>,
    /// What deciding at once asked to have done later, while it does so and afterwards: deciding the same request a
    /// second time asks for the same again.
    pub(crate) is_planning: Cell<bool>,
    planned: RefCell<Vec<String>>,
}

impl<'w> Site<'w> {
    pub(crate) fn new(world: &'w World, isolate: Rc<App>, location: usize) -> Self {
        Self { world, isolate, location, object: None, is_planning: Cell::new(false), planned: RefCell::default() }
    }

    /// Inside an object, which has its own memory.
    pub(crate) fn inside(world: &'w World, object: &Rc<Object>) -> Self {
        Self { object: Some(Rc::clone(object)), ..Self::new(world, object.app(), object.location) }
    }

    /// Where the job was asked for.
    pub(crate) fn of_job(world: &'w World, job: &Job) -> Self {
        let object = job.object.as_ref().map(|(object, _)| Rc::clone(object));
        Self { object, ..Self::new(world, Rc::clone(&job.isolate), job.location) }
    }

    pub(crate) fn location(&self) -> usize {
        self.location
    }

    fn at(&self) -> At {
        At { location: self.location, now: self.now() }
    }

    async fn pause(&self) {
        Pause(self.world.pauses.get()).await;
    }

    async fn call(&self, name: &str, request: &str) -> Result<String, StoreFault> {
        let accounts = &self.world.accounts;
        let object = accounts.reach(name, self.location)?;
        let inside = Site::inside(self.world, &object);
        let request = accounts.delivered(request);
        let work = Box::pin(flow::serve_account(&inside.isolate, &inside, &request));
        let reply = object.run(accounts, work).await?;
        accounts.reply(&object, reply)
    }
}

impl Runtime for Site<'_> {
    type Inbound = Request;
    type Forwarded = Received;
    type Storage = Storage;

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.world.time())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let draw = self.world.draw();
        let blocks = (0_u64..).flat_map(|block| {
            Sha256::new().chain_update(draw.to_be_bytes()).chain_update(block.to_be_bytes()).finalize()
        });
        let mut bytes = [0; N];
        bytes.iter_mut().zip(blocks).for_each(|(byte, drawn)| *byte = drawn);
        self.world.emitted.draw(&bytes);
        bytes
    }

    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault> {
        assert!((1..=14).contains(&timeout.as_seconds()), "no call may take {timeout}");
        self.pause().await;
        let world = self.world;
        if is_at(&request, "assertions.example") {
            return world.federation.answer(None, &request);
        }
        let is_staff = is_at(&request, "staff.example");
        let op = if is_staff { &world.staff } else { &world.op };
        op.now.set(world.time());
        let answer = op.answer(&request);
        self.world.note_tokens();
        self.pause().await;
        answer
    }

    async fn call_service(
        &self,
        service: &str,
        request: OpRequest,
        timeout: Lifetime,
    ) -> Result<OpResponse, TransportFault> {
        assert!((1..=14).contains(&timeout.as_seconds()), "no call may take {timeout}");
        self.pause().await;
        let answer = self.world.federation.answer(Some(service), &request);
        self.pause().await;
        answer
    }

    async fn forward(&self, inbound: &Request, plan: &ForwardPlan) -> Result<Received, TransportFault> {
        self.world.assert_durable(plan);
        let received = self.world.downstream.receive(inbound, plan);
        self.world.emitted.to_downstream(&self.world.downstream.last());
        self.pause().await;
        received
    }

    fn status(&self, answer: &Received) -> u16 {
        answer.status
    }

    fn answer_header(&self, answer: &Received, name: &str) -> Option<String> {
        let values: Vec<&str> = answer.all(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn discard(&self, answer: Received) {
        self.world.downstream.discard(&answer);
    }

    async fn call_account(&self, name: &str, request: &str) -> Result<String, StoreFault> {
        self.pause().await;
        let reply = self.call(name, request).await;
        self.pause().await;
        reply
    }

    /// The body is what the object says on the WebSocket at once.
    async fn watch(&self, object: &str, session: SessionId) -> Result<Received, StoreFault> {
        self.pause().await;
        let object = self.world.accounts.reach(object, self.location)?;
        let mut sessions = object.storage.sessions().into_iter();
        let goes_on = sessions.any(|(id, stored)| id == session && stored.entry.is_some());
        let body = if goes_on { "" } else { "signed out" }.to_owned();
        Ok(Received { status: 101, headers: Vec::new(), body, is_forwarded: true })
    }

    fn storage(&self) -> Option<&Storage> {
        self.object.as_ref().map(|object| &object.storage)
    }

    fn later(&self, task: Task) {
        let text = format!("{task:?}");
        let mut planned = self.planned.borrow_mut();
        if self.is_planning.get() {
            planned.push(text);
        } else if let Some(same) = planned.iter().position(|earlier| *earlier == text) {
            planned.remove(same);
            return;
        }
        let object = self.object.as_ref().map(|object| (Rc::clone(object), object.life()));
        let job = Job { isolate: Rc::clone(&self.isolate), location: self.location, object, task };
        self.world.background.add(job);
    }

    async fn sleep(&self, lifetime: Lifetime) {
        let end = self.now() + lifetime;
        self.world.slept.borrow_mut().push(lifetime.as_seconds());
        self.pause().await;
        if self.world.sleeping_takes_time.get() {
            self.world.advance(end.since(self.now()).as_seconds());
        }
    }

    async fn wait(&self, longest: Lifetime, until: impl FnOnce(Wake)) {
        let end = self.now() + longest;
        self.world.waits.set(self.world.waits.get() + 1);
        let is_over = Rc::new(Cell::new(false));
        let wake = Rc::clone(&is_over);
        until(Box::new(move || wake.set(true)));
        // Only others can bring what is waited for, so they must have their turn.
        for _ in 0..MOST_TURNS {
            Pause(true).await;
            if is_over.get() {
                return;
            }
        }
        self.world.waits_in_vain.set(self.world.waits_in_vain.get() + 1);
        self.world.advance(end.since(self.now()).as_seconds());
    }

    async fn read_body(&self, inbound: &Request, limit: usize) -> Option<Vec<u8>> {
        self.pause().await;
        inbound.body.clone().filter(|body| body.len() <= limit).map(String::into_bytes)
    }

    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.pause().await;
        let value = self.world.kv.get(self.at(), key);
        self.pause().await;
        value
    }

    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault> {
        self.pause().await;
        let expires_at = self.now() + lifetime;
        let stored = Stored { value: value.to_vec(), metadata: metadata.to_owned(), expires_at };
        let done = self.world.kv.put(self.at(), key, stored);
        self.pause().await;
        done
    }

    async fn kv_replace(
        &self,
        key: &str,
        value: &[u8],
        metadata: &str,
        lifetime: Lifetime,
    ) -> Result<bool, StoreFault> {
        self.pause().await;
        let expires_at = self.now() + lifetime;
        let stored = Stored { value: value.to_vec(), metadata: metadata.to_owned(), expires_at };
        let done = self.world.kv.replace(self.at(), key, stored);
        self.pause().await;
        done
    }

    async fn kv_delete(&self, keys: &[&str]) -> Result<(), StoreFault> {
        self.pause().await;
        assert!(keys.len() == 1 || self.world.kv.is_database.get(), "Workers KV deletes one value at a time: {keys:?}");
        let done = self.world.kv.delete_all(self.at(), keys);
        self.pause().await;
        done
    }

    async fn kv_list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, StoreFault> {
        self.pause().await;
        let listed = self.world.kv.list(self.at(), prefix, cursor);
        self.pause().await;
        listed
    }

    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool {
        self.pause().await;
        keys::verifies(key, algorithm, signed_data, signature)
    }

    async fn sign(&self, key: &SigningKey, data: &[u8]) -> Option<Vec<u8>> {
        self.pause().await;
        self.world.signs.get().then(|| signing::sign(key, data))
    }

    async fn sign_as_client(&self, _name: &str, key: &ClientKey, data: &[u8]) -> Option<Vec<u8>> {
        self.pause().await;
        self.world.signs.get().then(|| signing::sign_as_client(key, data))
    }

    async fn open_pfx(&self, pfx: &Pfx) -> Result<OpenedPfx, PfxFault> {
        self.pause().await;
        self.world.files_opened.set(self.world.files_opened.get() + 1);
        signing::open_pfx(pfx)
    }

    async fn public_point(&self, key: &SigningKey) -> Option<PublicPoint> {
        self.pause().await;
        self.world.signs.get().then(|| signing::public_point(key))
    }

    fn log(&self, line: &str) {
        assert!(!line.contains('\n'), "a log event is one line: {line}");
        self.world.keep_log(line);
    }

    fn measure(&self, point: &Measure) {
        self.world.keep_point(point);
    }

    fn milliseconds(&self) -> u64 {
        self.world.time() * 1000
    }
}

fn is_at(request: &OpRequest, host: &str) -> bool {
    url::Url::parse(&request.url).unwrap().host_str() == Some(host)
}
