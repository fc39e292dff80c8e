//! Requests as a browser or anything else sends them, and what comes back.

use vestibule::answer::Answer;

/// A request. Its body reaches the code under test only where that answers by itself.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// None for a body that never ends.
    pub(crate) body: Option<String>,
}

/// What the browser receives.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether the origin or an API answered.
    pub(crate) is_forwarded: bool,
}

impl Request {
    pub(crate) fn new(method: &str, url: &str) -> Self {
        Self { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body: Some(String::new()) }
    }

    /// What a person does: follows a link or a bookmark.
    pub(crate) fn navigation(method: &str, url: &str, site: &str) -> Self {
        Self::new(method, url)
            .with("accept", "text/html,*/*;q=0.8")
            .with("sec-fetch-dest", "document")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-site", site)
    }

    /// What a script of our own page does.
    pub(crate) fn script(method: &str, url: &str) -> Self {
        Self::new(method, url)
            .with("accept", "*/*")
            .with("sec-fetch-dest", "empty")
            .with("sec-fetch-mode", "cors")
            .with("sec-fetch-site", "same-origin")
    }

    /// What a script of our own page does to open a WebSocket.
    pub(crate) fn handshake(url: &str) -> Self {
        Self::new("GET", url)
            .with("connection", "Upgrade")
            .with("origin", "https://app.example")
            .with("sec-fetch-dest", "websocket")
            .with("sec-fetch-mode", "websocket")
            .with("sec-fetch-site", "same-origin")
            .with("sec-websocket-protocol", "chat.v2, \"quoted\"")
            .with("upgrade", "WebSocket")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    /// With a form as its body.
    pub(crate) fn form(self, body: &str) -> Self {
        let request = self.with("content-type", "application/x-www-form-urlencoded");
        Self { body: Some(body.to_owned()), ..request }
    }

    /// The text that the runtime hands over: names in lower case and in order, as the Fetch standard iterates them.
    pub(crate) fn text(&self) -> String {
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        headers.sort();
        let mut text = format!("{}\n{}\n", self.method, self.url);
        for (name, value) in headers {
            text.push_str(&format!("{name}\n{value}\n"));
        }
        text
    }
}

impl Received {
    pub(crate) fn from_answer(answer: Answer) -> Self {
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { status: answer.status, headers, body: answer.body, is_forwarded: false }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The values of every header of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    pub(crate) fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.all("set-cookie")
    }

    /// Whether the answer deletes the cookie.
    pub(crate) fn expires(&self, cookie: &str) -> bool {
        self.set_cookies().any(|set| set.starts_with(&format!("{cookie}=;")) && set.contains("; Max-Age=0;"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Status and code of a problem document.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status, self.code())
    }
}
