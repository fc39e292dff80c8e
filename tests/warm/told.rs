//! What the runtime tells of a request to find the plan that stands for it.

use vestibule::config::Config;
use vestibule::flow::decides;

/// The text of a head without the headers that decide nothing.
pub(crate) fn told(config: &Config, text: &str) -> String {
    let mut lines = text.split('\n');
    let mut told: String = lines.by_ref().take(2).flat_map(|line| [line, "\n"]).collect();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        if decides(config, name) {
            told.extend([name, "\n", value, "\n"]);
        }
    }
    told
}
