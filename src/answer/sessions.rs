//! The page on which people see where they are signed in, and end what they do not know.

use super::{Answer, document, escape};
use crate::time::Timestamp;

/// One session.
pub struct Row {
    /// A coarse name of the browser.
    pub device: String,
    /// The country that the sign-in came from.
    pub country: Option<String>,
    /// When the user signed in.
    pub began: Timestamp,
    /// Whether it is the one that looks at the page.
    pub is_own: bool,
    /// Where a POST ends it.
    pub end_url: String,
}

impl Answer {
    /// The page of these sessions; a POST to `all_url` ends all of them, and `home` is the application.
    #[must_use]
    pub fn sessions(rows: &[Row], all_url: &str, home: &str) -> Self {
        let rows: String = rows.iter().map(Row::html).collect();
        let content = format!(
            "<p>You are signed in to this application here:</p><ul>{rows}</ul>\
             <form method=\"post\" action=\"{}\"><button type=\"submit\">Sign out everywhere</button></form>\
             <p><a href=\"{}\">Back to the application</a></p>",
            escape(all_url),
            escape(home)
        );
        Self::html(200, document("Your sessions", &content))
    }
}

impl Row {
    fn html(&self) -> String {
        let device = escape(&self.device);
        let own = if self.is_own { " <small>(this browser)</small>" } else { "" };
        let began = self.began.to_utc();
        let country = self.country.as_deref().map(|country| format!(", {}", escape(country))).unwrap_or_default();
        format!(
            "<li><span><strong>{device}</strong>{own}<br><small>since {began}{country}</small></span>\
             <form method=\"post\" action=\"{}\"><button type=\"submit\" aria-label=\"Sign out {device}, since {began}\">Sign out</button></form></li>",
            escape(&self.end_url)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_session_is_escaped() {
        let hostile = "<script>\"&'".to_owned();
        let began = Timestamp::from_unix(1_800_000_000);
        let row =
            Row { device: hostile.clone(), country: Some(hostile.clone()), began, is_own: true, end_url: hostile };
        let page = Answer::sessions(&[row], "\"><script>", "\"><script>").body;
        assert!(!page.contains("<script") && page.contains("2027-01-15 08:00 UTC"), "{page}");
    }
}
