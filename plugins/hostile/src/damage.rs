//! Damage to the bytes of a plugin, as a bad disk or a download that broke off does it: no look at what they mean.

/// The bytes with 1 to 8 bits turned over. The number decides which: the same one always does the same damage.
pub fn flipped(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let mut state = number;
    for _ in 0..=number % 8 {
        // The low bits of such a sequence repeat soon.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let Some(bit) = (state >> 16).checked_rem(damaged.len() as u64 * 8) else { break };
        damaged[(bit / 8) as usize] ^= 1 << (bit % 8);
    }
    damaged
}

/// The first half.
pub(crate) fn cut_off(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

/// Says another version of the contract wherever the version is named.
pub(crate) fn of_another_contract(bytes: &mut [u8]) {
    const OURS: &[u8] = b"@0.1.";
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(OURS) {
            bytes[at + OURS.len() - 2] = b'9';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_always_does_the_same_damage_and_each_its_own() {
        let sound = vec![0; 1000];
        let all: Vec<Vec<u8>> = (0..100).map(|number| flipped(&sound, number)).collect();
        for (number, damaged) in all.iter().enumerate() {
            assert_eq!(*damaged, flipped(&sound, number as u64));
            let bits: u32 = damaged.iter().map(|byte| byte.count_ones()).sum();
            assert!((1..=8).contains(&bits), "{number}: {bits}");
            assert!(!all[..number].contains(damaged), "{number}");
        }
        assert!(flipped(&[], 3).is_empty());
    }

    #[test]
    fn only_the_version_of_the_contract_changes() {
        let mut bytes = b"a/b@0.1.0 c@0.2.0 0.1.0 d@0.1.12 @0.1".to_vec();
        of_another_contract(&mut bytes);
        assert_eq!(bytes, b"a/b@0.9.0 c@0.2.0 0.1.0 d@0.9.12 @0.1");
    }
}
