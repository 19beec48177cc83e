//! The manual of the language of expressions: functions, roots, operators and directives.

use super::evaluate;
use super::scope::Scope;
use crate::data::Data;
use serde_json::Value;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function.
    Function,
    /// The first word of a reference.
    Root,
    /// An operator.
    Operator,
    /// A directive in a string.
    Directive,
}

/// One word of the language.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// Its name: `join`, `var`, `==`, `%{ if }`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// How it is written: `join(separator, list, …)`.
    pub usage: &'static str,
    /// What it gives, in sentences.
    pub says: &'static str,
    /// An example. Of a function it is an expression, of anything else a string of a stack file.
    pub example: &'static str,
    /// Whether the example needs nothing else, so that it can be evaluated.
    pub runs: bool,
}

/// All of them: functions by name, then roots, operators and directives.
pub fn words() -> impl Iterator<Item = &'static Word> {
    FUNCTIONS.iter().chain(OTHERS)
}

impl Word {
    /// What the example gives, where it needs nothing else.
    pub fn result(&self) -> Option<Value> {
        let text = match self.kind {
            Kind::Function => format!("${{{}}}", self.example),
            _ => self.example.to_owned(),
        };
        let result = self
            .runs
            .then(|| evaluate(&text.into(), &Nothing::default()));
        Some(result?.ok()?.value)
    }
}

/// Nothing to refer to.
#[derive(Default)]
struct Nothing(Data);

impl Scope for Nothing {
    fn var(&self, _name: &str) -> Option<&Data> {
        None
    }

    fn local(&self, _name: &str) -> Option<&Data> {
        None
    }

    fn data(&self, _name: &str) -> Option<&Data> {
        None
    }

    fn resource(&self, _name: &str) -> Option<&Data> {
        None
    }

    fn each(&self) -> Option<(&Data, &Data)> {
        None
    }

    fn stack(&self) -> &Data {
        &self.0
    }

    fn file(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("an example has no files".to_owned())
    }
}

const fn function(usage: &'static str, says: &'static str, example: &'static str) -> Word {
    Word {
        name: before_bracket(usage),
        kind: Kind::Function,
        usage,
        says,
        example,
        runs: true,
    }
}

/// A function whose example needs a file or a variable.
const fn outward(usage: &'static str, says: &'static str, example: &'static str) -> Word {
    let word = function(usage, says, example);
    Word {
        runs: false,
        ..word
    }
}

