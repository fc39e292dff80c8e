//! Moments and spans in whole seconds. The clock is read by the `Runtime` only; everything else takes `now`.

use std::fmt;
use std::ops::{Add, Sub};

use serde_json::Value;

use crate::json::Json;

/// A moment: seconds since 1970-01-01T00:00:00Z, as `NumericDate` of RFC 7519 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// A span of time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(u64);

impl Timestamp {
    /// After every other one.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `seconds` after the epoch.
    #[must_use]
    pub const fn from_unix(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn as_unix(self) -> u64 {
        self.0
    }

    /// Date and time for people, in UTC and to the minute: `2026-11-25 17:05 UTC`.
    #[must_use]
    pub fn to_utc(self) -> String {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        // Years that begin in March have their odd day at the end, and eras of 400 years are all alike.
        let (era, day) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let date = day - (153 * month + 2) / 5 + 1;
        let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + year + turn;
        format!("{year:04}-{month:02}-{date:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
    }

    /// The moment of a date and so many seconds into its day, in UTC; `None` for a date that no calendar has, and before 1970.
    #[must_use]
    pub fn from_utc(year: u64, month: u64, date: u64, seconds: u64) -> Option<Self> {
        let turn = u64::from(month <= 2);
        let from_march = (month + 9) % 12;
        let (year_of_march, day) = (year.checked_sub(turn)?, (153 * from_march + 2) / 5 + date.checked_sub(1)?);
        let days = 365 * year_of_march + year_of_march / 4 - year_of_march / 100 + year_of_march / 400 + day;
        let moment = Self(days.checked_sub(719_468)? * 86_400 + seconds);
        // What the calendar does not have comes out as another date.
        let written = format!("{year:04}-{month:02}-{date:02} ");
        (seconds < 86_400 && moment.to_utc().starts_with(&written)).then_some(moment)
    }

    /// The moment, or the second after `watermark` if that is later: what begins then began after the watermark, even
    /// within the same second.
    #[must_use]
    pub fn after(self, watermark: Option<Self>) -> Self {
        watermark.map_or(self, |watermark| self.max(watermark + Lifetime(1)))
    }

    /// The moment so much earlier; the epoch if there is none.
    #[must_use]
    pub const fn before(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub(lifetime.0))
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Lifetime {
        Lifetime(self.0.saturating_sub(earlier.0))
    }
}

impl Lifetime {
    /// A span of `seconds`.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The span in seconds.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    /// Half the span, rounded down.
    #[must_use]
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }
}

impl Add<Lifetime> for Timestamp {
    type Output = Self;

    fn add(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.0))
    }
}

impl Sub<Lifetime> for Timestamp {
    type Output = Self;

    fn sub(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub(lifetime.0))
    }
}

impl Json for Timestamp {
    fn to_json(&self) -> Value {
        self.0.into()
    }

    fn from_json(value: Value) -> Option<Self> {
        value.as_u64().map(Self)
    }
}

impl Json for Lifetime {
    fn to_json(&self) -> Value {
        self.0.into()
    }

    fn from_json(value: Value) -> Option<Self> {
        value.as_u64().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_read_it() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_251_200, "2024-03-01 00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
            (1_800_000_000, "2027-01-15 08:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(Timestamp::from_unix(seconds).to_utc(), expected);
        }
    }
    #[test]
    fn a_date_becomes_the_moment_that_is_written_so() {
        for (date, expected) in [
            ((1970, 1, 1, 0), Some(0)),
            ((1969, 12, 31, 86_399), None),
            ((2000, 2, 29, 0), Some(951_782_400)),
            ((2024, 2, 29, 86_399), Some(1_709_251_199)),
            ((2026, 2, 29, 0), None),
            ((2100, 2, 29, 0), None),
            ((2100, 3, 1, 0), Some(4_107_542_400)),
            ((2027, 1, 15, 28_800), Some(1_800_000_000)),
            ((2027, 13, 1, 0), None),
            ((2027, 0, 1, 0), None),
            ((2027, 1, 0, 0), None),
            ((2027, 4, 31, 0), None),
            ((2027, 1, 1, 86_400), None),
        ] {
            let (year, month, day, seconds) = date;
            assert_eq!(Timestamp::from_utc(year, month, day, seconds).map(Timestamp::as_unix), expected, "{date:?}");
        }
    }
}
