//! From tokens to faults. Every mistake is reported, with its place; a mistake in one clause does
//! not hide those in others. The grammar stands in `docs/formats/faults.md`.

use std::ops::Range;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, nearest};
use crate::errno::{ERRORS, Errno};
use crate::fault::{
    Count, Data, Effect, Fault, Kind, Lateness, Name, Pattern, Side, Trigger, Until, wildcard,
};
use crate::token::{Token, tokens};

/// Words that begin a clause; as a name or label they stand in double quotes.
const CLAUSES: [&str; 13] = [
    "before",
    "after",
    "since",
    "at",
    "from",
    "until",
    "for",
    "by",
    "to",
    "byte",
    "port",
    "connection",
    "keep",
];

pub(crate) fn is_keyword(word: &str) -> bool {
    word == "lose" || CLAUSES.contains(&word)
}

/// Parses one fault.
pub fn parse_fault(text: &str) -> Result<Fault, Vec<Diagnostic>> {
    parse_at(text, 0)
}

/// Parses a file of faults: one on each line; what follows `//` is a comment.
pub fn parse_faults(source: &str) -> Result<Vec<Fault>, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut wrong = Vec::new();
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        let text = line.split("//").next().unwrap_or_default().trim_end();
        if !text.trim().is_empty() {
            match parse_at(text, start) {
                Ok(fault) => faults.push(fault),
                Err(diagnostics) => wrong.extend(diagnostics),
            }
        }
        start += line.len();
    }
    if wrong.is_empty() { Ok(faults) } else { Err(wrong) }
}

fn parse_at(text: &str, start: usize) -> Result<Fault, Vec<Diagnostic>> {
    let (tokens, wrong) = tokens(text, start);
    let end = start + text.len();
    let mut parser = Parser { tokens, at: 0, end, wrong, node: None };
    let fault = parser.fault();
    parser.wrong.sort_by_key(|diagnostic| diagnostic.span.start);
    match fault {
        Some(fault) if parser.wrong.is_empty() => Ok(fault),
        _ => Err(parser.wrong),
    }
}

/// A duration such as `300ms`, `1.5s`, `2m`.
pub(crate) fn duration(word: &str) -> Option<Duration> {
    let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = word.split_at(digits);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    let length = Duration::try_from_secs_f64(number * seconds).ok()?;
    // Half a microsecond is the rounding of the decimal, not of the user.
    let nanos = u64::try_from(length.as_nanos()).ok()?.checked_add(500)?;
    Some(Duration::from_micros(nanos / 1000))
}

/// A failed clause; its diagnostic was pushed.
struct Failed;
type Parsed<T> = Result<T, Failed>;

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    wrong: Vec<Diagnostic>,
    /// The node the effect is about: that of events which name none.
    node: Option<Name>,
}

