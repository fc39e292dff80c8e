//! How an origin could read a path that is not written in the plainest way.
//!
//! Servers differ in what they do before they look a path up: decode it once or again, before or after they split it,
//! drop `;parameters`, cut at a `?` that was encoded, take a backslash for a slash, merge slashes, ignore dots and
//! spaces at the end of a name. A request may pass only if all of them arrive at the same rule, so each of these steps
//! is both taken and left out, and every outcome is a reading. Letter case is the table's business.

/// A path that needs more is a disguise, not an address.
const MOST_READINGS: usize = 32;

/// A way to read bytes as other bytes.
type Step = fn(&[u8]) -> Vec<u8>;

/// In the order that servers take them; of one group at most one is taken.
const STEPS: [&[Step]; 6] = [
    &[drop_parameters],
    &[decode_but_separators, decode_once, decode_fully],
    &[cut],
    &[drop_parameters],
    &[trim_segments],
    &[join_segments],
];

/// Whether the path has one reading only, itself, letter case aside.
pub(super) fn is_plain(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    let is_odd = |byte: u8| matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#' | b' ') || byte.is_ascii_control();
    !segments.bytes().any(is_odd)
        && (path == "/" || segments.split('/').all(|segment| !segment.is_empty() && !segment.ends_with('.')))
}

/// All readings, the path itself first. `None` if there are too many of them, or if one climbs towards the root or
/// holds a control character, at which some servers end the path.
pub(super) fn readings(path: &str) -> Option<Vec<Vec<u8>>> {
    let mut readings = vec![path.as_bytes().to_vec()];
    for group in STEPS {
        let more: Vec<_> = readings.iter().flat_map(|reading| group.iter().map(|step| step(reading))).collect();
        for reading in more {
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        if readings.len() > MOST_READINGS {
            return None;
        }
    }
    (!readings.iter().any(|reading| is_hostile(reading))).then_some(readings)
}

/// The most lenient reading of a path, in lower case, for people to see what an origin could make of it.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn folded(path: &str) -> Vec<u8> {
    let steps: [Step; 6] =
        [decode_fully, cut, drop_parameters, trim_segments, join_segments, <[u8]>::to_ascii_lowercase];
    steps.iter().fold(path.as_bytes().to_vec(), |path, step| step(&path))
}

fn is_hostile(path: &[u8]) -> bool {
    path.iter().any(u8::is_ascii_control)
        || path.split(is_separator).any(|segment| {
            let dots = segment.iter().filter(|byte| **byte == b'.').count();
            dots > 1 && segment.iter().all(is_ignored_at_end)
        })
}

fn decode_once(path: &[u8]) -> Vec<u8> {
    decode(path, |_| true)
}

/// As servers do that split the path first.
fn decode_but_separators(path: &[u8]) -> Vec<u8> {
    decode(path, |byte| !is_separator(&byte))
}

fn decode(path: &[u8], is_decoded: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if let (Some(byte), Some(beyond)) = (octet(*first, after), after.get(2..))
            && is_decoded(byte)
        {
            decoded.push(byte);
            rest = beyond;
        } else {
            decoded.push(*first);
        }
    }
    decoded
}

/// Until nothing is left to decode, in one pass whatever is nested.
fn decode_fully(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    for byte in path {
        decoded.push(*byte);
        while let Some((before, [percent, digits @ ..])) = decoded.split_last_chunk::<3>()
            && let Some(byte) = octet(*percent, digits)
        {
            decoded.truncate(before.len());
            decoded.push(byte);
        }
    }
    decoded
}

