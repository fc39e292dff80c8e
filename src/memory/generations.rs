//! A bounded map in two generations: when the young one is full it becomes the old one and the previous old one is
//! forgotten, so that eviction costs nothing and what is in use survives.

use std::collections::HashMap;
use std::hash::Hash;

/// A map that forgets what is not in use.
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Generations<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: capacity.div_ceil(2).max(1) }
    }

    pub(super) fn find(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.insert(key.clone(), value.clone());
        Some(value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&V) -> bool) {
        self.young.retain(|_, value| is_kept(value));
        self.old.retain(|_, value| is_kept(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_keeps_what_is_in_use() {
        let mut generations = Generations::new(10);
        for number in 0..1000 {
            generations.insert(number, number);
            assert_eq!(generations.find(&0), (number < 1000).then_some(0));
        }
        assert!(generations.young.len() + generations.old.len() <= 10);
        assert_eq!(generations.find(&1), None);
    }
}
