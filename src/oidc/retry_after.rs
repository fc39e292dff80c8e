//! The `Retry-After` field (RFC 9110 §10.2.3) and the three forms of an HTTP-date (§5.6.7).

use crate::time::{Lifetime, Timestamp};

/// The longest wait that is heeded. A peer that names a later time has made a mistake, or means to keep us away.
pub const MAX_RETRY_AFTER: Lifetime = Lifetime::from_seconds(3600);

/// How long to wait from `now` on, at most [`MAX_RETRY_AFTER`]; zero for a date in the past, `None` for what is neither
/// a number of seconds nor a date.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Lifetime> {
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many digits that they overflow are a long wait as well.
        value.parse().map_or(MAX_RETRY_AFTER, Lifetime::from_seconds)
    } else {
        http_date(value, now)?.since(now)
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// The forms are told apart by what stands between single spaces. The day's name has to be one, but not the date's own:
/// the date alone counts.
fn http_date(value: &str, now: Timestamp) -> Option<Timestamp> {
    let parts: Vec<&str> = value.split(' ').collect();
    let (day_name, year, month, day, time) = match *parts.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [name, day, month, year, time, "GMT"] => {
            (name.strip_suffix(',')?, number(year, 4)?, month, number(day, 2)?, time)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [name, date, time, "GMT"] => {
            let (day, date) = date.split_once('-')?;
            let (month, year) = date.split_once('-')?;
            (short_day(name.strip_suffix(',')?)?, full_year(number(year, 2)?, now), month, number(day, 2)?, time)
        }
        // Sun Nov  6 08:49:37 1994
        [name, month, "", day, time, year] => (name, number(year, 4)?, month, number(day, 1)?, time),
        [name, month, day, time, year] => (name, number(year, 4)?, month, number(day, 2)?, time),
        _ => return None,
    };
    DAYS.iter().find(|(short, _)| *short == day_name)?;
    let seconds = day_number(year, month, day)? * 86_400 + second_of_day(time)?;
    // What lies before 1970 is as past as 1970.
    Some(Timestamp::from_unix(u64::try_from(seconds).unwrap_or(0)))
}

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

/// The months and their lengths, from March on: the leap day is then the last of the year.
const MONTHS: [(&str, i64); 12] = [
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
    ("Jan", 31),
    ("Feb", 29),
];

fn short_day(name: &str) -> Option<&'static str> {
    DAYS.iter().find(|(_, long)| *long == name).map(|(short, _)| *short)
}

/// Two digits mean the latest such year that is not more than 50 years ahead (RFC 9110 §5.6.7).
fn full_year(digits: i64, now: Timestamp) -> i64 {
    // Four digits are all that the other forms can say. 31,556,952 s are a mean Gregorian year.
    let latest = i64::try_from(now.as_unix() / 31_556_952).map_or(9999, |years| (1970 + years + 50).min(9999));
    latest - (latest - digits).rem_euclid(100)
}

/// Days since 1970-01-01 in the Gregorian calendar; `None` for a day that the month has not.
fn day_number(year: i64, month: &str, day: i64) -> Option<i64> {
    let index = MONTHS.iter().position(|(name, _)| *name == month)?;
    let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = MONTHS.get(index)?.1 - i64::from(month == "Feb" && !is_leap_year);
    if !(1..=length).contains(&day) {
        return None;
    }
    let days_before: i64 = MONTHS.iter().take(index).map(|(_, length)| length).sum();
    let march_year = if index < 10 { year } else { year - 1 };
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    // From 0000-03-01 to 1970-01-01 there are 719,468 days, and the day of the month counts from one.
    Some(march_year * 365 + leap_days + days_before + day - 719_469)
}

/// `23:59:60` is a leap second (RFC 9110 §5.6.7).
fn second_of_day(time: &str) -> Option<i64> {
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// A number of exactly so many digits.
fn number(digits: &str, length: usize) -> Option<i64> {
    let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}