/// The octet that `percent` and the two digits after it stand for (RFC 3986 §2.1).
fn octet(percent: u8, after: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match after {
        [high, low, ..] if percent == b'%' => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn cut(path: &[u8]) -> Vec<u8> {
    path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or(path).to_vec()
}

fn drop_parameters(path: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(path.len());
    let mut is_kept = true;
    for byte in path {
        is_kept = is_separator(byte) || (is_kept && *byte != b';');
        if is_kept {
            kept.push(*byte);
        }
    }
    kept
}

fn trim_segments(path: &[u8]) -> Vec<u8> {
    let mut trimmed = Vec::with_capacity(path.len());
    for segment in path.split_inclusive(is_separator) {
        let (name, separator) = match segment.split_last() {
            Some((last, name)) if is_separator(last) => (name, Some(last)),
            Some(_) | None => (segment, None),
        };
        let end = name.iter().rposition(|byte| !is_ignored_at_end(byte)).map_or(0, |last| last + 1);
        trimmed.extend(name.iter().take(end));
        trimmed.extend(separator);
    }
    trimmed
}

fn join_segments(path: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(path.len());
    for segment in path.split(is_separator).filter(|segment| !segment.is_empty()) {
        joined.push(b'/');
        joined.extend_from_slice(segment);
    }
    if joined.is_empty() {
        joined.push(b'/');
    }
    joined
}

const fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

const fn is_ignored_at_end(byte: &u8) -> bool {
    matches!(byte, b'.' | b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_path_reads_as_itself() {
        for path in ["/", "/a", "/a/", "/a/b.c", "/.well-known/x", "/A/b~c", "/caf\u{e9}"] {
            assert!(is_plain(path), "{path}");
        }
        for path in ["", "//", "/a//", "//a", "/a.", "/a./b", "/a%20b", "/a;b", "/a\\b", "/a b", "/a?b", "/a#b", "/%"] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn the_folded_reading_is_what_the_most_lenient_origin_sees() {
        for (path, expected) in [
            ("/", "/"),
            ("/Docs/", "/docs"),
            ("//a///b", "/a/b"),
            ("/%61%2562%25%36%33", "/abc"),
            ("/a%2fb%5Cc\\d", "/a/b/c/d"),
            ("/a;x=1/b;y", "/a/b"),
            ("/a%3bx/b", "/a/b"),
            ("/a%3fb/c", "/a"),
            ("/a%23b/c", "/a"),
            ("/a%20/b./c. .", "/a/b/c"),
            ("/100%", "/100%"),
            ("/%zz%4", "/%zz%4"),
            ("/%", "/%"),
            ("", "/"),
        ] {
            assert_eq!(String::from_utf8(folded(path)).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn every_step_is_taken_and_left_out() {
        for (path, expected) in [
            ("/a", &["/a"][..]),
            ("/%61", &["/%61", "/a"]),
            ("/%2561", &["/%2561", "/%61", "/a"]),
            ("/a%2f%62", &["/a%2f%62", "/a%2fb", "/a/b"]),
            ("/u/;x%2fadmin", &["/u/;x%2fadmin", "/u/", "/u", "/u/;x/admin", "/u//admin", "/u/admin"]),
            ("/a%3f/b", &["/a%3f/b", "/a?/b", "/a"]),
            ("//a.", &["//a.", "//a", "/a.", "/a"]),
        ] {
            let readings = readings(path).unwrap();
            assert_eq!(readings[0], path.as_bytes(), "{path}");
            for reading in expected {
                assert!(readings.contains(&reading.as_bytes().to_vec()), "{path} is never read as {reading}");
            }
        }
    }

    #[test]
    fn a_path_that_climbs_or_ends_early_has_no_reading() {
        for path in [
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/%252e%252e/b",
            "/a/..%3fb",
            "/a/..%20/b",
            "/a/...",
            "/a/..\\b",
            "/a/%2500",
            "/a%25250ab",
            "/a/.%25252e%25252fb",
        ] {
            assert_eq!(readings(path), None, "{path}");
        }
        assert_eq!(readings("//%41.;%3b%3f%2f%2541.;x//b%3fc;d%23"), None);
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(path in "/[a-cA-C/%25362fF3bB;.?#\\\\ ]{0,24}") {
            let once = String::from_utf8_lossy(&folded(&path)).into_owned();
            prop_assert_eq!(folded(&once), once.as_bytes());
        }

        #[test]
        fn the_folded_reading_is_one_of_the_readings(path in "/[a-cA-C/%25362fF3bB;.?# ]{0,24}") {
            if let Some(readings) = readings(&path) {
                let folded = folded(&path);
                prop_assert!(readings.iter().any(|reading| reading.to_ascii_lowercase() == folded));
            }
        }

        #[test]
        fn a_plain_path_has_one_reading(path in "/[a-zA-Z./-]{0,24}") {
            if is_plain(&path) && !path.ends_with('/') {
                prop_assert_eq!(readings(&path).unwrap(), vec![path.into_bytes()]);
            }
        }
    }
}
