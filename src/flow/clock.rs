//! How long requests take that are passed on: counted only where the operator bound a place for that.

use super::{Incoming, log};
use crate::runtime::Runtime;

/// How long a request took that is passed on, where anybody counts that.
pub(in crate::flow) struct Clock(Option<u64>);

impl Clock {
    pub(in crate::flow) fn start<R: Runtime>(incoming: &Incoming<'_, R>) -> Self {
        Self(incoming.app.config.has_metrics.then(|| incoming.runtime.milliseconds()))
    }

    pub(in crate::flow) fn stop<R: Runtime>(self, incoming: &Incoming<'_, R>, status: u16) {
        // What is answered by an account's object has no rule and is no request to anybody behind us.
        let Some((began, _)) = self.0.zip(incoming.rule) else { return };
        let took = incoming.runtime.milliseconds().saturating_sub(began);
        if let Some(point) = log::served(incoming, "later") {
            incoming.runtime.measure(&point.answered(status, took));
        }
    }
}
