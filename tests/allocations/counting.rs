//! An allocator that counts what a thread asks it for: the tests beside a test do not disturb its count.

#![allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one hands everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// How often, growing something included.
    pub(crate) calls: u64,
    /// How many bytes in all, freed or not.
    pub(crate) bytes: u64,
}

/// What `work` asks for, its result included.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (Count, T) {
    let before = SO_FAR.get();
    let result = work();
    let after = SO_FAR.get();
    (Count { calls: after.calls - before.calls, bytes: after.bytes - before.bytes }, result)
}

thread_local! {
    // Without a destructor and known when it is compiled: reading it allocates nothing.
    static SO_FAR: Cell<Count> = const { Cell::new(Count { calls: 0, bytes: 0 }) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn note(bytes: usize) {
    let Count { calls, bytes: earlier } = SO_FAR.get();
    SO_FAR.set(Count { calls: calls + 1, bytes: earlier + bytes as u64 });
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn every_way_to_ask_for_memory_counts() {
    assert_eq!(counted(|| 1).0, Count::default());
    assert_eq!(counted(|| Box::new([0_u8; 10])).0, Count { calls: 1, bytes: 10 });
    assert_eq!(counted(|| vec![0_u8; 10]).0, Count { calls: 1, bytes: 10 });
    let mut grown = Vec::<u8>::with_capacity(10);
    assert_eq!(counted(|| grown.reserve_exact(20)).0, Count { calls: 1, bytes: 20 });
}
