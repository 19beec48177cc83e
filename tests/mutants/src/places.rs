//! Finds the places of a file where a mutant can be, and what each mutant there would change.

use crate::edit::{Edit, ON, Piece};
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// What could be changed at one place.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub line: usize,
    /// What is done, in a word or two: part of what an equivalent mutant is known by.
    pub operator: &'static str,
    /// The code before and after, on one line and cut where it is long.
    pub before: String,
    pub after: String,
    pub edit: Edit,
}

/// What was found in a file.
#[derive(Default)]
pub struct Found {
    pub candidates: Vec<Candidate>,
    /// Modules with files of their own that only tests have.
    pub test_modules: Vec<String>,
}

/// All candidates of a source text.
///
/// # Errors
/// The text is not Rust.
pub fn find(source: &str) -> syn::Result<Found> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        source,
        found: Found::default(),
    };
    finder.visit_file(&file);
    Ok(finder.found)
}

struct Finder<'a> {
    source: &'a str,
    found: Found,
}

/// Methods whose closure decides about an element.
const PREDICATES: &[&str] = &[
    "all",
    "any",
    "filter",
    "find",
    "is_none_or",
    "is_some_and",
    "is_ok_and",
    "position",
    "retain",
    "skip_while",
    "take_while",
    "rposition",
    "partition",
];

/// Methods that return what they are called on, changed or not.
const SAME: &[&str] = &[
    "trim",
    "trim_end",
    "trim_start",
    "or",
    "or_else",
    "min",
    "max",
    "saturating_sub",
    "saturating_add",
    "clamp",
    "filter",
    "rev",
    "skip",
    "take",
];

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

/// Code on one line, cut where it is long.
fn short(code: &str) -> String {
    let line = code.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((cut, _)) => format!("{} …", &line[..cut]),
        None => line,
    }
}

fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let last = path
            .segments
            .last()
            .is_some_and(|last| last.ident == "test");
        let cfg = path.is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("test"));
        last || cfg
    })
}

/// Whether a condition binds names (`if let`), itself or in a part joined by `&&`.
fn binds(condition: &syn::Expr) -> bool {
    match condition {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) if matches!(binary.op, syn::BinOp::And(_)) => {
            binds(&binary.left) || binds(&binary.right)
        }
        _ => false,
    }
}

