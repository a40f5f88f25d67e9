//! Type inference: every column and variable is an integer, a string, or unknown.
//!
//! Columns of all relations and variables of all rules are the nodes of one union-find structure;
//! each class carries its type and the place that first gave it.

use rustc_hash::FxHashMap;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{self, Aggregate, Program, RelationId, RelationKind, Type, Value, VariableId};
use crate::resolve::Resolved;
use crate::source::Span;
use crate::syntax::{self, ExpressionKind, HeadColumn, Term};

/// Infers the types of a program and writes them into it; reports conflicts.
pub(crate) fn infer(resolved: &mut Resolved, diagnostics: &mut Diagnostics) {
    let mut inference = Inference::new(&resolved.program, diagnostics);
    for (fact, tree) in resolved.program.facts.iter().zip(&resolved.facts) {
        for (index, (value, column)) in fact.row.iter().zip(&tree.columns).enumerate() {
            let node = inference.column(fact.relation, index);
            inference.require(&Use {
                operand: Operand::Known(type_of(value), column.span),
                against: Operand::Node(node),
                span: column.span,
                subject: Subject::Column(fact.relation, index),
            });
        }
    }
    let mut variable_starts = Vec::with_capacity(resolved.rules.len());
    for (rule, tree) in resolved.program.rules.iter().zip(&resolved.rules) {
        inference.variable_start = inference.nodes.len();
        variable_starts.push(inference.variable_start);
        inference.nodes.resize_with(inference.nodes.len() + rule.variables.len(), Node::default);
        inference.rule(rule, tree);
    }
    let Inference { mut nodes, column_starts, .. } = inference;
    // A location that nothing says otherwise of is a node.
    for (relation, &start) in resolved.program.relations.iter().zip(&column_starts) {
        let root = find(&mut nodes, start);
        let text = format!("the first column of `{}` is a node, a string", relation.name);
        nodes[root].reason.get_or_insert(Reason {
            r#type: Type::String,
            span: relation.span,
            text,
        });
    }
    for (relation, start) in resolved.program.relations.iter_mut().zip(column_starts) {
        for (index, column) in relation.columns.iter_mut().enumerate() {
            *column = root_type(&mut nodes, start + index);
        }
    }
    for (rule, start) in resolved.program.rules.iter_mut().zip(variable_starts) {
        for (index, variable) in rule.variables.iter_mut().enumerate() {
            variable.r#type = root_type(&mut nodes, start + index);
        }
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Integer(_) => Type::Integer,
        Value::String(_) => Type::String,
    }
}

fn name_of(r#type: Type) -> &'static str {
    match r#type {
        Type::Integer => "an integer",
        Type::String => "a string",
        Type::Unknown => "unknown",
    }
}

