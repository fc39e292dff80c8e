//! PEM (RFC 7468): DER in base64 between two lines that say what it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One block.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Vec<u8>,
}

/// Every block; what stands between them is a comment (§2). `None` where a block does not end, or is no base64.
pub(super) fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        let (body, after) = body.split_once("-----END ")?;
        let after = after.strip_prefix(label)?.strip_prefix("-----")?;
        // Some tools keep a file in one line, with its line ends spelled out.
        let encoded: String = body.replace("\\n", "").replace("\\r", "").split_ascii_whitespace().collect();
        blocks.push(Block { label, der: STANDARD.decode(encoded).ok()? });
        rest = after;
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Option<Vec<(&str, Vec<u8>)>> {
        Some(blocks(text)?.into_iter().map(|block| (block.label, block.der)).collect())
    }

    #[test]
    fn blocks_are_found_however_their_lines_end() {
        let expected = Some(vec![("PRIVATE KEY", vec![1, 2, 3]), ("CERTIFICATE", vec![4])]);
        let text = "Bag Attributes\n-----BEGIN PRIVATE KEY-----\nAQ\nID\n-----END PRIVATE KEY-----\nx: y\n\
                    -----BEGIN CERTIFICATE-----\nBA==\n-----END CERTIFICATE-----\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\\n"), text.replace('\n', " ")] {
            assert_eq!(labels(&text), expected, "{text}");
        }
        assert_eq!(labels("hunter2"), Some(vec![]));
    }

    #[test]
    fn half_a_block_is_none() {
        for text in [
            "-----BEGIN A",
            "-----BEGIN A-----AQID",
            "-----BEGIN A-----AQID-----END B-----",
            "-----BEGIN A-----?-----END A-----",
            "-----BEGIN A-----AQI-----END A-----",
        ] {
            assert!(blocks(text).is_none(), "{text}");
        }
    }
}
