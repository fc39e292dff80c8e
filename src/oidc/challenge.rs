//! The `WWW-Authenticate` field of a protected resource (RFC 9110 §11.6.1, RFC 6750 §3): its Bearer challenges.
//!
//! The whole grammar is read, since a scheme name, a comma or an `=` can stand inside the challenge of another scheme.
//! Other schemes are read over. What a challenge demands is not decided here.

use super::claims_challenge::ClaimsChallenge;

/// The longest field that is read; servers and runtimes bound all fields together at about that.
pub const MAX_FIELD_BYTES: usize = 16 * 1024;

/// The most parameters of one challenge. Those seen in the field have up to ten.
pub const MAX_PARAMETERS: usize = 32;

/// One Bearer challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerChallenge {
    /// Why the access token was refused. The downstream API's text: compared, never shown.
    pub error: Option<String>,
    /// What the next access token must have been asked for with.
    pub claims: Option<ClaimsChallenge>,
    /// Whether there were `claims` that cannot be used, so that no new access token can meet the challenge.
    pub has_unusable_claims: bool,
}

impl BearerChallenge {
    /// The well-formed Bearer challenges of a field, in order. Several fields are given as one, joined by commas.
    ///
    /// A challenge with broken syntax is left out, and so is what an unclosed quotation mark runs on into.
    #[must_use]
    pub fn parse_field(field: &str) -> Vec<Self> {
        let mut challenges = Vec::new();
        if field.len() > MAX_FIELD_BYTES {
            return challenges;
        }
        let mut current = RawChallenge::other();
        for element in Elements(Some(field)) {
            match Element::parse(element) {
                Element::Start(scheme, content) => {
                    challenges.extend(std::mem::replace(&mut current, RawChallenge::start(scheme, content)).finish());
                }
                Element::Parameter(name, value) => current.add(name, value),
                Element::Empty => (),
                Element::Broken => current.is_usable = false,
            }
        }
        challenges.extend(current.finish());
        challenges
    }

    /// Whether a new access token is wanted that meets `claims` (Microsoft identity platform, claims challenges).
    #[must_use]
    pub fn is_insufficient_claims(&self) -> bool {
        self.error.as_deref() == Some("insufficient_claims")
    }
}

/// The elements of a list (RFC 9110 §5.6.1): what lies between commas outside of quoted strings.
struct Elements<'a>(Option<&'a str>);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let list = self.0.take()?;
        let (mut is_quoted, mut is_escaped) = (false, false);
        let comma = list.find(|character| {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                ',' => return !is_quoted,
                _ => (),
            }
            false
        });
        let Some((element, rest)) = comma.and_then(|comma| list.split_at_checked(comma)) else { return Some(list) };
        self.0 = rest.strip_prefix(',');
        Some(element)
    }
}

/// An element of the field. The list of challenges and the lists of their parameters are one list to look at: an
/// element that is no parameter starts the next challenge.
enum Element<'a> {
    Start(&'a str, Content<'a>),
    Parameter(&'a str, String),
    Empty,
    Broken,
}

/// What follows a scheme name within its element.
enum Content<'a> {
    Nothing,
    Token68,
    Parameter(&'a str, String),
    Broken,
}

impl<'a> Element<'a> {
    fn parse(element: &'a str) -> Self {
        let element = trim(element);
        if element.is_empty() {
            return Self::Empty;
        }
        let (name, rest) = split_token(element);
        if name.is_empty() {
            return Self::Broken;
        }
        if trim(rest).starts_with('=') {
            return parameter(element).map_or(Self::Broken, |(name, value)| Self::Parameter(name, value));
        }
        match rest.chars().next() {
            None => Self::Start(name, Content::Nothing),
            Some(' ') => Self::Start(name, Content::parse(trim(rest))),
            Some(_) => Self::Broken,
        }
    }
}

impl<'a> Content<'a> {
    fn parse(content: &'a str) -> Self {
        if is_token68(content) {
            return Self::Token68;
        }
        parameter(content).map_or(Self::Broken, |(name, value)| Self::Parameter(name, value))
    }
}

/// A challenge of any scheme while its elements come in.
struct RawChallenge<'a> {
    is_usable: bool,
    has_token68: bool,
    names: Vec<&'a str>,
    error: Option<String>,
    claims: Option<String>,
}

impl<'a> RawChallenge<'a> {
    fn start(scheme: &str, content: Content<'a>) -> Self {
        let mut challenge = Self { is_usable: scheme.eq_ignore_ascii_case("Bearer"), ..Self::other() };
        match content {
            Content::Nothing => (),
            Content::Token68 => challenge.has_token68 = true,
            Content::Parameter(name, value) => challenge.add(name, value),
            Content::Broken => challenge.is_usable = false,
        }
        challenge
    }

    /// One that comes to nothing, whatever is added.
    const fn other() -> Self {
        Self { is_usable: false, has_token68: false, names: Vec::new(), error: None, claims: None }
    }

    /// A name may occur once (RFC 9110 §11.2), and a token68 excludes parameters (§11.3).
    fn add(&mut self, name: &'a str, value: String) {
        let is_repeated = self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.is_usable &= !is_repeated && !self.has_token68 && self.names.len() < MAX_PARAMETERS;
        if !self.is_usable {
            return;
        }
        self.names.push(name);
        if name.eq_ignore_ascii_case("error") {
            self.error = Some(value);
        } else if name.eq_ignore_ascii_case("claims") {
            self.claims = Some(value);
        }
    }

    fn finish(self) -> Option<BearerChallenge> {
        let claims = self.claims.as_deref().map(ClaimsChallenge::decode);
        self.is_usable.then(|| BearerChallenge {
            error: self.error,
            has_unusable_claims: claims == Some(None),
            claims: claims.flatten(),
        })
    }
}

/// `auth-param` of RFC 9110 §11.2.
fn parameter(text: &str) -> Option<(&str, String)> {
    let (name, rest) = split_token(text);
    let value = trim(trim(rest).strip_prefix('=')?);
    if name.is_empty() {
        return None;
    }
    if let Some(quoted) = value.strip_prefix('"') {
        return Some((name, unquote(quoted)?));
    }
    let is_token = !value.is_empty() && split_token(value).1.is_empty();
    // No token, since it has "=" and "/", and yet what some APIs send.
    let is_base64 = name.eq_ignore_ascii_case("claims") && is_token68(value);
    (is_token || is_base64).then(|| (name, value.to_owned()))
}

/// The value of a quoted string (RFC 9110 §5.6.4) whose first quotation mark is off and whose last one ends the text.
fn unquote(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(value),
            '\\' => value.push(characters.next().filter(is_text)?),
            character => value.push(Some(character).filter(is_text)?),
        }
    }
}

const fn is_text(character: &char) -> bool {
    matches!(character, '\t' | ' '..='~' | '\u{80}'..)
}

/// A token (RFC 9110 §5.6.2) and what follows it.
pub(super) fn split_token(text: &str) -> (&str, &str) {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let length = text.bytes().take_while(|byte| is_tchar(*byte)).count();
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// `token68` of RFC 9110 §11.2.
pub(super) fn is_token68(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    !unpadded.is_empty() && unpadded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// `OWS` and `BWS` of RFC 9110 §5.6.3.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
