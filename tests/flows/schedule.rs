//! Interleavings: futures that run step by step in an order that the test chooses.
//!
//! In a world with pauses every call of the outside takes one step to get there and one to come back; between any two
//! steps another request may run, as in an isolate.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Pending once.
pub(crate) struct Pause(pub(crate) bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, false) { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// Runs two futures: while both are under way, each choice says whether the second takes the next step. Once the choices
/// are used up, the first one runs to its end and then the second.
pub(crate) fn interleaved<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    choices: u32,
    count: u32,
) -> (A, B) {
    let (mut first, mut second) = (Box::pin(first), Box::pin(second));
    let (mut ended_first, mut ended_second) = (None, None);
    let step = Cell::new(0);
    while ended_first.is_none() || ended_second.is_none() {
        let number = step.replace(step.get() + 1);
        let chosen = number < count && choices >> number & 1 == 1;
        if ended_first.is_some() || (chosen && ended_second.is_none()) {
            ended_second = poll(second.as_mut());
        } else {
            ended_first = poll(first.as_mut());
        }
        assert!(step.get() < 1000, "neither ends");
    }
    (ended_first.unwrap(), ended_second.unwrap())
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
