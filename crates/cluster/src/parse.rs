//! From the text of a cluster file to a [`Cluster`], with every mistake.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linchpin_tracker::dissect::{Dissector, Rule, Rules};
use toml::de::DeTable;

use crate::diagnostic::Diagnostic;
use crate::file::{
    Budgets, Cluster, FAULT_KINDS, Invariant, Isolation, Judge, Node, Ready, ReadyWhen, Steps,
    User, Workload,
};
use crate::network::NODES_MAX;
use crate::table::{Mistakes, Placed, Value};
use crate::{CLIENT, template};

const ROOT_KEYS: [&str; 11] = [
    "name",
    "isolation",
    "seed",
    "nodes",
    "workload",
    "steps",
    "invariant",
    "faults",
    "labels",
    "tokens",
    "versions",
];
const NODE_KEYS: [&str; 9] =
    ["command", "restart", "environment", "files", "ready", "after", "group", "user", "stop_grace"];
const WORKLOAD_KEYS: [&str; 5] = ["command", "environment", "timeout", "parameters", "user"];
const STEP_KEYS: [&str; 5] = ["settle", "hold", "heal", "quiesce", "timeout"];
const FAULT_DURATIONS: [&str; 3] = ["pause_for", "delay_by", "restart_after"];
const INVARIANT_KEYS: [&str; 4] = ["command", "history", "final", "timeout"];
const LABEL_KEYS: [&str; 9] =
    ["port", "dissector", "pattern", "name", "mask", "width", "little_endian", "offset", "names"];
const DISSECTORS: [&str; 7] = ["line", "http", "resp", "amqp", "length-prefixed", "kind", "regex"];

const READY_TIMEOUT: Duration = Duration::from_secs(30);
const WORKLOAD_TIMEOUT: Duration = Duration::from_secs(60);
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
const RUN_TIMEOUT: Duration = Duration::from_secs(300);
const STOP_GRACE: Duration = Duration::from_secs(2);

pub(crate) fn parse(path: &Path, text: String) -> Result<Cluster, (String, Vec<Diagnostic>)> {
    let mut mistakes = Mistakes::default();
    let cluster = {
        let (root, errors) = DeTable::parse_recoverable(&text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            mistakes.add(span, format!("not TOML: {}", error.message().replace('\n', ", ")));
        }
        let usable = errors.is_empty();
        let mut parser = Parser { path, text: &text, mistakes: &mut mistakes };
        usable.then(|| parser.cluster(root.get_ref()))
    };
    match cluster {
        Some(cluster) if mistakes.0.is_empty() => Ok(Cluster { text, ..cluster }),
        _ => {
            mistakes.0.sort_by_key(|mistake| mistake.span.start);
            Err((text, mistakes.0))
        }
    }
}

struct Parser<'a> {
    path: &'a Path,
    text: &'a str,
    mistakes: &'a mut Mistakes,
}

/// What a template may name.
struct Scope {
    names: Vec<String>,
}

impl Scope {
    fn new(nodes: &[&str], parameters: &[String], own: bool) -> Self {
        let mut names: Vec<String> =
            ["dir", "workdir", "seed"].iter().map(|name| (*name).to_owned()).collect();
        if own {
            names.extend(["address".to_owned(), "data".to_owned(), "name".to_owned()]);
        }
        for node in nodes.iter().copied().chain([CLIENT]) {
            names.push(format!("node.{node}.address"));
            names.push(format!("node.{node}.data"));
        }
        names.extend(parameters.iter().map(|name| format!("parameter.{name}")));
        Self { names }
    }

    fn with(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }
}

