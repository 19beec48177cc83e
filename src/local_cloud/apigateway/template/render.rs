//! The evaluation of a template: texts, references and directives.

use super::tree::{Block, Node, Reference, Step, StepKind};
use super::value::{Defined, Tool, Value};
use super::{Fault, Input, json};
use indexmap::IndexMap;
use std::cell::OnceCell;
use std::collections::HashMap;

/// How many iterations a `#foreach` has at most (API Gateway quotas, "Number of iterations in a
/// #ForEach … loop in mapping templates").
const MOST_ITERATIONS: usize = 1000;
/// The most bytes of what a template makes: the largest payload (API Gateway quotas).
const MOST_BYTES: usize = 10 << 20;
/// How many nodes one evaluation may visit.
const MOST_STEPS: usize = 300_000;
/// How deep blocks of `#define` may use each other.
const DEEPEST: usize = 20;

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Stop,
}

/// One evaluation.
pub(super) struct Run<'r> {
    pub(super) input: &'r Input,
    body: OnceCell<Result<Value, String>>,
    variables: HashMap<String, Value>,
    steps: usize,
    depth: usize,
}

/// What a template makes of its input.
pub(super) fn render(block: &Block, input: &Input) -> Result<String, Fault> {
    let stage = input.stage_variables.iter();
    let stage: IndexMap<String, Value> = stage
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    let variables = [
        ("input", Value::Tool(Tool::Input)),
        ("util", Value::Tool(Tool::Util)),
        ("context", json::value_of(&input.context)),
        ("stageVariables", Value::map(stage)),
    ];
    let mut run = Run {
        input,
        body: OnceCell::new(),
        variables: variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        steps: 0,
        depth: 0,
    };
    let mut out = String::new();
    run.block(block, &mut out)?;
    Ok(out)
}

