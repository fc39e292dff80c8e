//! As much of DER (ITU-T X.690 §10) as keys and certificates need: elements with definite lengths, one after the other.

/// An element: its tag octet, and what is in it.
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The elements in a text; it ends early where the text is no DER.
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) const fn of(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The next element, which must have this tag: what is in it.
    pub(super) fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.contents)
    }

    /// The same, where what is in it is a sequence of elements again.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.read(tag).map(Self)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            // More than three octets would be a key of 16 MiB.
            0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (octets.iter().fold(0, |length, octet| length * 256 + usize::from(*octet)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag: *tag, contents })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_what_its_length_says_and_nothing_after_it() {
        let long = [&[0x04, 0x81, 0x80][..], &[7; 0x80]].concat();
        let text = [&[0x30, 0x03, 0x02, 0x01, 0x05][..], &long, &[0x05, 0x00]].concat();
        let found: Vec<_> = Elements::of(&text).map(|element| (element.tag, element.contents.len())).collect();
        assert_eq!(found, [(0x30, 3), (0x04, 0x80), (0x05, 0)]);
        assert_eq!(Elements::of(&text).enter(SEQUENCE).unwrap().read(INTEGER), Some(&[5][..]));
        assert!(Elements::of(&text).read(INTEGER).is_none());
    }

    #[test]
    fn what_is_cut_off_or_has_no_length_is_no_element() {
        for text in [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x80, 0, 0], &[0x30, 0x81], &[0x30, 0x84, 0, 0, 0, 0]] {
            assert!(Elements::of(text).next().is_none(), "{text:?}");
        }
    }
}