impl Parser<'_> {
    fn cluster(&mut self, root: &DeTable<'_>) -> Cluster {
        self.mistakes.check_keys(root, "a cluster file", &ROOT_KEYS);
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        let stem = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = root.get("name").and_then(|value| self.mistakes.string(value));
        let isolation = root.get("isolation").and_then(|value| {
            let choices = [
                ("auto", Isolation::Auto),
                ("namespaces", Isolation::Namespaces),
                ("loopback", Isolation::Loopback),
            ];
            self.mistakes.choice(value, &choices)
        });
        let parameters = self.parameters(root);
        let parameter_names: Vec<String> = parameters.keys().cloned().collect();
        let tables = self.node_tables(root);
        let names: Vec<&str> = tables.iter().map(|(name, _)| name.value.as_str()).collect();
        let scope = Scope::new(&names, &parameter_names, true);
        let nodes: Vec<Node> = tables
            .iter()
            .map(|(name, table)| self.node(name, table, &names, &scope, &directory))
            .collect();
        self.check_order(root, &nodes);
        let outer = Scope::new(&names, &parameter_names, false);
        Cluster {
            path: self.path.to_owned(),
            text: String::new(),
            name: name.map(|name| name.value).or(stem).unwrap_or_default(),
            isolation: isolation.unwrap_or_default(),
            seed: root
                .get("seed")
                .and_then(|value| self.mistakes.number(value, i64::MAX as u64))
                .unwrap_or(1),
            workload: root
                .get("workload")
                .and_then(|value| self.workload(value, parameters, &scope)),
            steps: root.get("steps").map_or_else(Steps::default, |value| self.steps(value)),
            invariant: root.get("invariant").and_then(|value| self.invariant(value, outer)),
            faults: root.get("faults").map_or_else(Budgets::default, |value| self.budgets(value)),
            rules: self.rules(root),
            tokens: self.tokens(root),
            versions: self.versions(root),
            nodes,
            directory,
        }
    }

    /// The tables of nodes, in the order of the file.
    fn node_tables<'a, 'b>(
        &mut self,
        root: &'b DeTable<'a>,
    ) -> Vec<(Placed<String>, &'b DeTable<'a>)> {
        let Some(value) = root.get("nodes") else {
            self.mistakes.add_with_help(
                0..0,
                "there is no node",
                "describe one: `[nodes.a]` with `command = [\"program\", \"argument\"]`",
            );
            return Vec::new();
        };
        let Some(table) = self.mistakes.table(value, "tables of nodes: `[nodes.NAME]`") else {
            return Vec::new();
        };
        if table.len() >= NODES_MAX {
            let message = format!("{} nodes: there may be at most {}", table.len(), NODES_MAX - 1);
            self.mistakes.add(value.span(), message);
        }
        let mut tables = Vec::new();
        for (name, value) in table {
            let span = name.span();
            let text = name.get_ref().to_string();
            let fine = !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if !fine {
                self.mistakes.add(span, "a node's name is letters, digits, `-` and `_`");
                continue;
            }
            if text == CLIENT {
                self.mistakes.add(span, format!("`{CLIENT}` is the name of the workload's node"));
                continue;
            }
            if let Some(table) = self.mistakes.table(value, "a table: `[nodes.NAME]`") {
                tables.push((Placed { value: text, span }, table));
            }
        }
        tables.sort_by_key(|(name, _)| name.span.start);
        if tables.is_empty() && self.mistakes.0.is_empty() {
            self.mistakes.add(value.span(), "there is no node");
        }
        tables
    }

    fn templates(&mut self, words: Vec<Placed<String>>, scope: &Scope) -> Vec<String> {
        words.into_iter().map(|word| self.template(word, scope)).collect()
    }

    fn template(&mut self, word: Placed<String>, scope: &Scope) -> String {
        if let Err(error) = template::check(&word.value, &scope.names) {
            let span = self.within(&word, error.span);
            self.mistakes.add_with_help(span, error.message, error.help);
        }
        word.value
    }

    /// Where a part of a string stands in the file: exact where the string has no escapes.
    fn within(&self, word: &Placed<String>, part: Range<usize>) -> Range<usize> {
        let source = self.text.get(word.span.clone()).unwrap_or_default();
        match source.find(&word.value) {
            Some(offset) if !word.value.is_empty() => {
                let start = word.span.start + offset;
                start + part.start..start + part.end
            }
            _ => word.span.clone(),
        }
    }

    fn command(&mut self, value: &Value<'_>, scope: &Scope) -> Option<Vec<String>> {
        let words = self.mistakes.command(value)?;
        Some(self.templates(words, scope))
    }

    fn environment(
        &mut self,
        value: Option<&Value<'_>>,
        scope: &Scope,
    ) -> BTreeMap<String, String> {
        let map = value.and_then(|value| self.mistakes.string_map(value)).unwrap_or_default();
        map.into_iter().map(|(name, value)| (name, self.template(value, scope))).collect()
    }

    fn user(&mut self, value: Option<&Value<'_>>) -> User {
        let Some(text) = value.and_then(|value| self.mistakes.string(value)) else {
            return User::default();
        };
        match text.value.as_str() {
            "root" => User::Root,
            "keep" => User::Keep,
            "" => {
                self.mistakes
                    .add(text.span, "expected `\"root\"`, `\"keep\"` or the name of a user");
                User::default()
            }
            other => User::Named(other.to_owned()),
        }
    }

    fn node(
        &mut self,
        name: &Placed<String>,
        table: &DeTable<'_>,
        names: &[&str],
        scope: &Scope,
        directory: &Path,
    ) -> Node {
        self.mistakes.check_keys(table, "a node", &NODE_KEYS);
        let command = match table.get("command") {
            Some(value) => self.command(value, scope).unwrap_or_default(),
            None => {
                let message = format!("node `{}` has no `command`", name.value);
                self.mistakes.add(name.span.clone(), message);
                Vec::new()
            }
        };
        let files = table.get("files").and_then(|value| self.mistakes.string_map(value));
        let files = files.unwrap_or_default().into_iter().map(|(file, source)| {
            let path = directory.join(&source.value);
            self.check_file(&file, &path, source.span, scope);
            (file, path)
        });
        let files = files.collect();
        let after = table
            .get("after")
            .and_then(|value| self.mistakes.strings(value, "a list of nodes: `[\"a\"]`"));
        for other in after.iter().flatten() {
            if !names.contains(&other.value.as_str()) || other.value == name.value {
                self.unknown_node(other, names);
            }
        }
        Node {
            name: name.value.clone(),
            command,
            restart: table.get("restart").and_then(|value| self.restart(value, scope)),
            environment: self.environment(table.get("environment"), scope),
            files,
            ready: table.get("ready").and_then(|value| self.ready(value, scope)),
            after: after.unwrap_or_default().into_iter().map(|other| other.value).collect(),
            group: table
                .get("group")
                .and_then(|value| self.mistakes.string(value))
                .map(|group| group.value),
            user: self.user(table.get("user")),
            stop_grace: table
                .get("stop_grace")
                .and_then(|value| self.mistakes.duration(value))
                .unwrap_or(STOP_GRACE),
        }
    }

    fn unknown_node(&mut self, name: &Placed<String>, names: &[&str]) {
        let help = match linchpin_model::closest(&name.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the nodes are {}", names.join(", ")),
        };
        let message = format!("there is no other node `{}`", name.value);
        self.mistakes.add_with_help(name.span.clone(), message, help);
    }

    fn check_file(&mut self, file: &str, path: &Path, span: Range<usize>, scope: &Scope) {
        let escapes = Path::new(file).is_absolute() || file.split('/').any(|part| part == "..");
        if file.is_empty() || escapes {
            let message = format!("`{file}` is not the name of a file within the data folder");
            self.mistakes.add(span, message);
            return;
        }
        match std::fs::read_to_string(path) {
            Err(error) => {
                let message = format!("cannot read the template {}: {error}", path.display());
                self.mistakes.add(span, message);
            }
            Ok(text) => {
                if let Err(error) = template::check(&text, &scope.names) {
                    let line = text[..error.span.start].matches('\n').count() + 1;
                    let place = format!("{} line {line}: {}", path.display(), error.message);
                    self.mistakes.add_with_help(span, place, error.help);
                }
            }
        }
    }

    fn restart(&mut self, value: &Value<'_>, scope: &Scope) -> Option<Vec<String>> {
        let table = self.mistakes.table(value, "`{ command = [\"program\", \"argument\"] }`")?;
        self.mistakes.check_keys(table, "`restart`", &["command"]);
        table.get("command").and_then(|value| self.command(value, scope))
    }

    fn ready(&mut self, value: &Value<'_>, scope: &Scope) -> Option<Ready> {
        let what = "`{ port = 7000 }`, `{ log = \"regex\" }` or `{ command = [\"program\"] }`";
        let table = self.mistakes.table(value, what)?;
        self.mistakes.check_keys(table, "`ready`", &["port", "log", "command", "timeout"]);
        let timeout = table.get("timeout").and_then(|value| self.mistakes.duration(value));
        let mut signs = Vec::new();
        if let Some(value) = table.get("port") {
            let port = self.mistakes.number(value, 65_535)?;
            signs.push(ReadyWhen::Port(port as u16));
        }
        if let Some(value) = table.get("log") {
            let pattern = self.mistakes.string(value)?;
            self.check_regex(&pattern);
            signs.push(ReadyWhen::Log(pattern.value));
        }
        if let Some(value) = table.get("command") {
            signs.push(ReadyWhen::Command(self.command(value, scope)?));
        }
        if signs.len() != 1 {
            self.mistakes.add(value.span(), format!("expected one of {what}"));
            return None;
        }
        Some(Ready { when: signs.remove(0), timeout: timeout.unwrap_or(READY_TIMEOUT) })
    }

    fn check_regex(&mut self, pattern: &Placed<String>) -> Option<regex::bytes::Regex> {
        match regex::bytes::Regex::new(&pattern.value) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let reason = error.to_string();
                let reason =
                    reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let message = format!("not a regular expression: {reason}");
                self.mistakes.add_with_help(
                    pattern.span.clone(),
                    message,
                    "the syntax is that of https://docs.rs/regex; 'single quotes' keep backslashes",
                );
                None
            }
        }
    }

    /// Nodes must not wait for each other in a circle.
    fn check_order(&mut self, root: &DeTable<'_>, nodes: &[Node]) {
        let mut ready: Vec<&str> = Vec::new();
        loop {
            let next: Vec<&str> = nodes
                .iter()
                .filter(|node| !ready.contains(&node.name.as_str()))
                .filter(|node| node.after.iter().all(|other| ready.contains(&other.as_str())))
                .map(|node| node.name.as_str())
                .collect();
            if next.is_empty() {
                break;
            }
            ready.extend(next);
        }
        let known = |other: &String| nodes.iter().any(|node| node.name == *other);
        let waiting: Vec<&Node> = nodes
            .iter()
            .filter(|node| !ready.contains(&node.name.as_str()) && node.after.iter().all(known))
            .collect();
        if let (Some(first), Some(value)) = (waiting.first(), root.get("nodes")) {
            let names: Vec<&str> = waiting.iter().map(|node| node.name.as_str()).collect();
            let span = value
                .get_ref()
                .as_table()
                .and_then(|table| table.iter().find(|(name, _)| *name.get_ref() == first.name))
                .map_or(value.span(), |(name, _)| name.span());
            let message = format!("these nodes wait for each other: {}", names.join(", "));
            self.mistakes.add_with_help(span, message, "remove one of them from an `after`");
        }
    }

    fn parameters(&mut self, root: &DeTable<'_>) -> BTreeMap<String, Vec<String>> {
        let mut parameters = BTreeMap::new();
        let table = root.get("workload").and_then(|value| value.get_ref().as_table());
        let Some(value) = table.and_then(|table| table.get("parameters")) else {
            return parameters;
        };
        let what = "a table of lists: `{ writes = [1, 2] }`";
        let Some(table) = self.mistakes.table(value, what) else { return parameters };
        for (name, value) in table {
            let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty()) else {
                self.mistakes.add(value.span(), "expected a list of values, the default first");
                continue;
            };
            let mut values = Vec::new();
            for item in list.iter() {
                let item_value = item.get_ref();
                let text = item_value
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| item_value.as_integer().map(|number| number.as_str().to_owned()))
                    .or_else(|| item_value.as_bool().map(|flag| flag.to_string()));
                match text {
                    Some(text) => values.push(text),
                    None => self.mistakes.add(item.span(), "expected a string, number or truth"),
                }
            }
            parameters.insert(name.get_ref().to_string(), values);
        }
        parameters
    }

    fn workload(
        &mut self,
        value: &Value<'_>,
        parameters: BTreeMap<String, Vec<String>>,
        scope: &Scope,
    ) -> Option<Workload> {
        let table = self.mistakes.table(value, "a table: `[workload]`")?;
        self.mistakes.check_keys(table, "the workload", &WORKLOAD_KEYS);
        let Some(command) = table.get("command") else {
            self.mistakes.add(value.span(), "the workload has no `command`");
            return None;
        };
        let command = self.command(command, scope);
        let environment = self.environment(table.get("environment"), scope);
        let timeout = table.get("timeout").and_then(|value| self.mistakes.duration(value));
        let user = self.user(table.get("user"));
        Some(Workload {
            command: command?,
            environment,
            timeout: timeout.unwrap_or(WORKLOAD_TIMEOUT),
            parameters,
            user,
        })
    }

    fn steps(&mut self, value: &Value<'_>) -> Steps {
        let mut steps = Steps::default();
        let Some(table) = self.mistakes.table(value, "a table: `[steps]`") else { return steps };
        self.mistakes.check_keys(table, "`[steps]`", &STEP_KEYS);
        if let Some(settle) = table.get("settle").and_then(|value| self.mistakes.duration(value)) {
            steps.settle = settle;
        }
        if let Some(hold) = table.get("hold").and_then(|value| self.mistakes.duration(value)) {
            steps.hold = hold;
        }
        if let Some(heal) = table.get("heal").and_then(|value| self.mistakes.boolean(value)) {
            steps.heal = heal;
        }
        if let Some(time) = table.get("quiesce").and_then(|value| self.mistakes.duration(value)) {
            steps.quiesce = time;
        }
        if let Some(time) = table.get("timeout").and_then(|value| self.mistakes.duration(value)) {
            steps.timeout = time;
        }
        steps
    }

    fn invariant(&mut self, value: &Value<'_>, scope: Scope) -> Option<Invariant> {
        let table = self.mistakes.table(value, "a table: `[invariant]`")?;
        self.mistakes.check_keys(table, "the invariant", &INVARIANT_KEYS);
        let scope = scope.with(&["workload.output", "workload.errors", "logs"]);
        let timeout = table.get("timeout").and_then(|value| self.mistakes.duration(value));
        let judge = match (table.get("command"), table.get("history")) {
            (Some(value), None) => Judge::Command(self.command(value, &scope)?),
            (None, Some(value)) => {
                let what = "a list of checkers: `[\"lost-write\"]`";
                let checkers = self.mistakes.strings(value, what)?;
                let checkers = checkers.into_iter().map(|name| name.value).collect();
                let last = table.get("final").and_then(|value| self.restart(value, &scope));
                Judge::History { checkers, last }
            }
            _ => {
                let message = "the invariant is either a `command` or a list of checkers `history`";
                self.mistakes.add(value.span(), message);
                return None;
            }
        };
        Some(Invariant { judge, timeout: timeout.unwrap_or(CHECK_TIMEOUT) })
    }

    fn budgets(&mut self, value: &Value<'_>) -> Budgets {
        let mut budgets = Budgets::default();
        let Some(table) = self.mistakes.table(value, "a table: `[faults]`") else { return budgets };
        let known: Vec<&str> =
            std::iter::once("total").chain(FAULT_DURATIONS).chain(FAULT_KINDS).collect();
        self.mistakes.check_keys(table, "`[faults]`", &known);
        for (key, value) in table {
            let key = key.get_ref().as_ref();
            if FAULT_DURATIONS.contains(&key) {
                let duration = self.mistakes.duration(value);
                match key {
                    "pause_for" => budgets.pause_for = duration,
                    "delay_by" => budgets.delay_by = duration,
                    _ => budgets.restart_after = duration,
                }
                continue;
            }
            let Some(count) = self.mistakes.number(value, 1000) else { continue };
            if key == "total" {
                budgets.total = Some(count as u32);
            } else if FAULT_KINDS.contains(&key) {
                budgets.kinds.insert(key.to_owned(), count as u32);
            }
        }
        budgets
    }

    fn rules(&mut self, root: &DeTable<'_>) -> Rules {
        let Some(value) = root.get("labels") else { return Rules::default() };
        let Some(tables) = value.get_ref().as_array() else {
            self.mistakes.add(value.span(), "expected tables: `[[labels]]`");
            return Rules::default();
        };
        let mut rules = Vec::new();
        let mut masks = Vec::new();
        for value in tables.iter() {
            if let Some((rule, own)) = self.label(value) {
                rules.push(rule);
                masks.extend(own);
            }
        }
        for dissector in [Dissector::Http1, Dissector::Resp] {
            rules.push(Rule { port: None, dissector });
        }
        Rules::new(rules, masks)
    }

    fn label(&mut self, value: &Value<'_>) -> Option<(Rule, Vec<regex::bytes::Regex>)> {
        let table = self.mistakes.table(value, "a table: `[[labels]]`")?;
        self.mistakes.check_keys(table, "a label", &LABEL_KEYS);
        let port = match table.get("port") {
            Some(value) => Some(self.mistakes.number(value, 65_535)? as u16),
            None => None,
        };
        let pattern = match table.get("pattern") {
            Some(value) => {
                let pattern = self.mistakes.string(value)?;
                Some(self.check_regex(&pattern)?)
            }
            None => None,
        };
        let mut masks = Vec::new();
        if let Some(value) = table.get("mask") {
            let what = "a list of regular expressions: `['\\d+']`";
            for mask in self.mistakes.strings(value, what)? {
                masks.extend(self.check_regex(&mask));
            }
        }
        let Some(named) = table.get("dissector") else {
            let message = "a label says how it is read: `dissector`";
            let help = format!("there are: {}", DISSECTORS.join(", "));
            self.mistakes.add_with_help(value.span(), message, help);
            return None;
        };
        let choices: Vec<(&str, &str)> = DISSECTORS.iter().map(|name| (*name, *name)).collect();
        let dissector = match (self.mistakes.choice(named, &choices)?, pattern) {
            ("regex", Some(pattern)) => match table.get("name") {
                Some(name) => Dissector::Named(pattern, self.mistakes.string(name)?.value),
                None => Dissector::Pattern(pattern),
            },
            ("regex", None) => {
                self.mistakes.add(named.span(), "a `regex` needs a `pattern`");
                return None;
            }
            (other, Some(_)) => {
                let message = format!("`pattern` belongs to `regex`, not to `{other}`");
                self.mistakes.add(named.span(), message);
                return None;
            }
            ("http", None) => Dissector::Http1,
            ("resp", None) => Dissector::Resp,
            ("line", None) => Dissector::Lines,
            ("amqp", None) => Dissector::Amqp,
            (binary, None) => {
                let width = match table.get("width") {
                    Some(value) => self.mistakes.number(value, 8)?,
                    None if binary == "kind" => 1,
                    None => 4,
                };
                if !matches!(width, 1 | 2 | 4 | 8) {
                    self.mistakes.add(named.span(), "`width` is 1, 2, 4 or 8 bytes");
                    return None;
                }
                let little_endian = match table.get("little_endian") {
                    Some(value) => self.mistakes.boolean(value)?,
                    None => false,
                };
                let width = width as u8;
                if binary == "kind" {
                    let offset = match table.get("offset") {
                        Some(value) => self.mistakes.number(value, u64::from(u8::MAX))? as u8,
                        None => 0,
                    };
                    let names = self.kind_names(table);
                    Dissector::Kind { offset, width, little_endian, names }
                } else {
                    Dissector::LengthPrefixed { width, little_endian }
                }
            }
        };
        Some((Rule { port, dissector }, masks))
    }

    /// What the kinds of messages are called: `names = { 2 = "PROPOSAL" }`.
    fn kind_names(&mut self, table: &DeTable<'_>) -> BTreeMap<u64, String> {
        let mut names = BTreeMap::new();
        let what = "a table of numbers and names: `names = { 2 = \"PROPOSAL\" }`";
        let given = table.get("names").and_then(|value| self.mistakes.table(value, what));
        for (number, name) in given.into_iter().flatten() {
            let name = self.mistakes.string(name);
            match number.get_ref().parse() {
                Ok(number) => names.extend(name.map(|name| (number, name.value))),
                Err(_) => {
                    let message = format!("`{}` is no number of a kind", number.get_ref());
                    self.mistakes.add_with_help(number.span(), message, format!("expected {what}"));
                }
            }
        }
        names
    }

    fn tokens(&mut self, root: &DeTable<'_>) -> Vec<String> {
        let Some(value) = root.get("tokens") else { return Vec::new() };
        let what = "`follow = ['token-\\d+']`";
        let Some(table) = self.mistakes.table(value, what) else { return Vec::new() };
        self.mistakes.check_keys(table, "`[tokens]`", &["follow"]);
        let follow = table.get("follow").and_then(|value| self.mistakes.strings(value, what));
        let follow = follow.unwrap_or_default();
        for pattern in &follow {
            self.check_regex(pattern);
        }
        follow.into_iter().map(|pattern| pattern.value).collect()
    }

    fn versions(&mut self, root: &DeTable<'_>) -> BTreeMap<String, Vec<String>> {
        let mut versions = BTreeMap::new();
        let what = "commands: `redis = [\"redis-server\", \"--version\"]`";
        let table = root.get("versions").and_then(|value| self.mistakes.table(value, what));
        for (name, value) in table.into_iter().flatten() {
            if let Some(command) = self.mistakes.command(value) {
                let command = command.into_iter().map(|word| word.value).collect();
                versions.insert(name.get_ref().to_string(), command);
            }
        }
        versions
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            settle: Duration::ZERO,
            hold: Duration::ZERO,
            heal: true,
            quiesce: Duration::ZERO,
            timeout: RUN_TIMEOUT,
        }
    }
}
