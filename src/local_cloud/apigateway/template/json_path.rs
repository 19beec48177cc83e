//! JSONPath as API Gateway has it: names, indexes, slices, wildcards, search at any depth, simple
//! filters, and `length()` (API Gateway developer guide, "Variables for data transformations";
//! Jayway JsonPath, "Operators").

use super::cursor::Cursor;
use super::value::Value;

/// How many values a search at any depth may meet.
const MOST_VISITED: usize = 1_000_000;

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq)]
struct Segment {
    /// `..`: here and at any depth below.
    deep: bool,
    select: Select,
}

#[derive(Debug, Clone, PartialEq)]
enum Select {
    Names(Vec<String>),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    /// Alternatives of conditions that hold together.
    Filter(Vec<Vec<Test>>),
    Length,
}

#[derive(Debug, Clone, PartialEq)]
struct Test {
    not: bool,
    left: Operand,
    compared: Option<(Comparison, Operand)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Path(JsonPath),
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a path. One without `$` begins at the root, too.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut cursor = Cursor::new(text.trim());
        if !cursor.take("$") && cursor.peek().is_some_and(|c| c != '[' && c != '.') {
            // As after a dot.
            let name = name(&mut cursor)?;
            let mut all = vec![name];
            all.extend(segments(&mut cursor, &[])?);
            return Ok(Self(all));
        }
        segments(&mut cursor, &[]).map(Self)
    }

    /// Whether it leads to one value at most.
    fn is_definite(&self) -> bool {
        self.0.iter().all(|segment| {
            !segment.deep
                && match &segment.select {
                    Select::Names(names) => names.len() == 1,
                    Select::Indexes(indexes) => indexes.len() == 1,
                    Select::Length => true,
                    _ => false,
                }
        })
    }

    /// What the path leads to: a value, or the list of all that it selects where it could be
    /// several. None where it leads nowhere.
    pub fn of(&self, root: &Value) -> Option<Value> {
        let mut found = vec![root.clone()];
        for segment in &self.0 {
            let mut next = Vec::new();
            for value in &found {
                if segment.deep {
                    let mut left = MOST_VISITED;
                    deep(value, &segment.select, &mut next, &mut left);
                } else {
                    select(value, &segment.select, &mut next);
                }
            }
            found = next;
        }
        match self.is_definite() {
            true => found.into_iter().next(),
            false => Some(Value::list(found)),
        }
    }
}

fn deep(value: &Value, wanted: &Select, out: &mut Vec<Value>, left: &mut usize) {
    let Some(fewer) = left.checked_sub(1) else {
        return;
    };
    *left = fewer;
    select(value, wanted, out);
    for child in children(value) {
        deep(&child, wanted, out, left);
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.borrow().clone(),
        Value::Map(pairs) => pairs.borrow().values().cloned().collect(),
        _ => Vec::new(),
    }
}

fn select(value: &Value, wanted: &Select, out: &mut Vec<Value>) {
    match (wanted, value) {
        (Select::Names(names), Value::Map(pairs)) => {
            out.extend(
                names
                    .iter()
                    .filter_map(|name| pairs.borrow().get(name).cloned()),
            );
        }
        (Select::Indexes(indexes), Value::List(items)) => {
            let items = items.borrow();
            let places = indexes
                .iter()
                .filter_map(|index| place(*index, items.len()));
            out.extend(places.filter_map(|place| items.get(place).cloned()));
        }
        (Select::Slice(from, to), Value::List(items)) => {
            let items = items.borrow();
            let bound = |index: i64| match index {
                0.. => usize::try_from(index)
                    .unwrap_or(usize::MAX)
                    .min(items.len()),
                _ => place(index, items.len()).unwrap_or(0),
            };
            let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
            out.extend(items.get(from..to).unwrap_or_default().iter().cloned());
        }
        (Select::All, value) => out.extend(children(value)),
        (Select::Filter(alternatives), value) => {
            let holds = |item: &Value| {
                let all = |tests: &Vec<Test>| tests.iter().all(|test| test.holds(item));
                alternatives.iter().any(all)
            };
            match value {
                // A filter on a map looks at the map itself.
                Value::Map(_) => out.extend(holds(value).then(|| value.clone())),
                value => out.extend(children(value).into_iter().filter(holds)),
            }
        }
        (Select::Length, value) => {
            let length = match value {
                Value::List(items) => items.borrow().len(),
                Value::Map(pairs) => pairs.borrow().len(),
                Value::Text(text) => text.encode_utf16().count(),
                _ => return,
            };
            out.push(Value::Int(length as i128));
        }
        _ => {}
    }
}

