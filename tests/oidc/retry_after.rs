//! How long a peer asks us to wait.

use proptest::prelude::*;
use vestibule::oidc::retry_after::{MAX_RETRY_AFTER, retry_after};
use vestibule::time::{Lifetime, Timestamp};

use crate::vectors;

#[test]
fn every_retry_after_vector_has_its_wait() {
    vectors::run(include_str!("../vectors/retry_after.json"), |vector| {
        // Sun, 06 Nov 1994 08:49:37 GMT, the date of the specification's examples.
        let now = Timestamp::from_unix(vector["now"].as_u64().unwrap_or(784_111_777));
        retry_after(vector["value"].as_str().unwrap(), now).map_or_else(|| "none".to_owned(), |wait| wait.to_string())
    });
}

#[test]
fn every_day_of_eleven_centuries_has_its_number() {
    let mut date = (1970, 0, 1);
    for day in 0..400_000_u64 {
        let noon = Timestamp::from_unix(day * 86_400 + 43_200);
        let written = fixdate(date, day, "12:00:09");
        assert_eq!(retry_after(&written, noon), Some(Lifetime::from_seconds(9)), "{written}");
        date = next(date);
    }
    assert!(date.0 > 3000);
}

proptest! {
    #[test]
    fn no_wait_is_longer_than_the_longest(text in any::<String>(), field in date_like(), now in any::<u64>()) {
        for value in [text, field] {
            prop_assert!(retry_after(&value, Timestamp::from_unix(now)).is_none_or(|wait| wait <= MAX_RETRY_AFTER));
        }
    }

    #[test]
    fn seconds_are_taken_as_they_are(seconds in any::<u64>(), now in any::<u64>()) {
        let wait = retry_after(&seconds.to_string(), Timestamp::from_unix(now));
        prop_assert_eq!(wait, Some(Lifetime::from_seconds(seconds.min(3600))));
    }

    #[test]
    fn the_three_forms_of_a_date_say_the_same(
        // From 1970 to 2070, seen from up to 40 years off, so that two digits suffice.
        moment in 0..3_155_760_000_u64, off in -1_262_304_000..1_262_304_000_i64, close in -4000..4000_i64,
    ) {
        for off in [off, close] {
            let Some(now) = moment.checked_add_signed(off) else { continue };
            let expected = Lifetime::from_seconds(moment.saturating_sub(now).min(3600));
            for written in three_forms(moment) {
                prop_assert_eq!(retry_after(&written, Timestamp::from_unix(now)), Some(expected), "{}", written);
            }
        }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// Year, month from zero, day.
type Date = (u64, usize, u64);

/// The calendar, a day at a time: slow, and nothing like the code under test.
fn next((year, month, day): Date) -> Date {
    let is_leap_year = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let length = match month {
        1 if is_leap_year => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    match (day < length, month < 11) {
        (true, _) => (year, month, day + 1),
        (false, true) => (year, month + 1, 1),
        (false, false) => (year + 1, 0, 1),
    }
}

fn fixdate((year, month, day): Date, number: u64, time: &str) -> String {
    let name = &day_name(number)[..3];
    format!("{name}, {day:02} {} {year:04} {time} GMT", MONTHS[month])
}

fn three_forms(moment: u64) -> [String; 3] {
    let (number, second) = (moment / 86_400, moment % 86_400);
    let (year, month, day) = (0..number).fold((1970, 0, 1), |date, _| next(date));
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let (name, month_name) = (day_name(number), MONTHS[month]);
    [
        fixdate((year, month, day), number, &time),
        format!("{name}, {day:02}-{month_name}-{:02} {time} GMT", year % 100),
        format!("{} {month_name} {day:>2} {time} {year:04}", &name[..3]),
    ]
}

fn day_name(number: u64) -> &'static str {
    DAYS[usize::try_from(number % 7).unwrap()]
}

fn date_like() -> impl Strategy<Value = String> {
    prop_oneof![
        "(Sun|Mon|Wed), [0-9]{2} (Jan|Feb|Mar|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        "(Sunday|Monday), [0-9]{2}-(Jan|Feb|Mar|Dec)-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        "(Sun|Mon|Wed) (Jan|Feb|Mar|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}",
        "[SMTWF][a-z, -]{0,8}[0-9 :-]{0,20}(GMT)?",
    ]
}
