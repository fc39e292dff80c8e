//! One at a time: whoever renews the tokens of a session waits until it is their turn.
//!
//! Only inside an account's object, where all that is under way shares one context of the runtime: in a Worker, one
//! request must not wake another. The platform may end an object, and with it all that is under way there, without a
//! word to the isolate: whoever had the turn then never gives it back, so a later life of the object takes it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::session::session::SessionId;

/// Whose turn it is, for each session that has one.
#[derive(Default)]
pub struct Turns(RefCell<HashMap<SessionId, Line>>);

/// Who waits for the turn of a session in one life of its object.
struct Line {
    life: u64,
    waiting: Vec<Waker>,
}

/// Somebody's turn; over when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    session: SessionId,
    life: u64,
}

struct Waiting<'a> {
    turns: &'a Turns,
    session: SessionId,
    life: u64,
}

impl Turns {
    /// Waits for the turn of a session, in that life of its object: see [`AccountStorage::life`].
    ///
    /// [`AccountStorage::life`]: crate::runtime::AccountStorage::life
    pub async fn take(&self, session: SessionId, life: u64) -> Turn<'_> {
        Waiting { turns: self, session, life }.await
    }
}

impl<'a> Future for Waiting<'a> {
    type Output = Turn<'a>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn<'a>> {
        let &Waiting { turns, session, life } = self.into_ref().get_ref();
        let mut lines = turns.0.borrow_mut();
        if let Some(line) = lines.get_mut(&session).filter(|line| line.life >= life) {
            line.waiting.push(context.waker().clone());
            return Poll::Pending;
        }
        // Nobody of an earlier life is woken: nothing of it goes on.
        lines.insert(session, Line { life, waiting: Vec::new() });
        Poll::Ready(Turn { turns, session, life })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut lines = self.turns.0.borrow_mut();
        if lines.get(&self.session).is_none_or(|line| line.life != self.life) {
            return;
        }
        let line = lines.remove(&self.session);
        drop(lines);
        // All of them: whoever waited may have given up. They line up again in the order in which they run.
        line.into_iter().flat_map(|line| line.waiting).for_each(Waker::wake);
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
        let turn = poll(pin!(turns.take(ours, 1))).unwrap();
        let mut second = pin!(turns.take(ours, 1));
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(pin!(turns.take(other, 1))).is_some());
        drop(turn);
        assert!(poll(second).is_some());
        assert!(turns.0.borrow().is_empty());
    }

    #[test]
    fn a_later_life_of_an_object_waits_for_no_turn_of_an_earlier_one() {
        let turns = Turns::default();
        let session = SessionId::from_bytes([1; 16]);
        let lost = poll(pin!(turns.take(session, 1))).unwrap();
        let turn = poll(pin!(turns.take(session, 2))).unwrap();
        let mut second = pin!(turns.take(session, 2));
        drop(lost);
        assert!(poll(second.as_mut()).is_none());
        drop(turn);
        assert!(poll(second).is_some());
    }
}