impl Finder<'_> {
    fn code(&self, range: &Range<usize>) -> &str {
        &self.source[range.clone()]
    }

    fn add(
        &mut self,
        operator: &'static str,
        range: Range<usize>,
        shown: (String, String),
        pieces: Vec<Piece>,
    ) {
        let line = self.source[..range.start].matches('\n').count() + 1;
        self.found.candidates.push(Candidate {
            line,
            operator,
            before: short(&shown.0),
            after: short(&shown.1),
            edit: Edit { range, pieces },
        });
    }

    /// Writes `new` for the node where the mutant is on.
    fn instead(&mut self, operator: &'static str, node: &impl Spanned, new: &str) {
        let range = range(node);
        let before = self.code(&range).to_owned();
        let pieces = vec![
            text(format!("(if {ON} {{ {new} }} else {{ ")),
            Piece::Source(range.clone()),
            text(" })"),
        ];
        self.add(operator, range, (before, new.to_owned()), pieces);
    }

    /// Makes of a condition its opposite, or one answer.
    fn condition(&mut self, node: &impl Spanned, operators: &[&'static str]) {
        let range = range(node);
        let before = self.code(&range).to_owned();
        for operator in operators {
            let (start, after) = match *operator {
                "negate" => (format!("({ON} ^ ("), format!("!({before})")),
                "true" => (format!("({ON} || ("), "true".to_owned()),
                _ => (format!("(!{ON} && ("), "false".to_owned()),
            };
            let pieces = vec![text(start), Piece::Source(range.clone()), text("))")];
            self.add(operator, range.clone(), (before.clone(), after), pieces);
        }
    }

    /// The parts of a condition that are joined by `&&`, where one of them binds names.
    fn chain(&mut self, condition: &syn::Expr) {
        match condition {
            syn::Expr::Binary(binary) if binds(condition) => {
                self.chain(&binary.left);
                self.chain(&binary.right);
            }
            syn::Expr::Let(binding) => {
                let range = range(binding);
                let before = self.code(&range).to_owned();
                let pieces = vec![text(format!("!{ON} && ")), Piece::Source(range.clone())];
                self.add("false", range, (before, "false".into()), pieces);
            }
            other => self.condition(other, &["true", "false"]),
        }
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if signature.constness.is_some() {
            return;
        }
        let values: &[&str] = match &signature.output {
            syn::ReturnType::Default => &[""],
            syn::ReturnType::Type(_, of) => {
                let of: String = self.code(&range(&**of)).split_whitespace().collect();
                match of.as_str() {
                    "bool" => &["true", "false"],
                    "&str" | "&'staticstr" => &["\"\""],
                    "!" => &[],
                    of if of.starts_with("Option<") => &["None"],
                    of if of.contains("Result<()") => &["Ok(())"],
                    of if of.contains("Result<Option<") => &["Ok(None)"],
                    of if of.contains("Result<bool") => &["Ok(true)", "Ok(false)"],
                    of if of.contains("Result<") => &["Ok(Default::default())"],
                    of if of.starts_with("impl") || of.starts_with('&') => &[],
                    _ => &["Default::default()"],
                }
            }
        };
        let start = block.brace_token.span.open().byte_range().end;
        for value in values {
            let after = format!("return {value};");
            let before = format!("fn {}", signature.ident);
            let pieces = vec![text(format!(" if {ON} {{ {after} }} "))];
            self.add("return early", start..start, (before, after), pieces);
        }
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        use syn::BinOp::{
            Add, AddAssign, And, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Rem, Sub, SubAssign,
        };
        let new = match node.op {
            And(_) => "||",
            Or(_) => "&&",
            Eq(_) => "!=",
            Ne(_) => "==",
            Lt(_) => "<=",
            Le(_) => "<",
            Gt(_) => ">=",
            Ge(_) => ">",
            Add(_) => "-",
            Sub(_) => "+",
            Mul(_) | Rem(_) => "/",
            Div(_) => "*",
            AddAssign(_) => "-=",
            SubAssign(_) => "+=",
            _ => return,
        };
        let (left, right, all) = (range(&*node.left), range(&*node.right), range(node));
        let after = format!("{} {new} {}", self.code(&left), self.code(&right));
        let pieces = vec![
            text(format!("(if {ON} {{ ")),
            Piece::Source(left),
            text(format!(" {new} ")),
            Piece::Source(right),
            text(" } else { "),
            Piece::Source(all.clone()),
            text(" })"),
        ];
        let before = self.code(&all).to_owned();
        self.add("operator", all, (before, after), pieces);
        if matches!(node.op, And(_) | Or(_)) {
            for side in [&node.left, &node.right] {
                if !matches!(&**side, syn::Expr::Binary(inner) if matches!(inner.op, And(_) | Or(_)))
                {
                    self.condition(&**side, &["true", "false"]);
                }
            }
        }
    }

    fn arm(&mut self, arm: &syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            if !binds(guard) {
                self.condition(&**guard, &["true", "false"]);
            }
            return;
        }
        let end = range(&arm.pat).end;
        let pattern = self.code(&range(&arm.pat)).to_owned();
        let pieces = vec![text(format!(" if !{ON}"))];
        let shown = (format!("{pattern} => …"), "arm dropped".to_owned());
        self.add("drop arm", end..end, shown, pieces);
    }

    fn method(&mut self, node: &syn::ExprMethodCall) {
        let name = node.method.to_string();
        if PREDICATES.contains(&name.as_str())
            && let Some(syn::Expr::Closure(closure)) = node.args.first()
        {
            self.condition(&*closure.body, &["true", "false"]);
        }
        let chained = matches!(&*node.receiver, syn::Expr::MethodCall(_));
        if !chained && !SAME.contains(&name.as_str()) {
            return;
        }
        let (all, receiver) = (range(node), range(&*node.receiver));
        let pieces = vec![
            text(format!("(if {ON} {{ ")),
            Piece::Source(receiver.clone()),
            text(" } else { "),
            Piece::Source(all.clone()),
            text(" })"),
        ];
        let before = self.code(&(receiver.end..all.end)).to_owned();
        self.add("drop call", all, (before, "dropped".into()), pieces);
    }

    fn statement(&mut self, statement: &syn::Stmt, last: bool) {
        let syn::Stmt::Expr(node, semicolon) = statement else {
            return;
        };
        use syn::Expr::{
            Assign, Await, Binary, Break, Call, Continue, ForLoop, If, Match, MethodCall, Return,
            Try,
        };
        let droppable = match node {
            Assign(_) | Await(_) | Break(_) | Call(_) | Continue(_) | MethodCall(_) | Return(_)
            | Try(_) | Binary(_) => semicolon.is_some(),
            ForLoop(_) => true,
            If(_) | Match(_) => !last,
            _ => false,
        };
        if !droppable {
            return;
        }
        let all = range(statement);
        let before = self.code(&all).to_owned();
        let pieces = vec![
            text(format!("if !{ON} {{ ")),
            Piece::Source(all.clone()),
            text(" }"),
        ];
        self.add(
            "drop statement",
            all.clone(),
            (before.clone(), "dropped".into()),
            pieces,
        );
        if let Try(tried) = node {
            let inner = range(&*tried.expr);
            let after = format!("let _ = {};", self.code(&inner));
            let pieces = vec![
                text(format!("if {ON} {{ let _ = ")),
                Piece::Source(inner),
                text("; } else { "),
                Piece::Source(all.clone()),
                text(" }"),
            ];
            self.add("ignore error", all, (before, after), pieces);
        }
    }

    fn literal(&mut self, node: &syn::ExprLit) {
        match &node.lit {
            syn::Lit::Bool(value) => {
                let new = if value.value { "false" } else { "true" };
                self.instead("literal", node, new);
            }
            syn::Lit::Int(number) => {
                let Ok(value) = number.base10_parse::<u128>() else {
                    return;
                };
                let new = format!("{}{}", value + 1, number.suffix());
                self.instead("literal", node, &new);
                if value > 1 {
                    self.instead("literal", node, &format!("0{}", number.suffix()));
                }
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, node: &'ast syn::Item) {
        match node {
            syn::Item::Mod(module) if only_for_tests(&module.attrs) => {
                let of_file = module.content.is_none().then(|| module.ident.to_string());
                self.found.test_modules.extend(of_file);
            }
            syn::Item::Fn(function) if only_for_tests(&function.attrs) => {}
            syn::Item::Impl(block) if only_for_tests(&block.attrs) => {}
            syn::Item::Impl(block)
                if block.trait_.as_ref().is_some_and(|(_, path, _)| {
                    path.segments
                        .last()
                        .is_some_and(|last| last.ident == "Debug")
                }) => {}
            syn::Item::Fn(_) | syn::Item::Impl(_) | syn::Item::Mod(_) | syn::Item::Trait(_) => {
                visit::visit_item(self, node);
            }
            // What the compiler evaluates has no switch; functions in a table have.
            syn::Item::Const(node) => Closures(self).visit_expr(&node.expr),
            syn::Item::Static(node) => Closures(self).visit_expr(&node.expr),
            _ => {}
        }
    }

    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        if node.sig.constness.is_none() {
            self.body(&node.sig, &node.block);
            self.visit_block(&node.block);
        }
    }

    fn visit_impl_item(&mut self, node: &'ast syn::ImplItem) {
        if let syn::ImplItem::Fn(function) = node
            && function.sig.constness.is_none()
            && !only_for_tests(&function.attrs)
        {
            self.body(&function.sig, &function.block);
            self.visit_block(&function.block);
        }
    }

    fn visit_trait_item(&mut self, node: &'ast syn::TraitItem) {
        if let syn::TraitItem::Fn(function) = node
            && let Some(block) = &function.default
        {
            self.body(&function.sig, block);
            self.visit_block(block);
        }
    }

    fn visit_block(&mut self, node: &'ast syn::Block) {
        for (place, statement) in node.stmts.iter().enumerate() {
            self.statement(statement, place + 1 == node.stmts.len());
        }
        visit::visit_block(self, node);
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        if binds(&node.cond) {
            self.chain(&node.cond);
        } else {
            self.condition(&*node.cond, &["negate", "true", "false"]);
        }
        visit::visit_expr_if(self, node);
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        if !binds(&node.cond) {
            self.condition(&*node.cond, &["false"]);
        }
        visit::visit_expr_while(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let caught_by_another = |arm: &syn::Arm| {
            arm.guard.is_none()
                && (matches!(arm.pat, syn::Pat::Wild(_))
                    || matches!(&arm.pat, syn::Pat::Ident(name) if name.subpat.is_none()
                        && name.ident.to_string().starts_with(char::is_lowercase)))
        };
        let last = node.arms.iter().position(caught_by_another);
        for (place, arm) in node.arms.iter().enumerate() {
            if arm.guard.is_some() || last.is_some_and(|last| place < last) {
                self.arm(arm);
            }
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        let whole = !binds(&node.left) && !binds(&node.right);
        if whole {
            self.binary(node);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        if matches!(node.op, syn::UnOp::Not(_)) {
            self.condition(node, &["negate"]);
        }
        // The number of a negative literal is no place of its own.
        if !matches!(node.op, syn::UnOp::Neg(_)) {
            visit::visit_expr_unary(self, node);
        }
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        self.method(node);
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        if matches!(&*node.func, syn::Expr::Path(path) if path.path.is_ident("Some")) {
            self.instead("no value", node, "None");
        }
        visit::visit_expr_call(self, node);
    }

    fn visit_field_value(&mut self, node: &'ast syn::FieldValue) {
        let code = self.code(&range(&node.expr));
        let is_default =
            code == "None" || code.ends_with("::default()") || code.ends_with("::new()");
        if node.colon_token.is_some() && !matches!(node.expr, syn::Expr::Lit(_)) && !is_default {
            self.instead("default field", &node.expr, "Default::default()");
        }
        visit::visit_field_value(self, node);
    }

    fn visit_expr_lit(&mut self, node: &'ast syn::ExprLit) {
        self.literal(node);
    }

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
}

/// Goes into the closures of a constant only.
struct Closures<'f, 'a>(&'f mut Finder<'a>);

impl<'ast> Visit<'ast> for Closures<'_, '_> {
    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.0.visit_expr(&node.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit;

    /// What each candidate would write, one a line.
    fn written(source: &str) -> Vec<String> {
        let found = find(source).unwrap();
        let of = |candidate: &Candidate| {
            let text = edit::write(source, &[(1, &candidate.edit)]).text;
            syn::parse_file(&text).unwrap();
            format!(
                "{}: {}",
                candidate.operator,
                text.replace("crate::mutants::on(1)", "ON")
            )
        };
        found.candidates.iter().map(of).collect()
    }

    #[test]
    fn every_candidate_is_rust_with_the_original_behind_a_switch() {
        let source = "fn f(a: u8) -> bool { if a < 2 && g() { h(1)?; } a == 3 }";
        let all = written(source);
        for expected in [
            "return early: fn f(a: u8) -> bool { if ON { return true; }  if a < 2 && g() { h(1)?; } a == 3 }",
            "negate: fn f(a: u8) -> bool { if (ON ^ (a < 2 && g())) { h(1)?; } a == 3 }",
            "operator: fn f(a: u8) -> bool { if (if ON { a < 2 || g() } else { a < 2 && g() }) { h(1)?; } a == 3 }",
            "true: fn f(a: u8) -> bool { if a < 2 && (ON || (g())) { h(1)?; } a == 3 }",
            "ignore error: fn f(a: u8) -> bool { if a < 2 && g() { if ON { let _ = h(1); } else { h(1)?; } } a == 3 }",
            "literal: fn f(a: u8) -> bool { if a < 2 && g() { h(1)?; } a == (if ON { 4 } else { 3 }) }",
        ] {
            assert!(
                all.iter().any(|one| one == expected),
                "{expected}\n{all:#?}"
            );
        }
    }

    #[test]
    fn constants_have_places_in_their_functions_only_and_tests_have_none() {
        let source = "const A: &[F] = &[f(1, |x| x == 2)];
            #[cfg(test)] mod tests { fn f() { g(); } }
            #[test] fn t() { g(); }
            fn m(x: u8) -> u8 { match x { 1 if c => 5, 2 => 6, _ => 7 } }";
        let all = written(source);
        assert!(!all.iter().any(|one| one.contains("f((if ON")), "{all:#?}");
        assert!(
            all.iter().any(|one| one.contains("|x| (if ON { x != 2 }")),
            "{all:#?}"
        );
        assert!(
            !all.iter().any(|one| one.contains("if !ON { g(); }")),
            "{all:#?}"
        );
        for arm in ["1 if (ON || (c)) => 5", "2 if !ON => 6"] {
            assert!(all.iter().any(|one| one.contains(arm)), "{arm}: {all:#?}");
        }
        assert!(!all.iter().any(|one| one.contains("_ if !ON")), "{all:#?}");
    }
}
