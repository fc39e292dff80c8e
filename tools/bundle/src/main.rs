//! Generates the JavaScript bindings of a built Worker: `bundle <input.wasm> <output directory>`.
//!
//! This is `wasm-bindgen --target web` as a library call, so that its version is pinned by `Cargo.lock` beside the
//! crate it must match, and nothing has to be downloaded or installed besides crates.

use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let input = arguments.next().context("usage: bundle <input.wasm> <output directory>")?;
    let output = arguments.next().context("usage: bundle <input.wasm> <output directory>")?;
    Bindgen::new()
        .input_path(&input)
        .web(true)?
        .typescript(false)
        // The Worker imports its wasm as a module and calls initSync; there is no URL to fetch it from.
        .omit_default_module_path(true)
        // After a trap the entry script starts a fresh instance.
        .reset_state_function(true)
        .generate(&output)
        .with_context(|| format!("cannot generate bindings for {}", input.display()))
}
