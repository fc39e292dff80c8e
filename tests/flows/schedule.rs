//! Interleavings: futures that run step by step in an order that the test chooses.
//!
//! In a world with pauses every call of the outside takes one step to get there and one to come back; between any two
//! steps another request may run, as in an isolate. A future that waits for another one, such as for a lock, takes no
//! step until it is woken: a wake-up that gets lost is found.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// One of several futures that run at once.
pub(crate) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Pending once.
pub(crate) struct Pause(pub(crate) bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, false) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

/// Runs two futures: while both can go on, each choice says whether the second takes the next step. Once the choices
/// are used up, the first one runs to its end and then the second.
pub(crate) fn interleaved<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    choices: u32,
    count: u32,
) -> (A, B) {
    let (mut first, mut second) = (Steps::of(Box::pin(first)), Steps::of(Box::pin(second)));
    for number in 0..MOST_STEPS {
        let chosen = number < count && choices >> number & 1 == 1;
        if first.can_go_on() && !(chosen && second.can_go_on()) {
            first.step();
        } else if second.can_go_on() {
            second.step();
        } else {
            return (first.value(), second.value());
        }
    }
    panic!("no end after {MOST_STEPS} steps");
}

/// Takes the first steps of a future, or some more, none of which is the last.
pub(crate) fn take_steps(mut future: Pin<&mut impl Future>, count: usize) {
    for step in 0..count {
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "step {step}");
    }
}

/// Runs a future to its end.
pub(crate) fn ended<T>(future: impl Future<Output = T>) -> T {
    all_at_once(vec![Box::pin(future)]).remove(0)
}

/// Runs the tasks in turn, a step each.
pub(crate) fn all_at_once<T>(tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut next = 0;
    run(tasks, |able| {
        let chosen = able.iter().copied().find(|task| *task >= next).unwrap_or(able[0]);
        next = chosen + 1;
        chosen
    })
}

/// Runs the tasks in an order that the seed draws: the same seed, the same order.
pub(crate) fn explored<T>(tasks: Vec<Task<'_, T>>, seed: u64) -> Vec<T> {
    explored_in_time(tasks, seed, |_| ())
}

/// The same, and before each step `tick` is given a number drawn by the same seed, so that it may turn the clock.
pub(crate) fn explored_in_time<T>(tasks: Vec<Task<'_, T>>, seed: u64, mut tick: impl FnMut(u64)) -> Vec<T> {
    let mut chance = Chance(seed);
    run(tasks, |able| {
        tick(chance.draw());
        able[chance.below(able.len())]
    })
}

/// Runs the tasks to their end; of those that can go on, `choose` names the one that takes the next step.
fn run<T>(tasks: Vec<Task<'_, T>>, mut choose: impl FnMut(&[usize]) -> usize) -> Vec<T> {
    let mut all: Vec<_> = tasks.into_iter().map(Steps::of).collect();
    for _ in 0..MOST_STEPS {
        let able: Vec<usize> = (0..all.len()).filter(|number| all[*number].can_go_on()).collect();
        if able.is_empty() {
            return all.into_iter().map(Steps::value).collect();
        }
        all[choose(&able)].step();
    }
    panic!("no end after {MOST_STEPS} steps");
}

/// A task and how far it has got.
struct Steps<'a, T> {
    task: Task<'a, T>,
    woken: Arc<Woken>,
    value: Option<T>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a, T> Steps<'a, T> {
    fn of(task: Task<'a, T>) -> Self {
        Self { task, woken: Arc::new(Woken(AtomicBool::new(true))), value: None }
    }

    fn can_go_on(&self) -> bool {
        self.value.is_none() && self.woken.0.load(Ordering::Relaxed)
    }

    fn step(&mut self) {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        if let Poll::Ready(value) = self.task.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.value = Some(value);
        }
    }

    fn value(self) -> T {
        self.value.expect("a task waits, and nobody is left to wake it")
    }
}

/// A small generator (splitmix64): enough for choices, and for nothing else.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound as u64) as usize
    }
}

const MOST_STEPS: u32 = 50_000;
