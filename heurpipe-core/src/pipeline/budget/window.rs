//! The candidates of the last posts, and the threshold that lets as much through as may be spent.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::controller::Candidate;

/// About so many candidates are looked back on: enough for a fine threshold, few enough to follow a change of the mix.
const CANDIDATES: usize = 1024;
/// Candidates of posts further back than this say nothing about now.
const POSTS: u64 = 4096;

/// A candidate's place in the order of worth: by score, then by tie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rank {
    pub(super) score: f32,
    tie: f64,
}

impl Rank {
    /// What is not a number is worth nothing.
    pub(super) fn of(candidate: &Candidate) -> Self {
        let score = if candidate.score.is_nan() {
            0.0
        } else {
            candidate.score.clamp(0.0, 1.0)
        };
        let tie = candidate.tie;
        Self { score, tie }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| self.tie.total_cmp(&other.tie))
    }
}

/// From which rank on candidates are let through.
#[derive(Debug, Clone, Copy)]
pub(super) enum Threshold {
    All,
    From(Rank),
    None,
}

impl Threshold {
    pub(super) fn admits(&self, rank: &Rank) -> bool {
        match self {
            Self::All => true,
            Self::From(lowest) => rank.order(lowest) != Ordering::Less,
            Self::None => false,
        }
    }

    /// As a score, for people.
    pub(super) fn score(&self) -> f32 {
        match self {
            Self::All => 0.0,
            Self::From(lowest) => lowest.score,
            Self::None => 1.0,
        }
    }
}

/// Candidates that were looked at when so many posts had come in.
#[derive(Debug)]
struct Chunk {
    posts: u64,
    /// Each with the index of its enricher.
    ranks: Vec<(Rank, usize)>,
}

/// Recent candidates of all governed enrichers.
#[derive(Debug, Default)]
pub(super) struct Window {
    chunks: VecDeque<Chunk>,
    candidates: usize,
    /// The posts that had come in when the window begins.
    begins: u64,
}

impl Window {
    /// Takes candidates of an enricher in, and lets go of old ones.
    pub(super) fn add(&mut self, posts: u64, enricher: usize, ranks: &[Rank]) {
        self.candidates += ranks.len();
        let ranks = ranks.iter().map(|rank| (*rank, enricher));
        match self.chunks.back_mut() {
            Some(last) if last.posts == posts => last.ranks.extend(ranks),
            _ => self.chunks.push_back(Chunk {
                posts,
                ranks: ranks.collect(),
            }),
        }
        while let Some(oldest) = self.chunks.front()
            && oldest.posts < posts
            && (self.candidates - oldest.ranks.len() >= CANDIDATES || oldest.posts + POSTS < posts)
        {
            self.begins = oldest.posts;
            self.candidates -= oldest.ranks.len();
            self.chunks.pop_front();
        }
    }

    /// The threshold at which the candidates of the window would have cost so much a post, `cost` being that of an enricher's target.
    pub(super) fn threshold(
        &self,
        posts: u64,
        per_post: f64,
        cost: impl Fn(usize) -> f64,
    ) -> Threshold {
        let mut limit = per_post * (posts - self.begins) as f64;
        let mut ranks: Vec<(Rank, usize)> = self
            .chunks
            .iter()
            .flat_map(|chunk| chunk.ranks.iter().copied())
            .collect();
        ranks.sort_unstable_by(|(a, _), (b, _)| b.order(a));
        let mut threshold = Threshold::None;
        for (rank, enricher) in ranks {
            let cost = cost(enricher);
            // Rounded to whole targets.
            if limit < cost / 2.0 {
                return threshold;
            }
            limit -= cost;
            threshold = Threshold::From(rank);
        }
        Threshold::All
    }
}
