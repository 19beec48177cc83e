//! A template that was read.

use super::value::Value;
use std::rc::Rc;
use std::sync::Arc;

/// A sequence of nodes. Shared, so that `#define` can keep one.
pub(super) type Block = Arc<[Node]>;

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Reference {
        reference: Reference,
        /// How many backslashes stand before it.
        slashes: usize,
    },
    Set(Reference, Expression),
    If(Vec<(Expression, Block)>, Option<Block>),
    ForEach {
        at: usize,
        name: String,
        over: Expression,
        body: Block,
    },
    Define(String, Block),
    Break,
    Stop,
}

/// `$x.y(1)[2]`, with its place.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) at: usize,
    pub(super) root: String,
    pub(super) quiet: bool,
    pub(super) steps: Vec<Step>,
    /// As it stands in the template.
    pub(super) source: String,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) at: usize,
    pub(super) kind: StepKind,
}

#[derive(Debug)]
pub(super) enum StepKind {
    Property(String),
    Method(String, Vec<Expression>),
    Index(Expression),
}

#[derive(Debug)]
pub(super) struct Expression {
    pub(super) at: usize,
    pub(super) kind: ExpressionKind,
}

#[derive(Debug)]
pub(super) enum ExpressionKind {
    Literal(Literal),
    /// A string between double quotes that holds references or directives.
    Interpolated(Block),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    Range(Box<Expression>, Box<Expression>),
    Reference(Reference),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

impl Literal {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(it) => Value::Bool(*it),
            Self::Int(it) => Value::Int(*it),
            Self::Float(it) => Value::Float(*it),
            Self::Text(it) => Value::Text(Rc::from(it.as_str())),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Rest,
}
