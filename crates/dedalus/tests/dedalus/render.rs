//! Diagnostics as text, whatever the source looks like.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::compile_text;
use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::render::{Style, render};
use linchpin_dedalus::source::{FileId, SourceFile, SourceMap, Span};

use crate::support::{compile, shown};

#[test]
fn a_diagnostic_shows_its_line() {
    let expected = "\
error[D0023]: this fact of `p` has no time
 --> main.ded:2:1
  |
2 | p(\"a\");
  | ^^^^^^ at which time step does it hold?
  |
  = help: write `@1` after it for a fact that holds at the first step

";
    assert_eq!(shown("q(\"a\")@1;\np(\"a\");\n"), expected);
}

#[test]
fn colour_is_decoration_only() {
    let compilation = compile("p(\"a\");");
    let diagnostic = &compilation.diagnostics[0];
    let colour = render(diagnostic, &compilation.sources, Style::Colour);
    let mut plain = String::new();
    let mut rest = colour.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').expect("a colour ends with `m`").1;
    }
    plain.push_str(rest);
    assert_eq!(plain, render(diagnostic, &compilation.sources, Style::Plain));
    assert_ne!(plain, colour);
}

#[test]
fn marks_stand_under_wide_and_tabbed_text() {
    let text = "p(\"日本\",\t\"é\", 3.5)@1;";
    let shown = shown(text);
    let lines: Vec<&str> = shown.lines().collect();
    // Wide characters take two columns, a tab four.
    assert_eq!(lines[3], "1 | p(\"日本\",    \"é\", 3.5)@1;");
    assert_eq!(lines[4], "  |                   ^^^ not an integer");
}

#[test]
fn carriage_returns_are_not_shown() {
    let shown = shown("p(\"a\")@1;\r\n\r\nq(\"a\r\nr(\"a\")@1;\r\n");
    assert!(!shown.contains('\r'), "{shown:?}");
    assert!(shown.contains("3 | q(\"a\n"), "{shown}");
}

#[test]
fn control_characters_are_not_sent_to_the_terminal() {
    for text in ["p(\"\u{1b}[31m\")@0;", "p(\"a\u{7}\u{8}\")@0;", "\u{1b}", "p\u{1b}"] {
        let shown = shown(text);
        assert!(
            !shown.chars().any(|character| character.is_control() && character != '\n'),
            "{shown:?}"
        );
    }
    let compilation = compile_text("a\u{1b}[31m\nb.ded", "p(\"a\");");
    let text = render(&compilation.diagnostics[0], &compilation.sources, Style::Plain);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn the_end_of_the_file_is_a_place() {
    for text in ["p(", "p(\n", "p(\r\n", "p(\"a\"", "p(\"é", "p(\"a\") :-\n\n\n"] {
        let shown = shown(text);
        assert!(shown.contains("main.ded:"), "{shown}");
    }
}

#[test]
fn long_lines_are_cut() {
    let start = "p(\"a\")@1; ".repeat(1_000_000);
    let text = format!("{start}q(\"a\"); {start}");
    let shown = shown(&text);
    assert!(shown.len() < 1_000, "{}", shown.len());
    assert!(shown.contains("...") && shown.contains("q(\"a\");"), "{shown}");
    assert!(shown.contains("at which time step"), "{shown}");
}

#[test]
fn long_marks_and_far_marks_are_cut() {
    let long = "x".repeat(1_000_000);
    let text = format!("p(\"a\", 1)@1; p(\"b\", \"{long}\")@1;");
    assert!(shown(&text).len() < 2_000);
    // Two marks on one line, far from each other.
    let middle = "p(\"a\", 1)@1; ".repeat(100_000);
    let text = format!("{middle}p(\"b\", \"x\")@1;");
    let text = shown(&text);
    assert!(
        text.len() < 2_000 && text.contains("a string") && text.contains("an integer"),
        "{text}"
    );
    // Two marks many lines apart.
    let text = format!("p(\"a\", 1)@1;{}p(\"b\", \"x\")@1;", "\n".repeat(100_000));
    let text = shown(&text);
    assert!(text.len() < 2_000 && text.contains("100001 |"), "{text}");
    // One mark over many lines.
    let text = format!("p(\"a\"{}, 1);", "\n".repeat(100_000));
    assert!(shown(&text).len() < 2_000);
}

#[test]
fn any_span_can_be_rendered() {
    let text = "a\tb\r\n\u{301}é\n\n日本\u{200b}\r\r\nend";
    let sources =
        SourceMap { files: vec![SourceFile { path: "x".to_owned(), text: text.to_owned() }] };
    let length = text.len() as u32 + 3;
    for start in 0..length {
        for end in start..length {
            let span = Span { file: FileId(0), start, end };
            let other = Span { file: FileId(0), start: length - end, end: length - start };
            let diagnostic = Diagnostic::at(Code::Syntax, span, "m", "l").with_label(other, "o");
            let shown = render(&diagnostic, &sources, Style::Plain);
            assert!(shown.starts_with("error[D0020]: m\n"), "{span:?} {shown}");
        }
    }
}