/// An index from the start, or from the end where it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

impl Test {
    fn holds(&self, item: &Value) -> bool {
        let holds = match &self.compared {
            None => match &self.left {
                Operand::Path(path) => path.of(item).is_some(),
                other => other.value(item).is_some_and(|it| it.is_true()),
            },
            Some((comparison, right)) => compare(*comparison, &self.left, right, item),
        };
        holds != self.not
    }
}

impl Operand {
    fn value(&self, item: &Value) -> Option<Value> {
        Some(match self {
            Self::Path(path) => return path.of(item),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::Float(*number),
            Self::Bool(it) => Value::Bool(*it),
            Self::Null => Value::Null,
        })
    }
}

fn compare(comparison: Comparison, left: &Operand, right: &Operand, item: &Value) -> bool {
    let (left, right) = (left.value(item), right.value(item));
    let (Some(left), Some(right)) = (left, right) else {
        return comparison == Comparison::Unequal;
    };
    let number = |value: &Value| match value {
        Value::Int(it) => Some(*it as f64),
        Value::Float(it) => Some(*it),
        _ => None,
    };
    let order = match (number(&left), number(&right), &left, &right) {
        (Some(a), Some(b), ..) => a.partial_cmp(&b),
        (_, _, Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let equal = order.map_or_else(|| left.equals(&right), |order| order.is_eq());
    match comparison {
        Comparison::Equal => equal,
        Comparison::Unequal => !equal,
        Comparison::Less => order.is_some_and(|order| order.is_lt()),
        Comparison::LessOrEqual => order.is_some_and(|order| order.is_le()),
        Comparison::Greater => order.is_some_and(|order| order.is_gt()),
        Comparison::GreaterOrEqual => order.is_some_and(|order| order.is_ge()),
    }
}

/// Reads segments up to the end, or to one of the characters that end a path in a filter.
fn segments(cursor: &mut Cursor<'_>, stops: &[char]) -> Result<Vec<Segment>, String> {
    let mut all = Vec::new();
    loop {
        match cursor.peek() {
            None => return Ok(all),
            Some(c) if stops.contains(&c) => return Ok(all),
            _ => {}
        }
        let deep = cursor.take("..");
        if !deep && cursor.take(".") || deep && cursor.peek() != Some('[') {
            let mut segment = name(cursor)?;
            segment.deep = deep;
            all.push(segment);
        } else if cursor.take("[") {
            let select = brackets(cursor)?;
            all.push(Segment { deep, select });
        } else {
            return Err(wrong(cursor, "\".\" or \"[\""));
        }
    }
}

fn wrong(cursor: &Cursor<'_>, expected: &str) -> String {
    format!(
        "The JSONPath {:?} is wrong at character {}: expected {expected}, got {}.",
        cursor.text,
        cursor.text[..cursor.at].chars().count() + 1,
        cursor.found()
    )
}

/// A name behind a dot, or `*`, or `length()`.
fn name(cursor: &mut Cursor<'_>) -> Result<Segment, String> {
    let select = if cursor.take("*") {
        Select::All
    } else {
        let ends = |c: char| ".[]()=!<>&|,".contains(c) || c.is_whitespace();
        let name = cursor.take_while(|c| !ends(c));
        if name.is_empty() {
            return Err(wrong(cursor, "a name"));
        }
        match (name, cursor.peek()) {
            ("length" | "size", Some('(')) if cursor.take("()") => Select::Length,
            (_, Some('(')) => {
                return Err(format!(
                    "The local cloud's JSONPath does not have the function {name}()."
                ));
            }
            _ => Select::Names(vec![name.to_owned()]),
        }
    };
    Ok(Segment {
        deep: false,
        select,
    })
}

/// What follows `[`.
fn brackets(cursor: &mut Cursor<'_>) -> Result<Select, String> {
    cursor.skip_blanks();
    let select = match cursor.peek() {
        Some('*') => {
            cursor.take("*");
            Select::All
        }
        Some('?') => {
            cursor.take("?");
            cursor.skip_blanks();
            if !cursor.take("(") {
                return Err(wrong(cursor, "\"(\""));
            }
            let filter = filter(cursor)?;
            if !cursor.take(")") {
                return Err(wrong(cursor, "\")\""));
            }
            Select::Filter(filter)
        }
        Some('\'' | '"') => {
            let mut names = vec![quoted(cursor)?];
            cursor.skip_blanks();
            while cursor.take(",") {
                cursor.skip_blanks();
                names.push(quoted(cursor)?);
                cursor.skip_blanks();
            }
            Select::Names(names)
        }
        _ => indexes(cursor)?,
    };
    cursor.skip_blanks();
    match cursor.take("]") {
        true => Ok(select),
        false => Err(wrong(cursor, "\"]\"")),
    }
}

fn indexes(cursor: &mut Cursor<'_>) -> Result<Select, String> {
    let first = integer(cursor)?;
    cursor.skip_blanks();
    if cursor.take(":") {
        cursor.skip_blanks();
        return Ok(Select::Slice(first, integer(cursor)?));
    }
    let mut all = vec![first.ok_or_else(|| wrong(cursor, "an index or a name between quotes"))?];
    while cursor.take(",") {
        cursor.skip_blanks();
        all.push(integer(cursor)?.ok_or_else(|| wrong(cursor, "an index"))?);
        cursor.skip_blanks();
    }
    Ok(Select::Indexes(all))
}

fn integer(cursor: &mut Cursor<'_>) -> Result<Option<i64>, String> {
    let start = cursor.at;
    cursor.take("-");
    cursor.take_while(|c| c.is_ascii_digit());
    match &cursor.text[start..cursor.at] {
        "" => Ok(None),
        text => match text.parse() {
            Ok(integer) => Ok(Some(integer)),
            Err(_) => Err(wrong(cursor, "an index")),
        },
    }
}

/// A string between quotes; a backslash takes the next character as it is.
fn quoted(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let Some(quote @ ('\'' | '"')) = cursor.peek() else {
        return Err(wrong(cursor, "a name between quotes"));
    };
    let mut text = String::new();
    let mut characters = cursor.rest().char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => text.extend(characters.next().map(|(_, next)| next)),
            c if c == quote => {
                cursor.at += at + c.len_utf8();
                return Ok(text);
            }
            c => text.push(c),
        }
    }
    cursor.at = cursor.end;
    Err(wrong(cursor, "a closing quote"))
}

