//! The native command: checks a `wrangler.toml`, prints its schema, explains what would become of a request, converts
//! an `appsettings.json`.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    use std::io::Write as _;

    let outcome = vestibule::cli::run(std::env::args_os().skip(1));
    // A reader that has seen enough, such as `head`, is no fault.
    let _ = std::io::stdout().write_all(outcome.output.as_bytes());
    let _ = std::io::stderr().write_all(outcome.complaint.as_bytes());
    outcome.exit_code.into()
}

/// The Worker is the library alone.
#[cfg(target_arch = "wasm32")]
fn main() {}
