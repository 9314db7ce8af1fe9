//! How far a figure would be off if other tasks of the same kind had been taken: the bootstrap.
//!
//! Deterministic: the same values give the same interval, since the random numbers begin with the same seed each time.

const RESAMPLES: usize = 2_000;
const SEED: u64 = 7;

/// A figure and the interval that holds 95 % of what resampled tasks give.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The mean; `None` of no values.
pub(crate) fn mean(values: &[f64]) -> Option<Estimate> {
    estimate(values, |sample| sample.iter().sum::<f64>() / sample.len() as f64)
}

/// The least value that so many percent of them do not exceed; `None` of no values.
pub(crate) fn percentile(values: &[f64], percent: usize) -> Option<Estimate> {
    estimate(values, |sample| {
        let rank = (sample.len() * percent).div_ceil(100).max(1);
        *sample.select_nth_unstable_by(rank - 1, f64::total_cmp).1
    })
}

/// `statistic` may reorder what it is given.
fn estimate(values: &[f64], statistic: impl Fn(&mut [f64]) -> f64) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let mut dice = Dice(SEED);
    let mut sample = values.to_vec();
    let value = statistic(&mut sample);
    let mut resampled: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        sample.iter_mut().for_each(|place| *place = values[dice.below(values.len())]);
        resampled.push(statistic(&mut sample));
    }
    resampled.sort_unstable_by(f64::total_cmp);
    // Of 2,000, the 50 lowest and the 50 highest lie outside.
    let outside = RESAMPLES / 40;
    Some(Estimate { value, low: resampled[outside], high: resampled[RESAMPLES - outside - 1] })
}

/// SplitMix64: small, the same everywhere, and good enough for drawing places.
struct Dice(u64);

impl Dice {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, each as likely as the others but for less than one in 2^32.
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.draw()) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nothing_there_is_no_figure_and_of_one_value_no_doubt() {
        assert_eq!((mean(&[]), percentile(&[], 50)), (None, None));
        let sure = Some(Estimate { value: 0.25, low: 0.25, high: 0.25 });
        assert_eq!((mean(&[0.25; 9]), percentile(&[0.25], 99)), (sure, sure));
    }

    /// For a share `p` of `n` tasks the interval is near `p ± 1.96 · √(p (1 − p) / n)`.
    #[test]
    fn an_interval_is_as_wide_as_theory_says_and_the_same_each_time() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(u8::from(i % 4 == 0))).collect();
        let estimate = mean(&values).unwrap();
        assert_eq!(estimate.value, 0.25);
        assert!((estimate.low - 0.2076).abs() < 0.006 && (estimate.high - 0.2924).abs() < 0.006, "{estimate:?}");
        assert_eq!(mean(&values), Some(estimate));
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        for (percent, wanted) in [(50, 100.0), (99, 198.0), (100, 200.0), (0, 1.0)] {
            let estimate = percentile(&values, percent).unwrap();
            assert_eq!(estimate.value, wanted);
            assert!(estimate.low <= wanted && wanted <= estimate.high, "{estimate:?}");
        }
    }

    #[test]
    fn draws_reach_every_place() {
        let mut dice = Dice(SEED);
        let mut seen = [0; 7];
        (0..7_000).for_each(|_| seen[dice.below(7)] += 1);
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }
}
