//! What outputs are derived from.

use super::*;
use crate::resource::table::native;

fn all() -> impl Iterator<Item = &'static Schema> {
    let resources = native().resources().values().map(|kind| kind.schema());
    resources.chain(native().data_sources().values().map(|kind| kind.schema()))
}

#[test]
fn every_output_says_what_it_is_made_of() {
    let mut wrong = Vec::new();
    for schema in all() {
        for output in schema.output_names() {
            if !schema.has_from(output) {
                wrong.push(format!("{} {output} has no `from`", schema.name));
            }
            for property in schema.from(output) {
                if !schema.has_property(property) {
                    wrong.push(format!("{} {output}: no property {property}", schema.name));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_is_secret_by_its_type_is_no_id() {
    for schema in all() {
        assert!(!schema.is_sensitive("id"), "{}", schema.name);
    }
}

fn made_of(type_name: &str, secret: &[&str]) -> Vec<String> {
    let schema = all().find(|schema| schema.name == type_name);
    let secret: Vec<Path> = secret.iter().map(|path| Path::pointer(*path)).collect();
    let made = schema.map(|schema| schema.made_of(&secret));
    made.into_iter().flatten().map(str::to_owned).collect()
}

#[test]
fn a_secret_marks_what_is_made_of_it_and_nothing_else() {
    assert_eq!(
        made_of("aws:s3:BucketObject", &["/tags/a", "/metadata/b"]),
        [""; 0]
    );
    assert!(made_of("aws:s3:BucketObject", &["/content"]).contains(&"etag".to_owned()));
    assert_eq!(made_of("random:RandomPet", &["/keepers/a"]), [""; 0]);
    assert_eq!(made_of("random:RandomPet", &["/prefix"]), ["id"]);
    // A part of a property counts as the property.
    assert!(made_of("archive:getFile", &["/source/0/content"]).contains(&"outputMd5".to_owned()));
    // All of the inputs are secret.
    assert!(made_of("aws:sqs:Queue", &[""]).contains(&"arn".to_owned()));
}

#[test]
fn an_output_without_a_declaration_is_made_of_everything() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Properties {
        one: String,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Outputs {
        plain: String,
        #[schemars(extend("from" = []))]
        drawn: String,
    }
    let schema = Schema::of::<Properties, Outputs>("x:y:Z");
    let made = schema.made_of(&[Path::pointer("/one")]);
    assert_eq!(made.into_iter().collect::<Vec<_>>(), ["plain"]);
    assert!(schema.made_of(&[]).is_empty());
}