/// A filter up to its closing parenthesis.
fn filter(cursor: &mut Cursor<'_>) -> Result<Vec<Vec<Test>>, String> {
    let mut alternatives = vec![vec![test(cursor)?]];
    loop {
        cursor.skip_blanks();
        if cursor.take("||") {
            alternatives.push(vec![test(cursor)?]);
        } else if cursor.take("&&") {
            let test = test(cursor)?;
            if let Some(last) = alternatives.last_mut() {
                last.push(test);
            }
        } else {
            return Ok(alternatives);
        }
    }
}

fn test(cursor: &mut Cursor<'_>) -> Result<Test, String> {
    cursor.skip_blanks();
    let not = cursor.take("!");
    let left = operand(cursor)?;
    cursor.skip_blanks();
    let comparisons = [
        ("==", Comparison::Equal),
        ("!=", Comparison::Unequal),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    let mut comparisons = comparisons.into_iter();
    let compared = match comparisons.find(|(text, _)| cursor.take(text)) {
        Some((_, comparison)) => {
            cursor.skip_blanks();
            Some((comparison, operand(cursor)?))
        }
        None => None,
    };
    Ok(Test {
        not,
        left,
        compared,
    })
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, String> {
    if cursor.take("@") {
        const STOPS: &[char] = &['=', '!', '<', '>', '&', '|', ')', ' ', '\t'];
        return Ok(Operand::Path(JsonPath(segments(cursor, STOPS)?)));
    }
    if matches!(cursor.peek(), Some('\'' | '"')) {
        return quoted(cursor).map(Operand::Text);
    }
    let word = cursor.rest();
    let length = word.find(|c: char| "=!<>&|) \t".contains(c));
    let word = &word[..length.unwrap_or(word.len())];
    let operand = match word {
        "true" => Operand::Bool(true),
        "false" => Operand::Bool(false),
        "null" => Operand::Null,
        word => match word.parse() {
            Ok(number) => Operand::Number(number),
            Err(_) => {
                return Err(wrong(
                    cursor,
                    "a path that begins with @, a string, a number, true, false or null",
                ));
            }
        },
    };
    cursor.at += word.len();
    Ok(operand)
}