/// What the clauses said.
#[derive(Default)]
struct Clauses {
    trigger: Option<Trigger>,
    given: Vec<Pattern>,
    since: Option<Pattern>,
    pause: Duration,
    until: Option<Until>,
    by: Option<Duration>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// The token at hand if it is an unquoted word.
    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, span)| span.clone())
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Parsed<T> {
        self.wrong.push(diagnostic);
        Err(Failed)
    }

    fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let found = match self.peek() {
            None => "the fault ends here".to_owned(),
            Some(Token::Word(word) | Token::Quoted(word)) => format!("found `{word}`"),
            Some(Token::Count(text)) => format!("found `#{text}`"),
            Some(Token::Step(text)) => format!("found `@{text}`"),
            Some(Token::Forth) => "found `->`".into(),
            Some(Token::Back) => "found `<-`".into(),
            Some(Token::Comma) => "found `,`".into(),
            Some(Token::Bar) => "found `|`".into(),
            Some(Token::Open) => "found `{`".into(),
            Some(Token::Close) => "found `}`".into(),
        };
        let span = self.span();
        self.fail(Diagnostic::new(span, format!("expected {what}; {found}")))
    }

    fn fault(&mut self) -> Option<Fault> {
        let start = self.span();
        let (word, usage) = match self.effect_word() {
            Ok(found) => found,
            Err(Failed) => {
                self.step_diagnostics();
                return None;
            }
        };
        let clauses_start = self.at;
        let effect = self.effect(word, usage);
        if effect.is_err() {
            // What follows is checked as well, from the next clause on.
            self.at = self.at.max(clauses_start);
            self.skip_to_clause();
        }
        let clauses = self.clauses(word);
        let effect = effect.ok()?;
        self.assemble(effect, clauses, start)
    }

    fn effect_word(&mut self) -> Parsed<(&'static str, &'static str)> {
        let span = self.span();
        let words = || Effect::WORDS.iter().map(|(word, _)| *word);
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("an effect, such as `crash` or `delay`");
        };
        self.at += 1;
        if let Some(found) = Effect::WORDS.iter().find(|(known, _)| *known == word) {
            return Ok(*found);
        }
        let hint = match nearest(&word, words()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", words().collect::<Vec<_>>().join(", ")),
        };
        self.fail(Diagnostic::new(span, format!("there is no effect `{word}`")).hint(hint))
    }

    fn effect(&mut self, word: &str, usage: &str) -> Parsed<Effect> {
        let before = self.wrong.len();
        let effect = self.effect_body(word);
        if effect.is_err()
            && let Some(first) = self.wrong.get_mut(before)
            && first.hint.is_none()
        {
            first.hint = Some(format!("write `{usage}`"));
        }
        effect
    }

    fn effect_body(&mut self, word: &str) -> Parsed<Effect> {
        if matches!(word, "crash" | "silent-crash" | "power-loss" | "restart" | "recover" | "pause")
        {
            let node = self.name("the name of a node")?;
            self.node = Some(node.clone());
            return Ok(match word {
                "crash" => Effect::Crash(node),
                "silent-crash" => Effect::SilentCrash(node),
                "power-loss" => Effect::PowerLoss(node),
                "pause" => Effect::Pause(node),
                "restart" if self.take_word("lose") => Effect::Restart(node, Data::Lose),
                _ => {
                    self.take_word("keep");
                    Effect::Restart(node, Data::Keep)
                }
            });
        }
        match word {
            "partition" => self.partition(),
            "stall" | "reset" => {
                let (from, to) = self.link()?;
                self.node = Some(from.clone());
                Ok(if word == "stall" { Effect::Stall(from, to) } else { Effect::Reset(from, to) })
            }
            "delay" => {
                let pattern = self.subject(Kind::Send)?;
                Ok(Effect::Delay(pattern, Lateness::By(Duration::ZERO)))
            }
            "omit" => Ok(Effect::Omit(self.subject(Kind::Send)?)),
            "duplicate" => Ok(Effect::Duplicate(self.subject(Kind::Send)?)),
            "reorder" => Ok(Effect::Reorder(self.subject(Kind::Send)?)),
            "corrupt" => {
                let pattern = self.subject(Kind::Send)?;
                let byte = if self.take_word("byte") { Some(self.number("a byte")?) } else { None };
                Ok(Effect::Corrupt(pattern, byte))
            }
            "refuse" => Ok(Effect::Refuse(self.subject(Kind::Connect)?)),
            "time-out" => Ok(Effect::TimeOut(self.subject(Kind::Connect)?)),
            "hang" => Ok(Effect::Hang(self.subject(Kind::Connect)?)),
            "error" => self.error(),
            _ => self.short_write(),
        }
    }

    fn partition(&mut self) -> Parsed<Effect> {
        let mut groups = vec![self.group()?];
        while self.take(&Token::Bar) {
            groups.push(self.group()?);
        }
        if groups.len() < 2 {
            return self.expected("`|` and another group of nodes");
        }
        let all: Vec<&Name> = groups.iter().flatten().collect();
        for (index, name) in all.iter().enumerate() {
            if all[..index].iter().any(|before| before.text == name.text) {
                let message = format!("`{}` stands in the partition twice", name.text);
                let hint = "each node is on one side";
                self.wrong.push(Diagnostic::new(name.span.clone(), message).hint(hint));
            }
        }
        self.node = groups[0].first().cloned();
        Ok(Effect::Partition(groups))
    }

    fn group(&mut self) -> Parsed<Vec<Name>> {
        let mut group = vec![self.name("the name of a node")?];
        while self.take(&Token::Comma) {
            group.push(self.name("the name of a node")?);
        }
        Ok(group)
    }

    fn error(&mut self) -> Parsed<Effect> {
        let span = self.span();
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("the name of an error, such as `ENOSPC`");
        };
        self.at += 1;
        let errno = Errno::named(&word);
        if errno.is_none() {
            let near = nearest(&word, ERRORS.iter().map(|(name, _)| *name));
            let hint = near.map_or("see errno(3)".into(), |near| format!("did you mean `{near}`?"));
            self.wrong.push(
                Diagnostic::new(span.clone(), format!("there is no error `{word}`")).hint(hint),
            );
        }
        let node = self.name("the name of a node")?;
        self.node = Some(node.clone());
        let backwards = self.peek() == Some(&Token::Back);
        let peer = if self.take(&Token::Forth) || self.take(&Token::Back) {
            Some(self.name("the name of a node")?)
        } else {
            None
        };
        let kind_span = self.span();
        let kind = self.kind()?;
        if matches!(kind, Kind::Start | Kind::Exit | Kind::Close) {
            let message = format!("`{}` is no call that can fail", kind.word());
            return self.fail(Diagnostic::new(kind_span, message));
        }
        let incoming = matches!(kind, Kind::Receive | Kind::Accept);
        if peer.is_some() && (backwards != incoming || !kind.on_link()) {
            let message = format!("`{}` does not go this way", kind.word());
            return self.fail(Diagnostic::new(kind_span, message));
        }
        if errno == Some(Errno(libc::EAGAIN)) && incoming {
            let message = "a receive that fails with EAGAIN though there is something to receive";
            return self
                .fail(Diagnostic::new(span, message).hint(
                    "no kernel does that: programs would spin or wait for ever; use `delay`",
                ));
        }
        let pattern = self.rest_of_pattern(kind, node, peer)?;
        if let (Kind::Receive, Some(label)) = (kind, &pattern.label) {
            let message = "what a receive returns is not known before it has returned";
            return self.fail(
                Diagnostic::new(label.span.clone(), message)
                    .hint("leave the label out: receives are counted by themselves"),
            );
        }
        match errno {
            Some(errno) => Ok(Effect::Error(errno, pattern)),
            None => Err(Failed),
        }
    }

    fn short_write(&mut self) -> Parsed<Effect> {
        let node = self.name("the name of a node")?;
        self.node = Some(node.clone());
        let peer = match self.take(&Token::Forth) {
            true => Some(self.name("the name of a node")?),
            false => None,
        };
        let kind = if peer.is_some() { Kind::Send } else { Kind::Write };
        let mut pattern = self.rest_of_pattern(kind, node, peer)?;
        if !self.take_word("to") {
            return self.expected("`to` and how many bytes are taken");
        }
        let bytes = self.number("how many bytes are taken")?;
        // The count may stand behind.
        if matches!(self.peek(), Some(Token::Count(_))) {
            pattern.count = self.count()?;
        }
        Ok(Effect::ShortWrite(pattern, bytes))
    }

    fn number(&mut self, what: &str) -> Parsed<u64> {
        match self.word().and_then(|word| word.parse().ok()) {
            Some(number) => {
                self.at += 1;
                Ok(number)
            }
            None => self.expected(&format!("{what}, as a number")),
        }
    }

    fn name(&mut self, what: &str) -> Parsed<Name> {
        let span = self.span();
        if self.take(&Token::Open) {
            return self.whichever(span.start);
        }
        let text = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            Some(Token::Quoted(text)) => text.clone(),
            _ => return self.expected(what),
        };
        self.at += 1;
        Ok(Name { span, ..Name::new(text) })
    }

    /// `{a, b}` from the first name on.
    fn whichever(&mut self, start: usize) -> Parsed<Name> {
        let mut any_of: Vec<String> = Vec::new();
        loop {
            let span = self.span();
            if self.peek() == Some(&Token::Open) {
                return self.expected("the name of a node");
            }
            let name = self.name("the name of a node")?;
            if any_of.contains(&name.text) {
                let message = format!("`{}` stands in the braces twice", name.text);
                return self.fail(Diagnostic::new(span, message).hint("name each node once"));
            }
            any_of.push(name.text);
            let end = self.span().end;
            if self.take(&Token::Close) {
                return Ok(Name::whichever(any_of, start..end));
            }
            if !self.take(&Token::Comma) {
                return self.expected("`,` and another node, or `}`");
            }
        }
    }

    /// `a->b`, or `b<-a`, which is the same.
    fn link(&mut self) -> Parsed<(Name, Name)> {
        let first = self.name("the name of a node")?;
        if self.take(&Token::Back) {
            return Ok((self.name("the sending node")?, first));
        }
        if !self.take(&Token::Forth) {
            return self.expected("`->` and the receiving node");
        }
        Ok((first, self.name("the receiving node")?))
    }

    /// The message or connect an effect is about.
    fn subject(&mut self, kind: Kind) -> Parsed<Pattern> {
        let (from, to) = self.link()?;
        self.node = Some(from.clone());
        self.rest_of_pattern(kind, from, Some(to))
    }

    fn kind(&mut self) -> Parsed<Kind> {
        let span = self.span();
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("an event, such as `send` or `recv`");
        };
        if let Some((_, kind)) = Kind::WORDS.iter().find(|(known, _)| *known == word) {
            self.at += 1;
            return Ok(*kind);
        }
        let words = || Kind::WORDS.iter().map(|(word, _)| *word);
        let hint = match nearest(&word, words()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", words().collect::<Vec<_>>().join(", ")),
        };
        self.fail(Diagnostic::new(span, format!("there is no event `{word}`")).hint(hint))
    }

    fn event(&mut self) -> Parsed<Pattern> {
        let kind = self.kind()?;
        if kind.on_link() {
            let (from, to) = self.link()?;
            // A receive is an event of the receiver, whichever way it is written.
            let incoming = matches!(kind, Kind::Receive | Kind::Accept);
            let (node, peer) = if incoming { (to, from) } else { (from, to) };
            return self.rest_of_pattern(kind, node, Some(peer));
        }
        let node = match (self.peek(), &self.node) {
            (Some(Token::Word(word)), _) if !is_keyword(word) => self.name("a node")?,
            (Some(Token::Quoted(_) | Token::Open), _) => self.name("a node")?,
            (_, Some(node)) => node.clone(),
            _ => return self.expected("the name of a node"),
        };
        self.rest_of_pattern(kind, node, None)
    }

    fn rest_of_pattern(&mut self, kind: Kind, node: Name, peer: Option<Name>) -> Parsed<Pattern> {
        let labelled = matches!(kind, Kind::Send | Kind::Receive | Kind::Sync) || kind.on_files();
        let label = match self.peek() {
            Some(Token::Word(word)) if labelled && !is_keyword(word) => Some(self.name("")?),
            Some(Token::Quoted(_)) if labelled => Some(self.name("")?),
            _ => None,
        };
        let mut pattern =
            Pattern { kind, node, peer, label, port: None, connection: None, count: Count::Nth(1) };
        loop {
            let span = self.span();
            if self.take_word("port") {
                let number = self.number("a port")?;
                match u16::try_from(number) {
                    Ok(port) => pattern.port = Some(port),
                    Err(_) => return self.fail(Diagnostic::new(span, "ports end at 65535")),
                }
            } else if self.take_word("connection") {
                pattern.connection = Some(self.number("which connection")? as u32);
            } else if matches!(self.peek(), Some(Token::Count(_))) {
                pattern.count = self.count()?;
            } else {
                return Ok(pattern);
            }
        }
    }

    fn count(&mut self) -> Parsed<Count> {
        let span = self.span();
        let Some(Token::Count(text)) = self.peek().cloned() else { return Ok(Count::Nth(1)) };
        self.at += 1;
        match text.parse::<u32>() {
            _ if text == "every" => Ok(Count::Every),
            Ok(number) if number > 0 => Ok(Count::Nth(number)),
            _ => self.fail(
                Diagnostic::new(span, format!("`#{text}` counts nothing"))
                    .hint("write `#1` for the first, `#2` for the second, `#every` for each"),
            ),
        }
    }

    fn skip_to_clause(&mut self) {
        while self.at < self.tokens.len() && !self.word().is_some_and(is_keyword) {
            self.at += 1;
        }
    }

    fn step_diagnostics(&mut self) {
        for (token, span) in &self.tokens {
            if let Token::Step(text) = token {
                let message = format!("`@{text}`: time steps are those of specifications");
                self.wrong.push(
                    Diagnostic::new(span.clone(), message)
                        .hint("name an event (`after send a->b LABEL #2`) or a time (`at 1.5s`)"),
                );
            }
        }
        self.tokens.retain(|(token, _)| !matches!(token, Token::Step(_)));
    }

    fn clauses(&mut self, effect: &str) -> Clauses {
        let before = self.at;
        let steps = self.tokens[..before.min(self.tokens.len())]
            .iter()
            .filter(|(token, _)| matches!(token, Token::Step(_)))
            .count();
        self.step_diagnostics();
        self.at = before - steps;
        let mut clauses = Clauses::default();
        while self.at < self.tokens.len() {
            let from = self.at;
            if self.clause(&mut clauses, effect).is_err() {
                self.at = self.at.max(from + 1);
                self.skip_to_clause();
            }
        }
        clauses
    }

    fn clause(&mut self, clauses: &mut Clauses, effect: &str) -> Parsed<()> {
        let span = self.span();
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("a clause: before, after, at, from, until, for");
        };
        self.at += 1;
        match word.as_str() {
            "after" if self.peek() == Some(&Token::Open) => self.given(clauses),
            "after" if self.duration_ahead().is_some() => {
                let length = self.length()?;
                if !matches!(effect, "restart" | "recover") {
                    return self.fail(
                        Diagnostic::new(span, "after how long since what?")
                            .hint("write `at 2s` for a time after the workload began"),
                    );
                }
                clauses.pause = length;
                Ok(())
            }
            "at" if self.duration_ahead().is_some() => {
                let time = self.length()?;
                self.trigger(clauses, Trigger::Time(time), span)
            }
            "before" | "after" | "at" | "from" => {
                let pattern = self.event()?;
                let side = match word.as_str() {
                    "before" => Side::Before,
                    "after" => Side::After,
                    _ if pattern.kind.only_after() => Side::After,
                    _ => Side::Before,
                };
                if side == Side::Before && pattern.kind.only_after() {
                    let message =
                        format!("nobody knows of `{}` before it has happened", pattern.kind.word());
                    let hint = "write `after`; or `before send` for the moment it is sent";
                    return self.fail(Diagnostic::new(span, message).hint(hint));
                }
                self.trigger(clauses, Trigger::Event(side, pattern), span)
            }
            "since" => {
                let pattern = self.event()?;
                if clauses.since.replace(pattern).is_some() {
                    let message = "the fault counts from two events on";
                    let hint = "name the later one";
                    return self.fail(Diagnostic::new(span, message).hint(hint));
                }
                Ok(())
            }
            "until" => {
                let until = match self.duration_ahead() {
                    Some(_) => Until::Time(self.length()?),
                    None => Until::Event(self.event()?),
                };
                self.until(clauses, until, span)
            }
            "for" => {
                let length = self.length()?;
                self.until(clauses, Until::For(length), span)
            }
            "by" => {
                clauses.by = Some(self.length()?);
                Ok(())
            }
            other => {
                let words = ["before", "after", "at", "from", "since", "until", "for", "by"];
                let near = nearest(other, words);
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "a fault goes on with before, after, at, from, until or for".into(),
                };
                self.fail(Diagnostic::new(span, format!("`{other}` begins no clause")).hint(hint))
            }
        }
    }

    fn given(&mut self, clauses: &mut Clauses) -> Parsed<()> {
        self.at += 1;
        loop {
            let pattern = self.event()?;
            clauses.given.push(pattern);
            if self.take(&Token::Close) {
                return Ok(());
            }
            if !self.take(&Token::Comma) {
                return self.expected("`,` and another event, or `}`");
            }
        }
    }

    fn duration_ahead(&self) -> Option<Duration> {
        self.word().and_then(duration)
    }

    fn length(&mut self) -> Parsed<Duration> {
        match self.duration_ahead() {
            Some(length) => {
                self.at += 1;
                Ok(length)
            }
            None => self.expected("a duration, such as `300ms` or `1.5s`"),
        }
    }

    fn trigger(
        &mut self,
        clauses: &mut Clauses,
        trigger: Trigger,
        span: Range<usize>,
    ) -> Parsed<()> {
        if clauses.trigger.is_some() {
            return self.fail(
                Diagnostic::new(span, "the fault begins at two events")
                    .hint("what must have happened before stands in `after {event, event}`"),
            );
        }
        clauses.trigger = Some(trigger);
        Ok(())
    }

    fn until(&mut self, clauses: &mut Clauses, until: Until, span: Range<usize>) -> Parsed<()> {
        if clauses.until.replace(until).is_some() {
            return self.fail(Diagnostic::new(span, "the fault ends twice"));
        }
        Ok(())
    }

    fn assemble(&mut self, effect: Effect, clauses: Clauses, start: Range<usize>) -> Option<Fault> {
        let Clauses { trigger, given, since, pause, mut until, by } = clauses;
        let effect = match effect {
            Effect::Delay(pattern, _) => {
                let lateness = match (by, until.take()) {
                    (Some(length), None) => Lateness::By(length),
                    (Some(length), kept) => {
                        until = kept;
                        Lateness::By(length)
                    }
                    (None, Some(Until::For(length))) => Lateness::By(length),
                    (None, Some(end)) => Lateness::Until(end),
                    (None, None) => {
                        self.wrong.push(
                            Diagnostic::new(start, "how late?")
                                .hint("write `by 300ms`, or `until` and an event or a time"),
                        );
                        return None;
                    }
                };
                Effect::Delay(pattern, lateness)
            }
            other => {
                if by.is_some() {
                    let message = "`by` says how late a message comes";
                    self.wrong
                        .push(Diagnostic::new(start.clone(), message).hint("it goes with `delay`"));
                }
                other
            }
        };
        if until.is_some() && !effect.lasts() {
            self.wrong.push(Diagnostic::new(start.clone(), "this fault does not last").hint(
                "a node that crashed comes back with `restart NODE keep after 2s`, a fault of its own",
            ));
        }
        if matches!(effect, Effect::Pause(_)) && until.is_none() {
            self.wrong.push(
                Diagnostic::new(start, "for how long?").hint("write `for 2s` or `until ...`"),
            );
        }
        let trigger = trigger.unwrap_or(Trigger::Given);
        self.check_whichever(&effect, &trigger, &given);
        self.wrong.is_empty().then_some(Fault { effect, trigger, given, since, pause, until })
    }
}

