//! Templates: `{name}` in commands, environment and files.

use std::collections::BTreeMap;
use std::ops::Range;

use linchpin_model::closest;

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str, usize),
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateError {
    /// Where in the template, in bytes.
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

const BRACES: &str = "write `{{` and `}}` for braces";

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut at = 0;
    while let Some(brace) = rest.find(['{', '}']) {
        pieces.push(Piece::Text(&rest[..brace]));
        let tail = &rest[brace..];
        let offset = at + brace;
        let used = if tail.starts_with("{{") || tail.starts_with("}}") {
            pieces.push(Piece::Text(&tail[..1]));
            2
        } else if let Some(body) = tail.strip_prefix('{') {
            let Some(end) = body.find('}') else {
                return Err(TemplateError {
                    span: offset..offset + 1,
                    message: "a brace is opened and not closed".into(),
                    help: BRACES.into(),
                });
            };
            pieces.push(Piece::Name(&body[..end], offset + 1));
            end + 2
        } else {
            return Err(TemplateError {
                span: offset..offset + 1,
                message: "a brace is closed that was not opened".into(),
                help: BRACES.into(),
            });
        };
        rest = &tail[used..];
        at = offset + used;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Checks that a template names only what `known` holds.
pub(crate) fn check(template: &str, known: &[String]) -> Result<(), TemplateError> {
    for piece in pieces(template)? {
        if let Piece::Name(name, at) = piece
            && !known.iter().any(|known| known == name)
        {
            let help = match closest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{{{near}}}`?"),
                None => format!("{BRACES}; there are: {}", known.join(", ")),
            };
            return Err(TemplateError {
                span: at..at + name.len(),
                message: format!("nothing is called `{{{name}}}` here"),
                help,
            });
        }
    }
    Ok(())
}

/// Fills a template in. Names without a value stay as they are: [`check`] has found them.
pub(crate) fn fill(template: &str, values: &BTreeMap<String, String>) -> String {
    let Ok(pieces) = pieces(template) else { return template.to_owned() };
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Name(name, _) => {
                values.get(name).cloned().unwrap_or_else(|| format!("{{{name}}}"))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let values = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        assert_eq!(fill("x{a}y{{a}}{a}", &values), "x1y{a}1");
        assert_eq!(fill("", &values), "");
    }

    #[test]
    fn mistakes_have_places() {
        let known = ["address".to_owned(), "node.b.address".to_owned()];
        assert_eq!(check("{address}:{{}}", &known), Ok(()));
        let error = check("at {adress}", &known).unwrap_err();
        assert_eq!((error.span, error.help.as_str()), (4..10, "did you mean `{address}`?"));
        assert_eq!(check("{x", &known).unwrap_err().span, 0..1);
        assert_eq!(check("a}", &known).unwrap_err().span, 1..2);
        assert!(check("{}", &known).unwrap_err().help.contains("node.b.address"));
    }
}
