//! Sorting. What `std` compiles for each type that is sorted came to 49 KB of the Worker before compression, for lists
//! that are short or sorted once for each isolate; this is 200 bytes for each (docs/decisions.md).

use std::cmp::Ordering;

/// Sorts in place, by heap: never slower than n log n, whatever the order was. Equal elements may change places.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let compare: &dyn Fn(&T, &T) -> Ordering = &compare;
    for root in (0..items.len() / 2).rev() {
        sift_down(items, root, compare);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        if let Some(heap) = items.get_mut(..end) {
            sift_down(heap, 0, compare);
        }
    }
}

/// Sorts in place, by the elements' own order.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Lets an element sink until no child is greater than it.
fn sift_down<T>(heap: &mut [T], mut parent: usize, compare: &dyn Fn(&T, &T) -> Ordering) {
    let is_less = |heap: &[T], one: usize, other: usize| match (heap.get(one), heap.get(other)) {
        (Some(one), Some(other)) => compare(one, other).is_lt(),
        _ => false,
    };
    loop {
        let left = 2 * parent + 1;
        let greatest = if is_less(heap, left, left + 1) { left + 1 } else { left };
        if !is_less(heap, parent, greatest) {
            return;
        }
        heap.swap(parent, greatest);
        parent = greatest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_std_does(mut items in vec(any::<u8>(), 0..200)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items);
            prop_assert_eq!(&items, &expected);
            expected.reverse();
            sort_by(&mut items, |one, other| other.cmp(one));
            prop_assert_eq!(items, expected);
        }
    }
}