impl Parser {
    /// Whichever node it is, the event must tell.
    fn check_whichever(&mut self, effect: &Effect, trigger: &Trigger, given: &[Pattern]) {
        // Of a message or call, it is told by what it goes wrong with.
        if effect.subject().is_some() {
            return;
        }
        let told: Vec<&Name> = match (effect, trigger) {
            (_, Trigger::Event(_, pattern)) => pattern.nodes(),
            // It comes after whichever of them has ended.
            (Effect::Restart(node, _), Trigger::Given) if given.is_empty() => vec![node],
            _ => Vec::new(),
        };
        let open: Vec<&Name> =
            effect.nodes().into_iter().filter(|name| name.is_whichever()).collect();
        let is_told = |name: &&Name| told.iter().any(|other| other.means_as(name));
        for name in open.into_iter().filter(|name| !is_told(name)) {
            let message = format!("which of `{name}` is meant?");
            let hint = format!("it begins `before` or `after` an event of {name}");
            self.wrong.push(Diagnostic::new(name.span.clone(), message).hint(hint));
        }
    }
}

/// Checks that the nodes a fault names exist. Names with `*` may mean any.
pub fn check_nodes(fault: &Fault, nodes: &[String]) -> Vec<Diagnostic> {
    let mut wrong: Vec<Diagnostic> = Vec::new();
    for name in fault.nodes() {
        if wrong.iter().any(|diagnostic| diagnostic.span == name.span) {
            continue;
        }
        let texts = match &name.any_of[..] {
            [] => std::slice::from_ref(&name.text),
            any_of => any_of,
        };
        let is_unknown = |text: &&String| !nodes.iter().any(|node| wildcard(text, node));
        let Some(text) = texts.iter().find(is_unknown) else { continue };
        let hint = match nearest(text, nodes.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", nodes.join(", ")),
        };
        let message = format!("there is no node `{text}`");
        wrong.push(Diagnostic::new(name.span.clone(), message).hint(hint));
    }
    wrong
}
