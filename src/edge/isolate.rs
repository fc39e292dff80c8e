//! What an isolate has once: the application. A deployment never changes while an isolate lives.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::app::App;
use crate::config::ConfigFault;

/// What there is to deploy, or what is wrong with it.
pub(super) type Read = Result<App, Vec<ConfigFault>>;

thread_local! {
    static READ: Cell<Option<Read>> = const { Cell::new(None) };
    static APP: OnceCell<Option<Rc<App>>> = const { OnceCell::new() };
}

/// Keeps what was read before there was a request.
pub(super) fn keep(read: Read) {
    READ.set(Some(read));
}

/// What was read before there was a request, once.
pub(super) fn take_read() -> Option<Read> {
    READ.take()
}

/// The application, deployed by the first call; none if no configuration can serve.
pub(super) fn app_or_deploy(deploy: impl FnOnce() -> Option<Rc<App>>) -> Option<Rc<App>> {
    APP.with(|app| app.get_or_init(deploy).clone())
}

/// The application, if it is deployed.
pub(super) fn app() -> Option<Rc<App>> {
    APP.with(|app| app.get().cloned().flatten())
}
