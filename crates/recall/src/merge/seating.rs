//! Places that are given one after the other: what quota, snake and priority share.

use catchment_schema::Score;

use super::union::Union;

/// Who sits where. Scores of different channels are never compared.
pub(super) struct Seating<'a> {
    union: &'a Union,
    /// Per list, the first place that was not looked at.
    next: Vec<usize>,
    taken: Vec<bool>,
    seated: Vec<u32>,
    total: usize,
}

impl<'a> Seating<'a> {
    /// `total` empty seats.
    pub(super) fn new(union: &'a Union, total: usize) -> Self {
        Self {
            union,
            next: vec![0; union.n_lists()],
            taken: vec![false; union.found.len()],
            seated: Vec::with_capacity(total.min(union.found.len())),
            total,
        }
    }

    /// Seats the best item of the list that has no seat yet; says whether there was one, and room for it.
    pub(super) fn seat_next_of(&mut self, list: usize) -> bool {
        if self.seated.len() == self.total {
            return false;
        }
        let places = self.union.list(list);
        while let Some(&position) = places.get(self.next[list]) {
            self.next[list] += 1;
            if !std::mem::replace(&mut self.taken[position as usize], true) {
                self.seated.push(position);
                return true;
            }
        }
        false
    }

    /// One item a list, again and again in the order of the lists, until the seats or the items are used up.
    pub(super) fn in_turn(&mut self) {
        loop {
            let before = self.seated.len();
            for list in 0..self.next.len() {
                self.seat_next_of(list);
            }
            if self.seated.len() == before {
                break;
            }
        }
    }

    /// The items in the order in which they were seated; each scores the reciprocal of its place.
    pub(super) fn seated(self) -> Vec<(u32, Score)> {
        let scored = self.seated.into_iter().enumerate();
        scored
            .map(|(place, position)| (position, Score::clamped(1.0 / (place + 1) as f32)))
            .collect()
    }
}
