//! The orders in which futures run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::task::{Poll, Waker};

use crate::schedule::{Pause, Task, all_at_once, ended, explored, explored_in_time, interleaved};

/// Notes its name at each of three steps.
async fn notes(name: char, order: &RefCell<String>) -> char {
    for _ in 0..3 {
        order.borrow_mut().push(name);
        Pause(true).await;
    }
    name
}

fn tasks<'a>(names: &str, order: &'a RefCell<String>) -> Vec<Task<'a, char>> {
    names.chars().map(|name| Box::pin(notes(name, order)) as Task<'a, char>).collect()
}

/// A door that is shut until somebody opens it.
#[derive(Default)]
struct Door {
    is_open: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    knocks: Cell<usize>,
}

impl Door {
    async fn pass(&self) {
        poll_fn(|context| {
            self.knocks.set(self.knocks.get() + 1);
            if self.is_open.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    async fn open(&self) {
        for _ in 0..5 {
            Pause(true).await;
        }
        self.is_open.set(true);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_seed_is_an_order_and_the_seeds_make_all_of_them() {
    let order_of = |seed| {
        let order = RefCell::default();
        assert_eq!(explored(tasks("ab", &order), seed), ['a', 'b']);
        order.into_inner()
    };
    assert_eq!(order_of(7), order_of(7));
    let orders: BTreeSet<String> = (0..500).map(order_of).collect();
    assert_eq!(orders.len(), 20, "three of six steps are the first one's: {orders:?}");
}

#[test]
fn all_at_once_is_a_step_each() {
    let order = RefCell::default();
    assert_eq!(all_at_once(tasks("abc", &order)), ['a', 'b', 'c']);
    assert_eq!(order.into_inner(), "abcabcabc");
}

#[test]
fn two_are_interleaved_by_choice_and_then_one_after_the_other() {
    let order = RefCell::default();
    interleaved(notes('a', &order), notes('b', &order), 0b101, 3);
    assert_eq!(order.into_inner(), "babaab");
}

#[test]
fn whoever_waits_takes_no_step_until_it_is_woken() {
    for seed in 0..50 {
        let door = Door::default();
        explored(vec![Box::pin(door.pass()), Box::pin(door.open())], seed);
        assert!(door.knocks.get() <= 2);
    }
    let door = Door::default();
    interleaved(door.pass(), door.open(), 0, 10);
    interleaved(door.open(), door.pass(), u32::MAX, 10);
    all_at_once(vec![Box::pin(door.pass()) as Task<'_, ()>, Box::pin(door.open())]);
}

#[test]
#[should_panic(expected = "nobody is left to wake it")]
fn a_wake_up_that_never_comes_is_found() {
    let order = RefCell::default();
    let asleep: Task<'_, char> = Box::pin(pending());
    all_at_once(tasks("ab", &order).into_iter().chain([asleep]).collect());
}

#[test]
#[should_panic(expected = "no end after")]
fn whoever_never_ends_is_given_up() {
    ended(async {
        loop {
            Pause(true).await;
        }
    });
}

#[test]
fn the_clock_may_be_turned_before_every_step() {
    let order = RefCell::default();
    let ticks = RefCell::new(Vec::new());
    explored_in_time(tasks("ab", &order), 3, |drawn| ticks.borrow_mut().push(drawn));
    assert_eq!(ticks.borrow().len(), 8, "three steps and the end, twice");
    assert_eq!(ticks.borrow().iter().collect::<BTreeSet<_>>().len(), 8);
}
