//! The path of a rule: literal segments, `*` for any one, and `/**` at the end for everything below.

use std::fmt;

/// Deeper paths are not worth the stack they take.
const MOST_SEGMENTS: usize = 32;

/// Which paths a rule is for. It compares byte for byte, or without letter case where that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    end: End,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// `*`: one segment that is not empty.
    Any,
    /// Itself.
    Literal(String),
}

/// What may follow the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing but a slash.
    Exact,
    /// `/**`: anything below.
    Prefix,
}

impl Pattern {
    /// Reads `/docs`, `/users/*/photo`, `/docs/**`. `None` for anything that a URL parser would change, and for `*`
    /// as a part of a segment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (text, end) = text.strip_suffix("/**").map_or((text, End::Exact), |above| (above, End::Prefix));
        let segments = match (text, end) {
            ("", End::Prefix) | ("/", End::Exact) => Vec::new(),
            _ => text.strip_prefix('/')?.split('/').map(Segment::parse).collect::<Option<_>>()?,
        };
        (segments.len() <= MOST_SEGMENTS).then_some(Self { segments, end })
    }

    /// `/**`.
    #[must_use]
    pub const fn everything() -> Self {
        Self { segments: Vec::new(), end: End::Prefix }
    }

    /// The segments, without the slashes between them.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What may follow them.
    #[must_use]
    pub const fn end(&self) -> End {
        self.end
    }

    /// Whether every path it matches is `prefix` or lies below it. `prefix` has literal segments only.
    #[must_use]
    pub fn lies_under(&self, prefix: &str) -> bool {
        let mut own = self.segments.iter();
        prefix.split('/').skip(1).all(|expected| own.next().is_some_and(|segment| segment.is(expected)))
    }

    /// Whether it matches `path`, which has literal segments only, and nothing else.
    #[must_use]
    pub fn is_only(&self, path: &str) -> bool {
        self.end == End::Exact && self.lies_under(path) && self.segments.len() == path.split('/').skip(1).count()
    }

    /// Whether no literal has a letter in upper case.
    pub(super) fn is_lower_case(&self) -> bool {
        self.segments.iter().all(|segment| match segment {
            Segment::Any => true,
            Segment::Literal(literal) => !literal.bytes().any(|byte| byte.is_ascii_uppercase()),
        })
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        // A dot at the end is one that some file systems do not see.
        let is_plain = !text.is_empty()
            && !text.ends_with('.')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~@+,".contains(&byte));
        is_plain.then(|| Self::Literal(text.to_owned()))
    }

    fn is(&self, expected: &str) -> bool {
        match self {
            Self::Any => false,
            Self::Literal(literal) => literal == expected,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            f.write_str("/")?;
            f.write_str(match segment {
                Segment::Any => "*",
                Segment::Literal(literal) => literal,
            })?;
        }
        match (self.end, self.segments.is_empty()) {
            (End::Exact, false) => Ok(()),
            (End::Exact, true) => f.write_str("/"),
            (End::Prefix, _) => f.write_str("/**"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_as_it_was_read() {
        for text in ["/", "/**", "/docs", "/docs/**", "/*", "/*/**", "/a/*/c", "/.well-known/x", "/A-b_c~d.e/@f+g,h"] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_a_parser_would_change_or_leave_open_is_no_pattern() {
        for text in [
            "", "docs", "//", "/docs/", "/a//b", "/.", "/..", "/a/../b", "/a.", "/a*", "/**/a", "/a/**/b", "**",
            "/***", "/a**", "/a/***", "/%61", "/a b", "/é", "/a;b", "/a?b", "/a#b", "/a\\b", "/a:b", "*", "/a/**/",
            "/a/*/",
        ] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
        assert!(Pattern::parse(&"/a".repeat(MOST_SEGMENTS)).is_some());
        assert!(Pattern::parse(&"/a".repeat(MOST_SEGMENTS + 1)).is_none());
    }

    #[test]
    fn only_literal_segments_lie_under_a_path() {
        let lies_under = |pattern: &str, prefix| Pattern::parse(pattern).unwrap().lies_under(prefix);
        for pattern in ["/api", "/api/**", "/api/x", "/api/*"] {
            assert!(lies_under(pattern, "/api"), "{pattern}");
        }
        for pattern in ["/", "/**", "/*", "/*/x", "/apis", "/API", "/a/api"] {
            assert!(!lies_under(pattern, "/api"), "{pattern}");
        }
        assert!(lies_under("/v1/api/x", "/v1/api") && !lies_under("/v1/**", "/v1/api"));
        let is_only = |pattern: &str| Pattern::parse(pattern).unwrap().is_only("/signin");
        assert!(is_only("/signin"));
        for pattern in ["/signin/**", "/signin/x", "/*", "/"] {
            assert!(!is_only(pattern), "{pattern}");
        }
    }
}
