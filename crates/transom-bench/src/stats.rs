//! Medians and tails.

/// The value in the middle of `values`, which are put in order; 0 if there are none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(upper), 0) => (values[middle - 1] + upper) / 2.0,
        (Some(value), _) => *value,
    }
}

/// The value that one in `of` of `sorted` reaches or passes; `None` if fewer than two do, which would be
/// chance.
pub(crate) fn slowest_one_in(sorted: &[u64], of: usize) -> Option<u64> {
    let beyond = sorted.len() / of;
    (beyond >= 2).then(|| sorted[sorted.len() - beyond])
}

/// What was measured of one case, round by round.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// The case's value in each round, in the terms of `Unit::comparable`.
    pub(crate) rounds: Vec<f64>,
    /// Every operation that was timed by itself, in nanoseconds.
    pub(crate) each: Vec<u64>,
}

impl Series {
    /// The value in the middle of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(&mut self.rounds.clone())
    }

    /// The lowest and the highest round.
    pub(crate) fn range(&self) -> (f64, f64) {
        let low = self.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.rounds.iter().copied().fold(0.0, f64::max);
        (low.min(high), high)
    }

    /// The median of the ratios to `other` within each round; `None` if they share no round.
    pub(crate) fn ratio(&self, other: &Series) -> Option<f64> {
        let mut ratios: Vec<f64> = self
            .rounds
            .iter()
            .zip(&other.rounds)
            .filter(|(_, floor)| **floor > 0.0)
            .map(|(a, b)| a / b)
            .collect();
        (!ratios.is_empty()).then(|| median(&mut ratios))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        assert_eq!(median(&mut []), 0.0);
        assert_eq!(median(&mut [5.0]), 5.0);
        assert_eq!(median(&mut [9.0, 1.0, 4.0]), 4.0);
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 2.0]), 3.0);
    }

    #[test]
    fn a_tail_needs_two_values() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(slowest_one_in(&values, 100), Some(199));
        assert_eq!(slowest_one_in(&values[..199], 100), None);
        assert_eq!(slowest_one_in(&[], 1000), None);
    }

    #[test]
    fn a_ratio_is_taken_within_rounds() {
        // The machine was twice as slow in the second half: neither median shows it, the ratio survives it.
        let floor = Series { rounds: vec![10.0, 10.0, 20.0, 20.0], each: Vec::new() };
        let figure = Series { rounds: vec![15.0, 15.0, 30.0, 30.0], each: Vec::new() };
        assert_eq!(figure.ratio(&floor), Some(1.5));
        assert_eq!(figure.ratio(&Series::default()), None);
        assert_eq!(figure.range(), (15.0, 30.0));
    }
}
