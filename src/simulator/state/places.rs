//! Lists from which nothing is ever removed, and the places in them.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A place in a list of `T`. Only the list makes one, so it is right as long as the list lives.
#[derive(Debug)]
pub(crate) struct Place<T> {
    number: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Place<T> {}

impl<T> PartialEq for Place<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Place<T> {}

/// A list that only grows.
#[derive(Debug, Clone)]
pub(crate) struct Records<T> {
    all: Vec<T>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T> Records<T> {
    /// Adds one at the end.
    pub(crate) fn add(&mut self, one: T) -> Place<T> {
        let number = self.all.len();
        self.all.push(one);
        Place {
            number,
            kind: PhantomData,
        }
    }

    /// All, in the order they were added.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }
}

impl<T> Index<Place<T>> for Records<T> {
    type Output = T;
    fn index(&self, place: Place<T>) -> &T {
        self.all
            .get(place.number)
            .expect("bug in runner: a place outlived its list")
    }
}

impl<T> IndexMut<Place<T>> for Records<T> {
    fn index_mut(&mut self, place: Place<T>) -> &mut T {
        self.all
            .get_mut(place.number)
            .expect("bug in runner: a place outlived its list")
    }
}
