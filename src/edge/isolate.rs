//! What an isolate has once: the application. A deployment never changes while an isolate lives.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::app::App;

thread_local! {
    static APP: OnceCell<Option<Rc<App>>> = const { OnceCell::new() };
}

/// The application, deployed by the first call; none if no configuration can serve.
pub(super) fn app_or_deploy(deploy: impl FnOnce() -> Option<Rc<App>>) -> Option<Rc<App>> {
    APP.with(|app| app.get_or_init(deploy).clone())
}

/// The application, if it is deployed.
pub(super) fn app() -> Option<Rc<App>> {
    APP.with(|app| app.get().cloned().flatten())
}
