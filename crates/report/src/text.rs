//! Rows, times and places in words.

use linchpin_record::{Absence, Header, Value};

/// `relation("a", 1)`.
pub(crate) fn row(header: &Header, relation: u32, row: &[Value]) -> String {
    let columns: Vec<String> = row.iter().map(ToString::to_string).collect();
    format!("{}({})", relation_name(header, relation), columns.join(", "))
}

/// `relation("a", _)`.
pub(crate) fn pattern(header: &Header, absence: &Absence) -> String {
    let columns: Vec<String> = absence
        .row
        .iter()
        .map(|column| column.as_ref().map_or_else(|| "_".to_owned(), ToString::to_string))
        .collect();
    format!("{}({})", relation_name(header, absence.relation), columns.join(", "))
}

pub(crate) fn relation_name(header: &Header, relation: u32) -> &str {
    &header.vocabulary.relations[relation as usize].name
}

/// A rule on one line, without comments.
pub(crate) fn rule(header: &Header, rule: u32) -> String {
    let text = &header.vocabulary.rules[rule as usize].text;
    let lines = text.lines().map(|line| without_comment(line).trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A line up to a `//` that is not inside a string.
fn without_comment(line: &str) -> &str {
    let mut in_string = false;
    let mut escaped = false;
    for (index, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '/' if !in_string && line[index..].starts_with("//") => return &line[..index],
            _ => {}
        }
    }
    line
}

/// `file.ded:12`.
pub(crate) fn place(header: &Header, rule: u32) -> String {
    let place = header.vocabulary.rules[rule as usize].place;
    format!("{}:{}", header.files[place.file as usize].path, place.line)
}

/// Time steps in order as words: `at time 2`, `from time 2 to 4`, `from time 2 on`,
/// `at times 2, 4 to 6`.
pub(crate) fn times(times: &[u32], eot: u32) -> String {
    let ranges = ranges(times);
    match ranges.as_slice() {
        [] => "never".to_owned(),
        [(first, last)] if first == last && *last == eot => format!("at the end (time {last})"),
        [(first, last)] if first == last => format!("at time {first}"),
        [(1, last)] if *last == eot => "at all times".to_owned(),
        [(first, last)] if *last == eot => format!("from time {first} on"),
        [(first, last)] => format!("from time {first} to {last}"),
        many => {
            let parts: Vec<String> =
                many.iter()
                    .map(|(first, last)| {
                        if first == last { first.to_string() } else { format!("{first} to {last}") }
                    })
                    .collect();
            format!("at times {}", parts.join(", "))
        }
    }
}

/// Runs of consecutive numbers.
pub(crate) fn ranges(times: &[u32]) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &time in times {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == time => *last = time,
            Some((_, last)) if *last == time => {}
            _ => ranges.push((time, time)),
        }
    }
    ranges
}

/// `1 message`, `2 messages`.
pub(crate) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `a`, `a and b`, `a, b and c`; with more than `max`, `a, b and 7 more`.
pub(crate) fn list(items: &[String], max: usize) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        _ if items.len() > max => {
            format!("{} and {} more", items[..max].join(", "), items.len() - max)
        }
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        for (steps, expected) in [
            (&[][..], "never"),
            (&[3], "at time 3"),
            (&[6], "at the end (time 6)"),
            (&[1, 2, 3, 4, 5, 6], "at all times"),
            (&[2, 3], "from time 2 to 3"),
            (&[4, 5, 6], "from time 4 on"),
            (&[1, 3, 4], "at times 1, 3 to 4"),
        ] {
            assert_eq!(times(steps, 6), expected);
        }
    }

    #[test]
    fn comments_end_where_strings_do_not() {
        assert_eq!(without_comment(r#"p("a//b") // c"#), r#"p("a//b") "#);
        assert_eq!(without_comment(r#"p("\"//") // c"#), r#"p("\"//") "#);
    }
}
