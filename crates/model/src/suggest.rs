//! "Did you mean ...?"

/// The candidate most like `name`, if one is like it at all: by the characters that are inserted, deleted,
/// replaced, or swapped with their neighbour (optimal string alignment; Damerau, CACM 7(3), 1964).
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    if length > 64 {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len() <= 64)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + length.max(candidate.chars().count()) / 4 && *distance < length
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters to insert, delete, replace, or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    // The rows for the prefixes of `left` two, one and no characters shorter than the current.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let replaced = last[column - 1] + usize::from(left[row - 1] != right[column - 1]);
            let mut best = replaced.min(last[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                best = best.min(before_last[column - 2] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("eto", "eot", 1),
            ("ab", "ba", 1),
            ("bcats", "bcast", 1),
            ("日本", "日", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn only_similar_names_are_suggested() {
        assert_eq!(closest("nodes", ["log", "node"]), Some("node"));
        assert_eq!(closest("a", ["b", "c"]), None);
        assert_eq!(closest("zebra", ["log", "node"]), None);
        assert_eq!(closest("log", ["log"]), None);
    }
}
