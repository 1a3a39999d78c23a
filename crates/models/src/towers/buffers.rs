//! Memory of earlier steps, to be written over: a step's matrices are as large as the last one's, and clearing them first
//! would cost as much as filling them.

/// More are not kept.
const MOST: usize = 32;

/// Vectors that nobody needs any more.
#[derive(Default)]
pub(crate) struct Buffers {
    free: Vec<Vec<f32>>,
}

impl Buffers {
    /// So many numbers, whatever they are: for who writes all of them.
    pub(crate) fn take(&mut self, len: usize) -> Vec<f32> {
        let large_enough = |(place, vector): (usize, &Vec<f32>)| {
            let capacity = vector.capacity();
            (capacity >= len).then_some((capacity, place))
        };
        let best = self.free.iter().enumerate().filter_map(large_enough).min();
        let mut vector = if let Some((_, place)) = best {
            self.free.swap_remove(place)
        } else {
            // In the place of the one that comes nearest: where sizes grow from step to step, those of before go.
            self.free.sort_unstable_by_key(Vec::capacity);
            drop(self.free.pop());
            Vec::with_capacity(len)
        };
        vector.resize(len, 0.0);
        vector
    }

    /// Takes a vector back.
    pub(crate) fn give(&mut self, vector: Vec<f32>) {
        if self.free.len() < MOST && vector.capacity() > 0 {
            self.free.push(vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_taken_again_by_whom_it_fits_best() {
        let mut buffers = Buffers::default();
        let (large, small) = (buffers.take(1000), buffers.take(10));
        let (of_large, of_small) = (large.as_ptr(), small.as_ptr());
        buffers.give(large);
        buffers.give(small);
        let small = buffers.take(7);
        assert_eq!((small.len(), small.as_ptr()), (7, of_small));
        let large = buffers.take(7);
        assert_eq!((large.len(), large.as_ptr()), (7, of_large));
        buffers.give(large);
        assert_eq!(buffers.take(1000).len(), 1000);
        for _ in 0..2 * MOST {
            buffers.give(vec![0.0]);
        }
        assert_eq!(buffers.free.len(), MOST);
        // Each larger than all before: none of those is kept.
        let mut growing = Buffers::default();
        for len in 1..100 {
            let vector = growing.take(1000 * len);
            growing.give(vector);
        }
        assert_eq!(growing.free.len(), 1);
    }
}
