//! The lines of a file that a diagnostic is about, cut to a size a person can read.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::Label;
use crate::source::SourceMap;

/// Lines longer than this, in characters, are cut.
const LINE_CHARACTERS_MAX: usize = 160;
/// How much of a cut line stands before and after a mark.
const CONTEXT_CHARACTERS: usize = 40;
/// A mark over more lines than this is cut to its first line.
const MARK_LINES_MAX: usize = 6;
/// What stands for text cut away.
const ELLIPSIS: &str = "...";

/// A place to mark.
#[derive(Debug)]
pub(super) struct Mark {
    /// Bytes of [`Excerpt::text`].
    pub(super) range: Range<usize>,
    pub(super) label: String,
    pub(super) primary: bool,
}

/// Some consecutive lines of a file. Lines far from any mark are empty.
#[derive(Debug)]
pub(super) struct Excerpt {
    pub(super) path: String,
    pub(super) text: String,
    /// The number of the first line, from 1.
    pub(super) line_start: usize,
    pub(super) marks: Vec<Mark>,
}

impl Excerpt {
    /// The excerpt of one file for labels of that file (true: the primary one).
    pub(super) fn new(sources: &SourceMap, labels: &[(&Label, bool)]) -> Self {
        let file = sources.file(labels[0].0.span.file);
        let source = file.text.as_str();
        let ranges: Vec<Range<usize>> = labels
            .iter()
            .map(|(label, _)| clamp(source, label.span.start as usize..label.span.end as usize))
            .collect();
        let first = ranges.iter().map(|range| range.start).min().unwrap_or(0);
        let last = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        let start = line_start(source, first);
        let end = line_end(source, last);
        // What is wanted of each marked line, by its first byte: the range to keep.
        let mut wanted: BTreeMap<usize, Range<usize>> = BTreeMap::new();
        for range in &ranges {
            let mut position = range.start;
            loop {
                let begin = line_start(source, position);
                let stop = line_end(source, position);
                let part = range.start.max(begin)..range.end.min(stop);
                wanted
                    .entry(begin)
                    .and_modify(|known| {
                        *known = known.start.min(part.start)..known.end.max(part.end)
                    })
                    .or_insert(part);
                if stop >= range.end || stop >= source.len() {
                    break;
                }
                position = stop + 1;
            }
        }
        // The text, and where each kept piece of the source went.
        let mut text = String::new();
        let mut pieces: Vec<(Range<usize>, usize)> = Vec::new();
        for line in source[start..end].split_inclusive('\n') {
            let begin = line.as_ptr() as usize - source.as_ptr() as usize;
            let content = line.trim_end_matches(['\n', '\r']);
            if let Some(part) = wanted.get(&begin) {
                let keep = window(content, part.start - begin..part.end - begin);
                if keep.start > 0 {
                    text.push_str(ELLIPSIS);
                }
                pieces.push((begin + keep.start..begin + keep.end, text.len()));
                text.push_str(&content[keep.clone()]);
                if keep.end < content.len() {
                    text.push_str(ELLIPSIS);
                }
            } else if content.len() <= LINE_CHARACTERS_MAX {
                text.push_str(content);
            }
            if line.ends_with('\n') {
                text.push('\n');
            }
        }
        let place = |offset: usize| {
            let index = pieces.partition_point(|(piece, _)| piece.start <= offset);
            let Some((piece, at)) = pieces.get(index.saturating_sub(1)) else { return text.len() };
            at + offset.clamp(piece.start, piece.end) - piece.start
        };
        let marks = labels
            .iter()
            .zip(&ranges)
            .map(|((label, primary), range)| Mark {
                range: place(range.start)..place(range.end),
                label: label.text.clone(),
                primary: *primary,
            })
            .collect();
        let line_start = source[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self { path: file.path.clone(), text, line_start, marks }
    }
}

/// A range within the source, at character boundaries, over few lines.
fn clamp(source: &str, range: Range<usize>) -> Range<usize> {
    let start = floor(source, range.start);
    let end = floor(source, range.end).max(start);
    let lines = source[start..end].bytes().filter(|byte| *byte == b'\n').count();
    let end = if lines < MARK_LINES_MAX { end } else { line_end(source, start) };
    start..end
}

/// The last character boundary at or before `offset`.
fn floor(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn line_start(source: &str, offset: usize) -> usize {
    source[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Before the line break.
fn line_end(source: &str, offset: usize) -> usize {
    source[offset..].find('\n').map_or(source.len(), |length| offset + length)
}

/// The part of a line to keep, so that it shows the start of `marked` and, if there is room, all
/// of it.
fn window(line: &str, marked: Range<usize>) -> Range<usize> {
    if line.len() <= LINE_CHARACTERS_MAX || line.chars().count() <= LINE_CHARACTERS_MAX {
        return 0..line.len();
    }
    let marked_start = marked.start.min(line.len());
    let before = line[..marked_start].char_indices().rev().take(CONTEXT_CHARACTERS).last();
    let start = before.map_or(marked_start, |(index, _)| index);
    let mut end = line.len();
    let mut indices = line[start..].char_indices().map(|(index, _)| start + index);
    if let Some(limit) = indices.nth(LINE_CHARACTERS_MAX) {
        end = limit;
    }
    start..end
}