fn root_type(nodes: &mut [Node], node: usize) -> Type {
    let root = find(nodes, node);
    nodes[root].reason.as_ref().map_or(Type::Unknown, |reason| reason.r#type)
}

fn find(nodes: &mut [Node], mut node: usize) -> usize {
    while let Some(parent) = nodes[node].parent {
        // Path halving.
        if let Some(grandparent) = nodes[parent].parent {
            nodes[node].parent = Some(grandparent);
        }
        node = parent;
    }
    node
}

/// Why a class has its type.
#[derive(Clone, Debug)]
struct Reason {
    r#type: Type,
    span: Span,
    text: String,
}

#[derive(Clone, Debug, Default)]
struct Node {
    parent: Option<usize>,
    size: u32,
    reason: Option<Reason>,
    /// A conflict in this class has been reported: say no more about it.
    conflict: bool,
}

/// Something with a type.
#[derive(Clone, Copy)]
enum Operand {
    Node(usize),
    Known(Type, Span),
    /// `_`, or what has been reported.
    Any,
}

/// What a message is about.
enum Subject {
    Column(RelationId, usize),
    Comparison,
    Arithmetic,
    Aggregate(Aggregate),
}

/// Two operands that must have the same type.
struct Use {
    operand: Operand,
    against: Operand,
    span: Span,
    subject: Subject,
}

struct Inference<'a> {
    program: &'a Program,
    nodes: Vec<Node>,
    /// The node of the first column of each relation.
    column_starts: Vec<usize>,
    /// The node of the first variable of the current rule.
    variable_start: usize,
    /// The variables of the current rule.
    variables: FxHashMap<&'a str, usize>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Inference<'a> {
    fn new(program: &'a Program, diagnostics: &'a mut Diagnostics) -> Self {
        let mut nodes = Vec::new();
        let mut column_starts = Vec::with_capacity(program.relations.len());
        for relation in &program.relations {
            column_starts.push(nodes.len());
            nodes.resize_with(nodes.len() + relation.columns.len(), Node::default);
            let start = nodes.len() - relation.columns.len();
            let mut give = |column: usize, r#type: Type, text: String| {
                let reason = Reason { r#type, span: relation.span, text };
                nodes[start + column].reason = Some(reason);
            };
            if relation.kind == RelationKind::Crash {
                give(0, Type::String, "the first column of `crash` is a node, a string".into());
                give(1, Type::String, "the second column of `crash` is a node, a string".into());
                give(2, Type::Integer, "the third column of `crash` is a time, an integer".into());
            }
        }
        let variables = FxHashMap::default();
        Self { program, nodes, column_starts, variable_start: 0, variables, diagnostics }
    }

    fn column(&self, relation: RelationId, index: usize) -> usize {
        self.column_starts[relation.index()] + index
    }

    fn rule(&mut self, rule: &'a hir::Rule, tree: &syntax::Rule) {
        let names = rule.variables.iter().map(|variable| variable.name.as_str());
        self.variables = names.zip(0..).collect();
        for (term, tree) in rule.body.iter().zip(&tree.body) {
            match (term, tree) {
                (hir::BodyTerm::Literal(literal), Term::Literal(tree)) => {
                    self.literal(literal, tree);
                }
                (hir::BodyTerm::Comparison(_), Term::Comparison(tree)) => {
                    let left = self.operand(&tree.left);
                    let right = self.operand(&tree.right);
                    self.require(&Use {
                        operand: right,
                        against: left,
                        span: tree.span,
                        subject: Subject::Comparison,
                    });
                }
                _ => unreachable!("the resolved body has the shape of the tree"),
            }
        }
        let relation = rule.head.relation;
        for (index, (column, tree)) in rule.head.columns.iter().zip(&tree.head.columns).enumerate()
        {
            let operand = match (column, tree) {
                (
                    hir::HeadColumn::Aggregate { function, variable, span },
                    HeadColumn::Aggregate { variable: name, .. },
                ) => self.aggregate(*function, *variable, *span, name.span),
                (_, HeadColumn::Expression(tree)) => self.operand(tree),
                _ => unreachable!("the resolved head has the shape of the tree"),
            };
            let against = Operand::Node(self.column(relation, index));
            let subject = Subject::Column(relation, index);
            self.require(&Use { operand, against, span: tree.span(), subject });
        }
    }

    fn literal(&mut self, literal: &hir::Literal, tree: &syntax::Literal) {
        for (index, argument) in tree.arguments.iter().enumerate() {
            let operand = self.operand(argument);
            let against = Operand::Node(self.column(literal.relation, index));
            let subject = Subject::Column(literal.relation, index);
            self.require(&Use { operand, against, span: argument.span, subject });
        }
    }

    fn aggregate(
        &mut self,
        function: Aggregate,
        variable: VariableId,
        span: Span,
        variable_span: Span,
    ) -> Operand {
        let node = Operand::Node(self.variable_start + variable.index());
        match function {
            Aggregate::Count => return Operand::Known(Type::Integer, span),
            Aggregate::Min | Aggregate::Max => return node,
            Aggregate::Sum | Aggregate::Average => {}
        }
        self.require(&Use {
            operand: node,
            against: Operand::Known(Type::Integer, span),
            span: variable_span,
            subject: Subject::Aggregate(function),
        });
        Operand::Known(Type::Integer, span)
    }

    fn operand(&mut self, tree: &syntax::Expression) -> Operand {
        match &tree.kind {
            ExpressionKind::Constant(value) => Operand::Known(type_of(value), tree.span),
            ExpressionKind::Variable(name) => {
                let index = self.variables.get(name.as_str());
                index.map_or(Operand::Any, |index| Operand::Node(self.variable_start + index))
            }
            ExpressionKind::Wildcard => Operand::Any,
            ExpressionKind::Arithmetic(left, _, right) => {
                for side in [left, right] {
                    let operand = self.operand(side);
                    self.require(&Use {
                        operand,
                        against: Operand::Known(Type::Integer, tree.span),
                        span: side.span,
                        subject: Subject::Arithmetic,
                    });
                }
                Operand::Known(Type::Integer, tree.span)
            }
        }
    }

    /// Makes both operands the same type, or reports why they cannot be.
    fn require(&mut self, r#use: &Use) {
        match (r#use.operand, r#use.against) {
            (Operand::Any, _) | (_, Operand::Any) => {}
            (Operand::Known(left, left_span), Operand::Known(right, right_span)) => {
                if left != right {
                    let reason =
                        |r#type, span| Reason { r#type, span, text: name_of(r#type).into() };
                    self.report(r#use, &reason(left, left_span), &reason(right, right_span));
                }
            }
            (Operand::Node(node), Operand::Known(r#type, span))
            | (Operand::Known(r#type, span), Operand::Node(node)) => {
                let span =
                    if matches!(r#use.against, Operand::Known(..)) { r#use.span } else { span };
                let reason = Reason { r#type, span, text: name_of(r#type).to_owned() };
                let root = find(&mut self.nodes, node);
                match self.nodes[root].reason.clone() {
                    None => self.nodes[root].reason = Some(reason),
                    Some(known) if known.r#type == r#type || self.nodes[root].conflict => {}
                    Some(known) => {
                        self.nodes[root].conflict = true;
                        self.report(r#use, &reason, &known);
                    }
                }
            }
            (Operand::Node(left), Operand::Node(right)) => self.unify(r#use, left, right),
        }
    }

    fn unify(&mut self, r#use: &Use, left: usize, right: usize) {
        let left = find(&mut self.nodes, left);
        let right = find(&mut self.nodes, right);
        if left == right {
            return;
        }
        let (left_node, right_node) = (self.nodes[left].clone(), self.nodes[right].clone());
        let mut conflict = left_node.conflict || right_node.conflict;
        if let (Some(here), Some(there)) = (&left_node.reason, &right_node.reason)
            && here.r#type != there.r#type
        {
            if !conflict {
                self.report(r#use, here, there);
            }
            conflict = true;
        }
        let (child, parent) =
            if left_node.size < right_node.size { (left, right) } else { (right, left) };
        self.nodes[child].parent = Some(parent);
        self.nodes[parent].size = left_node.size + right_node.size + 1;
        self.nodes[parent].conflict = conflict;
        // The older reason makes the better message.
        self.nodes[parent].reason = right_node.reason.or(left_node.reason);
    }

    fn report(&mut self, r#use: &Use, here: &Reason, there: &Reason) {
        let (one, other) = (name_of(here.r#type), name_of(there.r#type));
        let message = match r#use.subject {
            Subject::Column(relation, index) => {
                let name = &self.program.relation(relation).name;
                format!("column {} of `{name}` is both {other} and {one}", index + 1)
            }
            Subject::Comparison => format!("{other} is compared with {one}"),
            Subject::Arithmetic => "arithmetic needs integers, and this is a string".to_owned(),
            Subject::Aggregate(function) => {
                format!("`{function}` needs integers, and this is a string")
            }
        };
        let spans = [here.span, there.span];
        let primary = if spans.contains(&r#use.span) { "" } else { "the two meet here" };
        let mut diagnostic = Diagnostic::at(Code::TypeConflict, r#use.span, message, primary);
        for reason in [here, there] {
            match &mut diagnostic.primary {
                Some(label) if label.span == reason.span && label.text.is_empty() => {
                    label.text.clone_from(&reason.text);
                }
                _ => diagnostic = diagnostic.with_label(reason.span, reason.text.clone()),
            }
        }
        let location = matches!(r#use.subject, Subject::Column(_, 0));
        self.diagnostics.push(diagnostic.with_help(if location {
            "the first column of a relation is the node where the row lives: a string"
        } else {
            "integers are written `1`, strings `\"1\"`; a column holds one or the other"
        }));
    }
}
