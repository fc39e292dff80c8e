//! The accounts' objects and what happens to them.

use std::future::pending;
use std::rc::Rc;

use vestibule::runtime::{AccountStorage, Runtime, StoreFault, StoredSession};
use vestibule::session::session::SessionId;
use vestibule::time::{Lifetime, Timestamp};

use crate::accounts::Object;
use crate::schedule::{all_at_once, ended};
use crate::world::{NOW, World};

const FIRST: SessionId = SessionId::from_bytes([1; 16]);
const SECOND: SessionId = SessionId::from_bytes([2; 16]);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

fn session(issued: u64, expires: u64) -> StoredSession {
    StoredSession {
        issued_at: at(issued),
        expires_at: at(expires),
        revision: 1,
        entry: Some(b"sealed".to_vec()),
        metadata: "{}".to_owned(),
    }
}

fn object(world: &World) -> Rc<Object> {
    world.accounts.reach("ada", 4).unwrap()
}

/// Writes a session and waits until it is durable.
async fn writes(object: &Object) -> Result<(), StoreFault> {
    object.storage.put_session(FIRST, &session(0, 100))?;
    object.storage.flush().await
}

fn run_to_write(world: &World, object: &Object) -> Result<(), StoreFault> {
    ended(object.run(&world.accounts, Box::pin(writes(object)))).and_then(|written| written)
}

#[test]
fn one_name_is_one_object_from_everywhere() {
    let world = World::with_accounts();
    let first = object(&world);
    let again = world.accounts.reach("ada", 5).unwrap();
    assert!(Rc::ptr_eq(&first, &again) && Rc::ptr_eq(&first.app(), &again.app()));
    assert_eq!(first.location, 4);
    let _ = ended(world.isolate_at(1).call_account("bob", ""));
    assert_eq!(world.accounts.called(), ["ada", "ada", "bob"]);
    assert_eq!((world.accounts.calls(), world.accounts.names()), (3, vec!["ada".to_owned(), "bob".to_owned()]));
    assert!(world.site().storage().is_none());
}

#[test]
#[should_panic(expected = "no binding")]
fn without_the_binding_nobody_calls_an_object() {
    let _ = ended(World::on_kv_alone().site().call_account("ada", ""));
}

#[test]
fn the_watermark_never_moves_back_and_takes_earlier_sessions_along() {
    let world = World::with_accounts();
    let object = object(&world);
    let storage = &object.storage;
    storage.put_session(FIRST, &session(10, 100)).unwrap();
    storage.put_session(SECOND, &session(11, 90)).unwrap();
    storage.end_until(at(10)).unwrap();
    storage.end_until(at(5)).unwrap();
    assert_eq!(storage.valid_after().unwrap(), Some(at(10)));
    assert_eq!((storage.session(FIRST).unwrap(), storage.session(SECOND).unwrap()), (None, Some(session(11, 90))));
    let expire = |now| storage.expire(at(now), Lifetime::from_seconds(1000)).unwrap();
    assert_eq!((expire(89), expire(90), expire(1009)), (Some(at(90)), Some(at(1010)), Some(at(1010))));
    assert_eq!((expire(1010), storage.valid_after().unwrap()), (None, None));
    assert_eq!(world.accounts.sessions("ada"), []);
}

#[test]
fn a_crash_loses_what_is_not_durable_and_all_memory() {
    let world = World::with_accounts();
    let object = object(&world);
    let before = object.app();
    world.accounts.crash_before_flush.set(true);
    assert_eq!(run_to_write(&world, &object), Err(StoreFault::Account));
    assert_eq!(world.accounts.sessions("ada"), []);
    assert!(!Rc::ptr_eq(&before, &object.app()));
    world.accounts.crash_after_flush.set(true);
    assert_eq!(run_to_write(&world, &object), Err(StoreFault::Account));
    assert_eq!(world.accounts.sessions("ada"), [(FIRST, session(0, 100))]);
    assert_eq!(run_to_write(&world, &object), Ok(()));
    object.storage.put_session(SECOND, &session(0, 100)).unwrap();
    world.accounts.restart_all();
    assert_eq!(world.accounts.sessions("ada").len(), 1);
}

#[test]
fn a_crash_ends_everything_that_runs_in_the_object() {
    let world = World::with_accounts();
    let object = object(&world);
    world.accounts.crash_after_flush.set(true);
    let waits = object.run(&world.accounts, Box::pin(pending()));
    let crashes = object.run(&world.accounts, Box::pin(writes(&object)));
    assert_eq!(all_at_once(vec![Box::pin(waits), Box::pin(crashes)]), [const { Err(StoreFault::Account) }; 2]);
}

#[test]
fn a_reply_that_gets_lost_leaves_what_was_written() {
    for crashes in [false, true] {
        let world = World::with_accounts();
        let object = object(&world);
        let before = object.app();
        object.storage.put_session(FIRST, &session(0, 100)).unwrap();
        world.accounts.crash_before_reply.set(crashes);
        world.accounts.lose_reply.set(!crashes);
        assert_eq!(ended(world.site().call_account("ada", "")), Err(StoreFault::Account));
        assert!(ended(world.site().call_account("ada", "")).is_ok(), "it happens once");
        assert_eq!(world.accounts.sessions("ada").len(), 1);
        assert_eq!(Rc::ptr_eq(&before, &object.app()), !crashes);
    }
}

#[test]
fn objects_and_their_storage_fail_on_demand() {
    let world = World::with_accounts();
    let object = object(&world);
    world.accounts.storage_fails.set(true);
    assert_eq!(run_to_write(&world, &object), Err(StoreFault::Account));
    assert_eq!(object.storage.valid_after(), Err(StoreFault::Account));
    world.accounts.storage_fails.set(false);
    world.accounts.is_down.set(true);
    assert_eq!(ended(world.site().call_account("ada", "")), Err(StoreFault::Account));
}

#[test]
fn the_earliest_alarm_counts_and_goes_off_once_its_time_has_come() {
    let world = World::with_accounts();
    let object = object(&world);
    for seconds in [100, 50, 70] {
        object.storage.wake_at(at(seconds)).unwrap();
    }
    world.advance(49);
    world.fire_alarms();
    assert_eq!(world.accounts.alarm("ada"), Some(at(50)));
    world.advance(1);
    world.fire_alarms();
    assert_eq!(world.accounts.alarm("ada"), None);
}

#[test]
#[should_panic(expected = "at-1")]
fn the_search_for_secrets_covers_what_the_objects_store() {
    let world = World::with_accounts();
    world.op.remember_secret("at-1");
    let entry = Some(b"in the clear: at-1".to_vec());
    object(&world).storage.put_session(FIRST, &StoredSession { entry, ..session(0, 100) }).unwrap();
}