const fn before_bracket(usage: &'static str) -> &'static str {
    let mut length = 0;
    while length < usage.len() && usage.as_bytes()[length] != b'(' {
        length += 1;
    }
    usage.split_at(length).0
}

const fn word(
    kind: Kind,
    name: &'static str,
    usage: &'static str,
    says: &'static str,
    example: &'static str,
) -> Word {
    Word {
        name,
        kind,
        usage,
        says,
        example,
        runs: false,
    }
}

/// The same with an example that can be evaluated.
const fn running(
    kind: Kind,
    name: &'static str,
    usage: &'static str,
    says: &'static str,
    example: &'static str,
) -> Word {
    let word = word(kind, name, usage, says, example);
    Word { runs: true, ..word }
}

#[rustfmt::skip]
const FUNCTIONS: &[Word] = &[
    function("abs(number)", "The number without its sign.", "abs(-3)"),
    function("alltrue(list)", "Whether every item is true; of an empty list true.", "alltrue([true, false])"),
    function("anytrue(list)", "Whether at least one item is true; of an empty list false.", "anytrue([true, false])"),
    function("base64decode(string)", "The string that base64 stands for. It must be UTF-8.", "base64decode(\"aGVsbG8=\")"),
    function("base64encode(string)", "The string in base64.", "base64encode(\"hello\")"),
    function("base64sha256(string)", "The SHA-256 hash of the string, in base64.", "base64sha256(\"hello\")"),
    function("base64sha512(string)", "The SHA-512 hash of the string, in base64.", "base64sha512(\"hello\")"),
    function("basename(path)", "The last part of a path.", "basename(\"app/main.py\")"),
    function("can(expression)", "Whether the expression has a value: false where it fails.", "can(tonumber(\"x\"))"),
    function("ceil(number)", "The next integer that is not smaller.", "ceil(1.2)"),
    function("chomp(string)", "The string without line ends at its end.", "chomp(\"hello\\n\")"),
    function("chunklist(list, size)", "The list in lists of that size; the last one may be shorter.", "chunklist([1, 2, 3], 2)"),
    function("cidrhost(range, number)", "The address of that number in the range. A negative number counts from the end.", "cidrhost(\"10.0.0.0/24\", 5)"),
    function("cidrnetmask(range)", "The netmask of an IPv4 range.", "cidrnetmask(\"10.0.0.0/20\")"),
    function("cidrsubnet(range, bits, number)", "The subnet of that number, where the prefix is longer by so many bits.", "cidrsubnet(\"10.0.0.0/16\", 8, 2)"),
    function("coalesce(value, …)", "The first value that is not null and not an empty string. Later ones are not evaluated.", "coalesce(null, \"\", \"a\")"),
    function("coalescelist(list, …)", "The first list that is not empty.", "coalescelist([], [1])"),
    function("compact(list)", "The list without null and empty strings.", "compact([\"a\", \"\", null])"),
    function("concat(list, …)", "The items of all lists in one.", "concat([1], [2, 3])"),
    function("contains(list, value)", "Whether the list has the value.", "contains([\"a\", \"b\"], \"a\")"),
    function("dirname(path)", "The path without its last part.", "dirname(\"app/main.py\")"),
    function("distinct(list)", "The list with each value once, in the order of the first ones.", "distinct([\"b\", \"a\", \"b\"])"),
    function("element(list, index)", "The item at the index, counted from 0. After the last one comes the first.", "element([\"a\", \"b\"], 2)"),
    function("endswith(string, end)", "Whether the string ends so.", "endswith(\"a.fifo\", \".fifo\")"),
    outward("file(path)", "The content of a local file, which must be UTF-8. A relative path starts in the stack file's folder.", "file(\"policy.json\")"),
    outward("filebase64(path)", "The content of a local file in base64.", "filebase64(\"logo.png\")"),
    outward("filebase64sha256(path)", "The SHA-256 hash of a local file, in base64.", "filebase64sha256(\"app.zip\")"),
    outward("filebase64sha512(path)", "The SHA-512 hash of a local file, in base64.", "filebase64sha512(\"app.zip\")"),
    outward("fileexists(path)", "Whether a local file can be read.", "fileexists(\"extra.json\")"),
    outward("filemd5(path)", "The MD5 hash of a local file, in hexadecimal.", "filemd5(\"app.zip\")"),
    outward("filesha1(path)", "The SHA-1 hash of a local file, in hexadecimal.", "filesha1(\"app.zip\")"),
    outward("filesha256(path)", "The SHA-256 hash of a local file, in hexadecimal.", "filesha256(\"app.zip\")"),
    outward("filesha512(path)", "The SHA-512 hash of a local file, in hexadecimal.", "filesha512(\"app.zip\")"),
    function("flatten(list)", "The items of the list, and those of lists in it, in one list.", "flatten([[1, 2], [3]])"),
    function("floor(number)", "The next integer that is not larger.", "floor(1.8)"),
    function("format(pattern, value, …)", "The pattern with the values in place of %s (any value), %d (an integer), %f, %q (quoted), %t (a bool) and so on; %% is a percent sign.", "format(\"%s-%03d\", \"web\", 7)"),
    function("indent(spaces, string)", "The string with so many blanks before each line but the first.", "indent(2, \"a\\nb\")"),
    function("index(list, value)", "The place of the value in the list, counted from 0. A value that is not in it is a mistake.", "index([\"a\", \"b\"], \"b\")"),
    function("join(separator, list, …)", "The strings of the lists with the separator between them.", "join(\"-\", [\"a\", \"b\"])"),
    function("jsondecode(string)", "The value that a JSON text stands for.", "jsondecode(\"{\\\"a\\\": 1}\")"),
    function("jsonencode(value)", "The value as JSON text.", "jsonencode({a = [1, true]})"),
    function("keys(map)", "The keys of the map, sorted.", "keys({b = 1, a = 2})"),
    function("length(value)", "The number of items of a list, of entries of a map, or of characters of a string.", "length([1, 2, 3])"),
    function("lookup(map, key, default)", "The value of the key, or the default; without a default a missing key is a mistake.", "lookup({a = 1}, \"b\", 0)"),
    function("lower(string)", "The string in lower case.", "lower(\"Hello\")"),
    function("max(number, …)", "The largest number.", "max(1, 3, 2)"),
    function("md5(string)", "The MD5 hash of the string, in hexadecimal.", "md5(\"hello\")"),
    function("merge(map, …)", "The entries of all maps in one; of equal keys the last one counts.", "merge({a = 1}, {b = 2})"),
    function("min(number, …)", "The smallest number.", "min(1, 3, 2)"),
    function("one(list)", "The only item of the list, or null where it is empty. More items are a mistake.", "one([\"a\"])"),
    function("parseint(string, base)", "The integer that the string stands for in a base from 2 to 62.", "parseint(\"ff\", 16)"),
    function("pow(number, exponent)", "The number raised to the exponent.", "pow(2, 10)"),
    function("range(start, limit, step)", "The numbers from the start up to the limit, which is not among them. With one argument it is the limit, and the start is 0; the step is 1 by default.", "range(3)"),
    function("regex(pattern, string)", "What the pattern matches first: a string, with groups a list of theirs, with named groups a map. No match is a mistake.", "regex(\"[0-9]+\", \"a12b\")"),
    function("regexall(pattern, string)", "Everything that the pattern matches, as a list.", "regexall(\"[0-9]+\", \"a12b3\")"),
    function("replace(string, search, replacement)", "The string with every occurrence replaced. A search between slashes is a regular expression, whose groups are $1 and so on.", "replace(\"a_b\", \"_\", \"-\")"),
    function("reverse(list)", "The list from its end.", "reverse([1, 2])"),
    outward("sensitive(value)", "The value, marked as a secret: it is on no screen, and the state keeps it encrypted.", "sensitive(var.token)"),
    function("setintersection(list, …)", "The values that every list has, sorted.", "setintersection([\"a\", \"b\"], [\"b\"])"),
    function("setsubtract(list, list)", "The values of the first list that the second one lacks, sorted.", "setsubtract([\"a\", \"b\"], [\"b\"])"),
    function("setunion(list, …)", "The values of all lists, each once, sorted.", "setunion([\"a\"], [\"b\", \"a\"])"),
    function("sha1(string)", "The SHA-1 hash of the string, in hexadecimal.", "sha1(\"hello\")"),
    function("sha256(string)", "The SHA-256 hash of the string, in hexadecimal.", "sha256(\"hello\")"),
    function("sha512(string)", "The SHA-512 hash of the string, in hexadecimal.", "sha512(\"hello\")"),
    function("signum(number)", "The sign of the number: -1, 0 or 1.", "signum(-3)"),
    function("slice(list, start, end)", "The items from the start up to the end, which is not among them. Both are counted from 0.", "slice([\"a\", \"b\", \"c\"], 1, 3)"),
    function("sort(list)", "The strings of the list, sorted.", "sort([\"b\", \"a\"])"),
    function("split(separator, string)", "The parts of the string between the separators.", "split(\",\", \"a,b\")"),
    function("startswith(string, start)", "Whether the string begins so.", "startswith(\"arn:aws\", \"arn:\")"),
    function("strrev(string)", "The string from its end.", "strrev(\"abc\")"),
    function("substr(string, start, length)", "So many characters from the start on, counted from 0. A negative start counts from the end, and the length -1 means all that follow.", "substr(\"hello\", 1, 3)"),
    function("sum(list)", "The sum of the numbers.", "sum([1, 2.5])"),
    function("title(string)", "The string with the first letter of each word in upper case.", "title(\"hello world\")"),
    function("tobool(value)", "The value as a bool.", "tobool(\"true\")"),
    function("tolist(value)", "The value as a list.", "tolist([\"a\"])"),
    function("tomap(value)", "The value as a map.", "tomap({a = 1})"),
    function("tonumber(value)", "The value as a number.", "tonumber(\"1.5\")"),
    function("toset(list)", "The values of the list, each once, sorted.", "toset([\"b\", \"a\", \"b\"])"),
    function("tostring(value)", "The value as a string.", "tostring(1.5)"),
    function("trim(string, characters)", "The string without these characters at its start and end.", "trim(\"?!hello?!\", \"!?\")"),
    function("trimprefix(string, start)", "The string without this start, where it has it.", "trimprefix(\"hello.txt\", \"hello\")"),
    function("trimspace(string)", "The string without blanks and line ends at its start and end.", "trimspace(\" hello\\n\")"),
    function("trimsuffix(string, end)", "The string without this end, where it has it.", "trimsuffix(\"a.fifo\", \".fifo\")"),
    function("try(expression, …)", "The first expression that does not fail. Later ones are not evaluated.", "try({a = 1}.b, 0)"),
    function("upper(string)", "The string in upper case.", "upper(\"Hello\")"),
    function("urlencode(string)", "The string as a form field of a URL has it.", "urlencode(\"a b&c\")"),
    function("values(map)", "The values of the map, in the order of its keys.", "values({b = 1, a = 2})"),
    function("yamldecode(string)", "The value that a YAML text stands for.", "yamldecode(\"a: [1, 2]\")"),
    function("zipmap(keys, values)", "A map of these keys and values.", "zipmap([\"a\", \"b\"], [1, 2])"),
];

#[rustfmt::skip]
const OTHERS: &[Word] = &[
    word(Kind::Root, "var", "var.NAME", "A variable of the stack file.", "${var.retention}"),
    word(Kind::Root, "local", "local.NAME", "A value of the section locals.", "${local.prefix}-queue"),
    word(Kind::Root, "data", "data.NAME.OUTPUT", "An output of a data source.", "${data.region.name}"),
    word(Kind::Root, "each", "each.key, each.value", "The key and the value of one instance, in a resource with forEach. Of a list both are the item.", "${each.value}"),
    word(Kind::Root, "stack", "stack.name, stack.dir, stack.env", "The stack's name, its file's folder, and the environment of --env.", "${stack.name}"),
    word(Kind::Root, "RESOURCE", "NAME.OUTPUT, NAME[\"KEY\"].OUTPUT", "A property or an output of a resource, by its name in the stack file; with forEach a map of them by key. The resource is created first.", "${queue.arn}"),
    running(Kind::Operator, "+ - * / %", "left + right", "Arithmetic. A string that holds a number is one.", "${7 % 4 + 2 * 3}"),
    running(Kind::Operator, "== !=", "left == right", "Whether two values are equal, or not.", "${\"a\" == \"b\"}"),
    running(Kind::Operator, "< <= > >=", "left < right", "Compares numbers.", "${2 > 1}"),
    running(Kind::Operator, "&& || !", "left && right", "And, or, not. The right side is left alone where the left one decides.", "${true && !false}"),
    running(Kind::Operator, "?:", "condition ? one : other", "One of two values.", "${2 > 1 ? \"yes\" : \"no\"}"),
    running(Kind::Operator, "[ ]", "list[index], map[\"key\"]", "The item of a list, counted from 0, or the value of a key. A map's value is also map.key.", "${[\"a\", \"b\"][1]}"),
    running(Kind::Operator, "[*]", "list[*].name", "The value of the name in every item.", "${[{a = 1}, {a = 2}][*].a}"),
    running(Kind::Operator, "for", "[for item in list : value if condition], {for key, item in map : key => value}", "A list or a map made from another; the condition is optional.", "${[for n in [1, 2, 3] : n * 2 if n > 1]}"),
    running(Kind::Operator, "...", "function(list...)", "Gives the items of a list as arguments.", "${max([1, 3, 2]...)}"),
    running(Kind::Directive, "%{ if }", "%{ if condition }text%{ else }text%{ endif }", "One of two texts; %{ else } is optional. %%{ if is the text itself.", "%{ if 2 > 1 }yes%{ else }no%{ endif }"),
    running(Kind::Directive, "%{ for }", "%{ for item in list }text%{ endfor }", "The text once for each item. A tilde (%{~ for … ~}) cuts the blanks on its side.", "%{ for n in [1, 2] }<${n}>%{ endfor }"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::eval::function;
    use std::collections::BTreeSet;

    #[test]
    fn every_function_is_in_the_manual_and_nothing_else() {
        let there: BTreeSet<&str> = function::names().collect();
        let names: Vec<&str> = FUNCTIONS.iter().map(|word| word.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(names.len(), there.len());
    }

    #[test]
    fn every_example_has_a_result() {
        for word in words().filter(|word| word.runs) {
            assert!(word.result().is_some(), "{}: {}", word.name, word.example);
        }
    }

    #[test]
    fn what_a_usage_shows_is_what_a_function_takes() {
        for word in FUNCTIONS {
            let arguments = word.usage[word.name.len()..].trim_matches(['(', ')']);
            let named: Vec<&str> = arguments.split(", ").collect();
            let Some(takes) = function::takes(word.name) else {
                continue;
            };
            let wanted = match named.split_last() {
                Some((&"…", rest)) => (rest.len(), None),
                _ => (named.len(), Some(named.len())),
            };
            let fits = match wanted.1 {
                None => takes == wanted || takes == (1, None),
                most => takes.1 == most,
            };
            assert!(fits, "{}: {takes:?}, shown {wanted:?}", word.name);
        }
    }
}