impl Run<'_> {
    /// The payload as JSON.
    pub(super) fn body(&self, at: usize) -> Result<Value, Fault> {
        let read = self.body.get_or_init(|| json::parse(&self.input.body));
        read.clone()
            .map_err(|error| Fault::new(at, format!("The payload is not JSON: {error}.")))
    }

    fn block(&mut self, block: &Block, out: &mut String) -> Result<Flow, Fault> {
        for node in block.iter() {
            let flow = self.node(node, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<Flow, Fault> {
        match node {
            Node::Text(text) => append(out, text, 0)?,
            Node::Reference { reference, slashes } => self.write(reference, *slashes, out)?,
            Node::Set(target, value) => {
                self.step(target.at)?;
                let value = self.expression(value)?;
                // As in Velocity 1.7 nothing is set to null: the variable stays as it was.
                if !matches!(value, Value::Null) {
                    self.set(target, value)?;
                }
            }
            Node::If(cases, other) => {
                for (test, body) in cases {
                    self.step(test.at)?;
                    if self.expression(test)?.is_true() {
                        return self.block(body, out);
                    }
                }
                if let Some(body) = other {
                    return self.block(body, out);
                }
            }
            Node::ForEach {
                at,
                name,
                over,
                body,
            } => {
                let over = self.expression(over)?;
                return self.for_each(*at, name, &over, body, out);
            }
            Node::Define(name, body) => {
                let block = Value::Block(Defined(Block::clone(body)));
                self.variables.insert(name.clone(), block);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::Next)
    }

    fn for_each(
        &mut self,
        at: usize,
        name: &str,
        over: &Value,
        body: &Block,
        out: &mut String,
    ) -> Result<Flow, Fault> {
        let items = match over {
            Value::List(items) => items.borrow().clone(),
            Value::Map(pairs) => pairs.borrow().values().cloned().collect(),
            _ => Vec::new(),
        };
        if items.len() > MOST_ITERATIONS {
            let message = format!(
                "#foreach has {} iterations, and {MOST_ITERATIONS} at most are possible.",
                items.len()
            );
            return Err(Fault::new(at, message));
        }
        let names = [name, "foreach", "velocityCount"];
        let outer = names.map(|name| self.variables.remove(name));
        let count = items.len();
        let mut flow = Flow::Next;
        for (index, item) in items.into_iter().enumerate() {
            self.step(at)?;
            let mut state = IndexMap::from([
                ("index".to_owned(), Value::Int(index as i128)),
                ("count".to_owned(), Value::Int(index as i128 + 1)),
                ("hasNext".to_owned(), Value::Bool(index + 1 < count)),
                ("first".to_owned(), Value::Bool(index == 0)),
                ("last".to_owned(), Value::Bool(index + 1 == count)),
            ]);
            if let Some(parent) = &outer[1] {
                state.insert("parent".to_owned(), parent.clone());
            }
            let count = Value::Int(index as i128 + 1);
            match item {
                // A variable is never null: in this iteration there is none.
                Value::Null => self.variables.remove(name),
                item => self.variables.insert(name.to_owned(), item),
            };
            self.variables
                .insert("foreach".to_owned(), Value::map(state));
            self.variables.insert("velocityCount".to_owned(), count);
            match self.block(body, out)? {
                Flow::Next => {}
                Flow::Break => break,
                Flow::Stop => {
                    flow = Flow::Stop;
                    break;
                }
            }
        }
        for (name, value) in names.into_iter().zip(outer) {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        Ok(flow)
    }

    /// Writes a reference, or what Velocity writes in its place.
    fn write(
        &mut self,
        reference: &Reference,
        slashes: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        let at = reference.at;
        self.step(at)?;
        let value = self.reference(reference)?;
        let slash = |count: usize| "\\".repeat(count);
        let Some(value) = value else {
            append(out, &slash(slashes), at)?;
            return match reference.quiet {
                true => Ok(()),
                false => append(out, &reference.source, at),
            };
        };
        append(out, &slash(slashes / 2), at)?;
        if slashes % 2 == 1 {
            return append(out, &reference.source, at);
        }
        match value {
            // API Gateway writes nothing (ToQoz/api-gateway-mapping-template#5).
            Value::Null => Ok(()),
            value => append(out, &self.text(&value, at)?, at),
        }
    }

    /// A value as text.
    pub(super) fn text(&mut self, value: &Value, at: usize) -> Result<String, Fault> {
        match value {
            Value::Block(Defined(block)) => self.inner(block, at),
            value => value
                .to_text()
                .ok_or_else(|| Fault::new(at, "Lists and maps are nested too deep.")),
        }
    }

    /// What a block inside of an expression makes.
    pub(super) fn inner(&mut self, block: &Block, at: usize) -> Result<String, Fault> {
        if self.depth == DEEPEST {
            return Err(Fault::new(at, "A block of #define uses itself."));
        }
        self.depth += 1;
        let mut text = String::new();
        self.block(block, &mut text)?;
        self.depth -= 1;
        Ok(text)
    }

    /// The value of a reference; none where its variable was never set.
    pub(super) fn reference(&mut self, reference: &Reference) -> Result<Option<Value>, Fault> {
        let Some(mut value) = self.variables.get(&reference.root).cloned() else {
            return Ok(None);
        };
        for step in &reference.steps {
            if matches!(value, Value::Null) {
                break;
            }
            value = self.follow(&value, step)?;
        }
        Ok(Some(value))
    }

    fn follow(&mut self, value: &Value, step: &Step) -> Result<Value, Fault> {
        match &step.kind {
            StepKind::Property(name) => Ok(self.property(value, name)),
            StepKind::Method(name, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.expression(argument)?);
                }
                self.call(value, name, &values, step.at)
            }
            StepKind::Index(index) => {
                let index = self.expression(index)?;
                self.call(value, "get", &[index], step.at)
            }
        }
    }

    fn set(&mut self, target: &Reference, value: Value) -> Result<(), Fault> {
        let Some((last, before)) = target.steps.split_last() else {
            self.variables.insert(target.root.clone(), value);
            return Ok(());
        };
        let mut holder = self.variables.get(&target.root).cloned();
        for step in before {
            holder = match holder {
                Some(holder) => Some(self.follow(&holder, step)?),
                None => None,
            };
        }
        let holder = holder.unwrap_or(Value::Null);
        match &last.kind {
            StepKind::Property(name) if matches!(holder, Value::Map(_)) => {
                let name = Value::from(name.as_str());
                self.call(&holder, "put", &[name, value], last.at)?;
            }
            StepKind::Index(index) => {
                let method = if matches!(holder, Value::Map(_)) {
                    "put"
                } else {
                    "set"
                };
                let index = self.expression(index)?;
                self.call(&holder, method, &[index, value], last.at)?;
            }
            _ => {
                let message = format!(
                    "{} cannot be set: it is below {}.",
                    target.source,
                    holder.kind()
                );
                return Err(Fault::new(target.at, message));
            }
        }
        Ok(())
    }

    /// Counts what is done.
    pub(super) fn step(&mut self, at: usize) -> Result<(), Fault> {
        self.steps += 1;
        match self.steps > MOST_STEPS {
            true => Err(Fault::new(at, "The template does not come to an end.")),
            false => Ok(()),
        }
    }
}

fn append(out: &mut String, text: &str, at: usize) -> Result<(), Fault> {
    if out.len() + text.len() > MOST_BYTES {
        return Err(Fault::new(at, "The template makes more than 10 MB."));
    }
    out.push_str(text);
    Ok(())
}
