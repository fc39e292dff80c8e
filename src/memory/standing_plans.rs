//! The plans of an isolate that stand, for requests that come again. A request has one place in the table, where the next
//! one with the same place takes over: nothing is ever searched for, and nothing grows.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a plan is for: all of a request by which it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asked<'a> {
    /// The method as it was sent.
    pub method: &'a str,
    /// Scheme, host and port of its URL, as they stand there.
    pub origin: &'a str,
    /// Its route, by where in the configuration that lies.
    pub route: (usize, usize),
    /// The headers that decide, with their values.
    pub facts: &'a str,
}

/// A bounded table of what stands.
pub struct StandingPlans<V> {
    places: RefCell<Vec<Option<Kept<V>>>>,
}

struct Kept<V> {
    method: Box<str>,
    origin: Box<str>,
    route: (usize, usize),
    facts: Box<str>,
    value: V,
}

impl<V> StandingPlans<V> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        let mut places = Vec::new();
        places.resize_with(PLACES, || None);
        Self { places: RefCell::new(places) }
    }

    /// The place where what stands for such a request is kept, if `holds` says that it still does.
    pub fn find(&self, asked: &Asked<'_>, holds: impl FnOnce(&V) -> bool) -> Option<usize> {
        let place = place(asked);
        let places = self.places.borrow();
        let kept = places.get(place)?.as_ref()?;
        (kept.asked() == *asked && holds(&kept.value)).then_some(place)
    }

    /// Whether `holds` says that what is kept in a place still stands.
    pub fn holds(&self, place: usize, holds: impl FnOnce(&V) -> bool) -> bool {
        self.places.borrow().get(place).and_then(Option::as_ref).is_some_and(|kept| holds(&kept.value))
    }

    /// Keeps what stands, and tells the place.
    pub fn keep(&self, asked: &Asked<'_>, value: V) -> usize {
        let place = place(asked);
        let Asked { method, origin, route, facts } = *asked;
        let kept = Kept { method: method.into(), origin: origin.into(), route, facts: facts.into(), value };
        if let Some(free) = self.places.borrow_mut().get_mut(place) {
            *free = Some(kept);
        }
        place
    }
}

impl<V> Default for StandingPlans<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Kept<V> {
    const fn asked(&self) -> Asked<'_> {
        Asked { method: &self.method, origin: &self.origin, route: self.route, facts: &self.facts }
    }
}

fn place(asked: &Asked<'_>) -> usize {
    let mut hasher = DefaultHasher::new();
    asked.hash(&mut hasher);
    hasher.finish() as usize % PLACES
}

/// About 3 KB each, with what the runtime keeps of a plan.
const PLACES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(facts: &str) -> Asked<'_> {
        Asked { method: "GET", origin: "https://app.example", route: (1, 2), facts }
    }

    #[test]
    fn only_the_same_request_finds_what_stands_and_only_while_it_does() {
        let plans = StandingPlans::new();
        let place = plans.keep(&asked("cookie\na\n"), 1);
        assert_eq!(plans.find(&asked("cookie\na\n"), |value| *value == 1), Some(place));
        assert_eq!(plans.find(&asked("cookie\na\n"), |_| false), None);
        let others = [
            asked("cookie\nb\n"),
            Asked { method: "HEAD", ..asked("cookie\na\n") },
            Asked { origin: "http://app.example", ..asked("cookie\na\n") },
            Asked { route: (1, 3), ..asked("cookie\na\n") },
        ];
        assert!(others.iter().all(|other| plans.find(other, |_| true).is_none()));
    }

    #[test]
    fn the_table_does_not_grow_and_the_last_one_at_a_place_stays() {
        let plans = StandingPlans::new();
        for number in 0..5000 {
            let facts = format!("cookie\n{number}\n");
            let place = plans.keep(&asked(&facts), number);
            assert_eq!(plans.find(&asked(&facts), |value| *value == number), Some(place));
        }
        assert_eq!(plans.places.borrow().len(), PLACES);
    }
}
