//! What an objective adds to skip-gram with negative sampling.

use catchment_sampling::GroupedUnigram;
use xxhash_rust::xxh3::Xxh3Default;

/// Terms beside the pairs of a window and their negatives. For a centre `l`, all with its own input vector:
///
/// ```text
/// [session has a goal b] log σ(⟨u_l, v_b⟩)  +  Σ_m log σ(−⟨u_l, v_m⟩)  +  Σ_r log σ(−⟨u_l, v_r⟩)
/// ```
///
/// `m` are negatives of the centre's own group, `r` what the session says was turned down where `l` stands. The default
/// adds nothing: Item2Vec.
#[derive(Clone, Debug, Default)]
pub struct Objective {
    /// The goal of a session is a positive of everything in it, inside the window or not (global context).
    pub global_goal: bool,
    /// Negatives of the centre's own group.
    pub group_negatives: Option<GroupNegatives>,
    /// Pairs that were turned down ([`Session::rejects`](catchment_sampling::Session::rejects)) are negatives. Where more
    /// than 100 of a session are the centre's, each time that it stands there, 100 are drawn evenly.
    pub rejects: bool,
}

/// Negatives of the centre's own group: its market, its category.
#[derive(Clone, Debug)]
pub struct GroupNegatives {
    /// The group of each item; one without a group gets no such negative.
    pub groups: Vec<Option<u32>>,
    /// How many for every centre. They are drawn as the other negatives are, by the same power of the frequency, and
    /// what is the centre, in its window or, where it is a positive, the goal is drawn anew.
    pub negatives: usize,
}

/// An objective, ready to be drawn from.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) global_goal: bool,
    pub(super) rejects: bool,
    pub(super) groups: Option<(GroupedUnigram, usize)>,
}

impl Drawn {
    pub(super) fn new(objective: &Objective, counts: &[u64], exponent: f64) -> crate::Result<Self> {
        let groups = match &objective.group_negatives {
            Some(group) if group.negatives > 0 => Some((
                GroupedUnigram::new(counts, &group.groups, exponent)?,
                group.negatives,
            )),
            _ => None,
        };
        Ok(Self {
            global_goal: objective.global_goal,
            rejects: objective.rejects,
            groups,
        })
    }
}

impl Objective {
    /// Over everything that changes what is learned; 0 where nothing is added.
    pub(super) fn hash(&self) -> u64 {
        let mut hash = Xxh3Default::new();
        let groups = self.group_negatives.as_ref().filter(|group| group.negatives > 0);
        if !self.global_goal && !self.rejects && groups.is_none() {
            return 0;
        }
        hash.update(&[u8::from(self.global_goal), u8::from(self.rejects)]);
        if let Some(group) = groups {
            hash.update(&(group.negatives as u64).to_le_bytes());
            for group in &group.groups {
                hash.update(&group.map_or(u64::MAX, u64::from).to_le_bytes());
            }
        }
        hash.digest()
    }

    /// Bytes that a training takes beside those of [`memory_bytes`](super::memory_bytes), at most.
    pub fn memory_bytes(&self) -> usize {
        let groups = self.group_negatives.as_ref().filter(|group| group.negatives > 0);
        groups.map_or(0, |group| {
            let n_groups = group.groups.iter().flatten().max();
            GroupedUnigram::bytes(group.groups.len(), n_groups.map_or(0, |&last| last as usize + 1))
        })
    }
}
