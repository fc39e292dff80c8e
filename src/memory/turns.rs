//! One at a time: whoever renews the tokens of a session waits until it is their turn.
//!
//! Only inside an account's object, where all that is under way shares one context of the runtime: in a Worker, one
//! request must not wake another.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::session::session::SessionId;

/// Whose turn it is, for each session that has one.
#[derive(Default)]
pub struct Turns(RefCell<HashMap<SessionId, Vec<Waker>>>);

/// Somebody's turn; over when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    session: SessionId,
}

struct Waiting<'a> {
    turns: &'a Turns,
    session: SessionId,
}

impl Turns {
    /// Waits for the turn of a session.
    pub async fn take(&self, session: SessionId) -> Turn<'_> {
        Waiting { turns: self, session }.await
    }
}

impl<'a> Future for Waiting<'a> {
    type Output = Turn<'a>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn<'a>> {
        let mut turns = self.turns.0.borrow_mut();
        if let Some(waiting) = turns.get_mut(&self.session) {
            waiting.push(context.waker().clone());
            return Poll::Pending;
        }
        turns.insert(self.session, Vec::new());
        Poll::Ready(Turn { turns: self.turns, session: self.session })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // All of them: whoever waited may have given up. They line up again in the order in which they run.
        let waiting = self.turns.0.borrow_mut().remove(&self.session);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_session_has_one_turn_and_others_do_not_wait_for_it() {
        let turns = Turns::default();
        let (ours, other) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let turn = poll(pin!(turns.take(ours))).unwrap();
        let mut second = pin!(turns.take(ours));
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(pin!(turns.take(other))).is_some());
        drop(turn);
        assert!(poll(second).is_some());
        assert!(turns.0.borrow().is_empty());
    }
}
