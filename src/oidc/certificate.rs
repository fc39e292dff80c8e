//! As much of an X.509 certificate (RFC 5280 §4.1) as its own holder must know: whose public key it has, until when it is
//! valid, and who issued it. Nothing is verified: the OP does that.

use super::der::{Elements, INTEGER, SEQUENCE};
use super::public_key::PublicKey;
use crate::time::Timestamp;

/// A certificate, in DER.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    pub(super) key: Option<PublicKey>,
    pub(super) not_after: Timestamp,
    issuer: Vec<u8>,
    subject: Vec<u8>,
}

impl Certificate {
    pub(super) fn parse(der: Vec<u8>) -> Option<Self> {
        let mut tbs = Elements::of(&der).enter(SEQUENCE)?.enter(SEQUENCE)?;
        let mut first = tbs.next()?;
        // `version` is absent in certificates of the first version.
        if first.tag == 0xa0 {
            first = tbs.next()?;
        }
        if first.tag != INTEGER {
            return None;
        }
        tbs.read(SEQUENCE)?;
        let issuer = tbs.read(SEQUENCE)?.to_vec();
        let not_after = moment(tbs.enter(SEQUENCE)?.nth(1)?.contents)?;
        let subject = tbs.read(SEQUENCE)?.to_vec();
        let key = PublicKey::of_certificate(&mut tbs.enter(SEQUENCE)?);
        Some(Self { der, key, not_after, issuer, subject })
    }
}

/// The certificates in the order in which each certifies the one before it, beginning with that of the key (RFC 7515
/// §4.1.6). `None` if none is the key's.
pub(super) fn chain(mut certificates: Vec<Certificate>, key: &PublicKey) -> Option<Vec<Certificate>> {
    let leaf = certificates.iter().position(|certificate| certificate.key.as_ref() == Some(key))?;
    let mut chain = vec![certificates.swap_remove(leaf)];
    while let Some(last) = chain.last() {
        let Some(next) = certificates.iter().position(|certificate| certificate.subject == last.issuer) else { break };
        chain.push(certificates.swap_remove(next));
    }
    Some(chain)
}

/// `UTCTime` with two digits for the year, `GeneralizedTime` with four; both to the second and in UTC (§4.1.2.5).
fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = text.split_at_checked(text.len().checked_sub(10)?)?;
    let year: u64 = match (year.len(), year.parse().ok()?) {
        (2, year @ 50..) => 1900 + year,
        (2, year) => 2000 + year,
        (4, year) => year,
        _ => return None,
    };
    let part = |start| rest.get(start..start + 2)?.parse::<u64>().ok();
    let seconds = part(4)? * 3600 + part(6)? * 60 + part(8)?;
    Timestamp::from_utc(year, part(0)?, part(2)?, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_of_a_moment_are_read() {
        for (text, expected) in [
            ("270102030405Z", Some(1_798_859_045)),
            ("20270102030405Z", Some(1_798_859_045)),
            ("491231235959Z", Some(2_524_607_999)),
            ("500101000000Z", None),
            ("20500101000000Z", Some(2_524_608_000)),
            ("20991231235959Z", Some(4_102_444_799)),
            ("270230000000Z", None),
            ("2701020304Z", None),
            ("270102030405+0100", None),
            ("", None),
        ] {
            assert_eq!(moment(text.as_bytes()).map(Timestamp::as_unix), expected, "{text}");
        }
    }
}
