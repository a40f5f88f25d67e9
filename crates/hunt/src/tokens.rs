//! Values that the workload writes, found in messages and files.

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::bytes::Regex;

/// Shorter runs of its letters are words more often than base64.
const ENCODED_LENGTH_MIN: usize = 8;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The values that stand in these bytes, as they are or in base64 (RFC 4648, section 4), in which interfaces
/// that speak JSON wrap them: etcd's, Consul's and others.
pub(crate) fn find(patterns: &[Regex], bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if patterns.is_empty() {
        return found;
    }
    let mut search = |bytes: &[u8]| {
        let matches = patterns.iter().flat_map(|pattern| pattern.find_iter(bytes));
        found.extend(matches.map(|each| String::from_utf8_lossy(each.as_bytes()).into_owned()));
    };
    search(bytes);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    for run in bytes.split(|byte| !is_letter(byte)) {
        if run.len() >= ENCODED_LENGTH_MIN
            && let Ok(decoded) = BASE64.decode(run)
        {
            search(&decoded);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_as_they_are_and_in_base64() {
        let patterns = [Regex::new("value-[0-9]+").expect("an expression")];
        let of = |text: &str| find(&patterns, text.as_bytes()).into_iter().collect::<Vec<_>>();
        assert_eq!(of("SET x value-1, SET y value-22"), ["value-1", "value-22"]);
        // base64 of "value-1", "value-12", "value-123".
        for (encoded, value) in [
            ("dmFsdWUtMQ==", "value-1"),
            ("dmFsdWUtMTI=", "value-12"),
            ("dmFsdWUtMTIz", "value-123"),
        ] {
            assert_eq!(of(&format!(r#"{{"key":"eA==","value":"{encoded}"}}"#)), [value]);
            assert_eq!(of(encoded.trim_end_matches('=')), [value]);
        }
        assert_eq!(of("abcdefgh ijklmnopq"), Vec::<String>::new());
        assert_eq!(find(&[], b"value-1").len(), 0);
    }
}
