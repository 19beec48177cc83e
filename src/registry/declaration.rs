use super::RegistryType;
use crate::schema::Schema;
use serde_json::{Value, json};
pub fn declaration(kind: &'static RegistryType) -> &'static Schema {
    let mut props = json!({"type":"object","properties":{},"definitions":kind.schema().get("definitions").cloned().unwrap_or(json!({})),"required":kind.required(),"additionalProperties":false});
    let mut outs = json!({"properties":{"id":{"type":"string","from":[]}}});
    for (name, schema) in kind.properties() {
        let has = |l:&[String]| l.contains(name);
        let mut schema = kind.resolve(schema).clone();
        if has(kind.create_only()) { schema["createOnly"]=true.into(); }
        if has(kind.write_only()) { schema["writeOnly"]=true.into(); }
        if has(kind.read_only()) || has(kind.primary_identifier()) { let mut s=schema.clone(); s["from"]=json!([]); outs["properties"][name]=s; }
        if has(kind.read_only()) { continue; }
        if kind.tagging().property.as_deref()==Some(name) && kind.tagging().is_list {
            schema=json!({"type":"object","additionalProperties":{"type":"string"},"othersKeys":"kept","tagList":{"key":kind.tagging().key,"value":kind.tagging().value}});
        }
        props["properties"][name]=schema;
    }
    Schema::at_run_time(kind.name().to_owned(), props, outs)
}
