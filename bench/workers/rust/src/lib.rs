//! The `worker` crate as its documentation shows it: every request goes to the origin, and nothing is checked.

use worker::{Context, Env, Fetch, Request, RequestInit, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let address = format!("{}{}", env.var("ORIGIN")?.to_string(), request.path());
    let mut init = RequestInit::new();
    init.with_method(request.method()).with_headers(request.headers().clone());
    init.with_body(request.inner().body().map(Into::into));
    Fetch::Request(Request::new_with_init(&address, &init)?).send().await
}
