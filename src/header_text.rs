//! Text of others as the value of a header (RFC 9110 §5.5).

/// The text in visible ASCII and inner spaces: everything else is percent-encoded, and so is `%`, so that decoding gives
/// the text back. A space at an end would be lost on the way, and make two names one.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (position, byte) in text.bytes().enumerate() {
        let is_inner = position != 0 && position != last;
        if (byte.is_ascii_graphic() && byte != b'%') || (byte == b' ' && is_inner) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .into_iter()
                    .filter_map(|digit| char::from_digit(digit.into(), 16))
                    .map(|digit| digit.to_ascii_uppercase()),
            );
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decoding_gives_the_text_back(text in "(?s).{0,40}") {
            let encoded = ascii(&text);
            prop_assert!(encoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && encoded.trim() == encoded);
            let form = encoded.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
            let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
            prop_assert_eq!(decoded.map_or_else(String::new, |(name, _)| name.into_owned()), text);
        }
    }
}
