//! Plants a secret at every place of every type's schema, lets the stacks live, and looks for the
//! secrets in all that is printed and kept: as they are, coded, in parts, and as hashes, of theirs
//! and of what is made of them. `STACKCTL_FUZZ_SEED` draws other combinations of the places.

mod bed;
mod field;
mod needles;
mod paths;
mod plant;
mod shapes;

use crate::support::in_parallel;
use bed::{Bed, Plant, beds, fit, rivals, schema};
use field::{Field, Garden};
use paths::{Part, Place, places};
use plant::Shape;
use shapes::{REFUSED, UNTAKEN};
use stackctl::resource::table::native;
use stackctl::schema::Schema;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The gardens of one type, with all plants that an example takes: the order is drawn.
fn gardens<'b>(
    beds: &[&'b Bed],
    fitting: Vec<(usize, usize, Plant)>,
    seed: &str,
) -> Vec<Garden<'b>> {
    let mut by_variant: BTreeMap<(usize, usize), Vec<Plant>> = BTreeMap::new();
    for (bed, variant, plant) in fitting {
        by_variant.entry((bed, variant)).or_default().push(plant);
    }
    let mut gardens = Vec::new();
    for ((bed, variant), mut left) in by_variant {
        left.sort_by_key(|plant| field::mark(seed, plant.number, 9));
        while !left.is_empty() {
            let mut taken: Vec<Plant> = Vec::new();
            let mut later = Vec::new();
            for plant in left {
                let mut all = taken.iter();
                match all
                    .any(|other| overlap(schema(&beds[bed].type_name), &other.place, &plant.place))
                {
                    true => later.push(plant),
                    false => taken.push(plant),
                }
            }
            // Those that do not go with the others.
            loop {
                let mistakes = beds[bed].mistakes(variant, &taken);
                let Some(first) = mistakes.first() else {
                    break;
                };
                assert!(taken.len() > 1, "{:?}: {first:?}", taken[0]);
                let at = first.place.path().cloned().unwrap_or_default();
                let named = taken.iter().rposition(|plant| {
                    let path = beds[bed].path(variant, &plant.place);
                    path.is_within(&at) || at.is_within(&path)
                });
                later.push(taken.remove(named.unwrap_or(taken.len() - 1)));
            }
            gardens.push(Garden {
                bed: beds[bed],
                variant,
                plants: taken,
            });
            left = later;
        }
    }
    gardens
}

/// Whether two places cannot both be planted: one holds the other, or stands for it.
fn overlap(schema: &Schema, one: &Place, other: &Place) -> bool {
    one.steps.starts_with(&other.steps)
        || other.steps.starts_with(&one.steps)
        || rivals(schema, one.property()).contains(&other.property())
        || rivals(schema, other.property()).contains(&one.property())
}

/// The seed that draws the combinations.
fn seed() -> String {
    std::env::var("STACKCTL_FUZZ_SEED").unwrap_or_else(|_| "stackctl".to_owned())
}

/// All plants of some types: those that live, and those that the service or the schema refuses.
struct Season<'b> {
    living: Vec<Garden<'b>>,
    refused: Vec<Garden<'b>>,
    mistaken: Vec<Garden<'b>>,
    names: BTreeMap<usize, String>,
    untaken: Vec<String>,
}

fn season<'b>(all: &'b [Bed], of: &[&str], seed: &str) -> Season<'b> {
    let mut season = Season {
        living: Vec::new(),
        refused: Vec::new(),
        mistaken: Vec::new(),
        names: BTreeMap::new(),
        untaken: Vec::new(),
    };
    let is_refused = |name: &str| REFUSED.iter().any(|(_, names)| names.contains(&name));
    let wanted = |name: &str| of.iter().any(|start| name.starts_with(start));
    let types: BTreeSet<&str> = all.iter().map(|bed| bed.type_name.as_str()).collect();
    for type_name in types.into_iter().filter(|name| wanted(name)) {
        let beds: Vec<&Bed> = all
            .iter()
            .filter(|bed| bed.type_name == type_name)
            .collect();
        let mut fitting = Vec::new();
        let mut wrong: Vec<Plant> = Vec::new();
        for place in places(schema(type_name)) {
            let number = season.names.len();
            let name = format!("{type_name} {place}");
            season.names.insert(number, name.clone());
            match fit(&beds, &place, number) {
                Err(_) => season.untaken.push(name),
                Ok((bed, variant, plant)) => {
                    if !plant.shape.is_marked() && place.part == Part::Value {
                        wrong.push(plant.clone());
                    }
                    match is_refused(&name) {
                        true => season.refused.push(Garden {
                            bed: beds[bed],
                            variant,
                            plants: vec![plant],
                        }),
                        false => fitting.push((bed, variant, plant)),
                    }
                }
            }
        }
        season.living.extend(gardens(&beds, fitting, seed));
        // Where only some words are taken, a secret that is none of them is a mistake.
        for mut plant in wrong {
            let number = season.names.len();
            plant.number = number;
            plant.shape = Shape::any();
            if beds[0].mistakes(0, std::slice::from_ref(&plant)).is_empty() {
                continue;
            }
            season
                .names
                .insert(number, format!("{type_name} {} refused", plant.place));
            season.mistaken.push(Garden {
                bed: beds[0],
                variant: 0,
                plants: vec![plant],
            });
        }
    }
    season
}

/// So many examples are in one project; more of them take no more commands.
const GARDENS: usize = 6;

/// Splits gardens into projects. There is one `aws:apigateway:Account` in a region.
fn fields<'b>(gardens: Vec<Garden<'b>>, most: usize) -> Vec<Vec<Garden<'b>>> {
    let mut fields: Vec<Vec<Garden<'b>>> = Vec::new();
    let count = gardens.len().div_ceil(most);
    fields.resize_with(count, Vec::new);
    for (at, garden) in gardens.into_iter().enumerate() {
        fields[at % count].push(garden);
    }
    fields
}

/// How a project with plants goes.
enum Way {
    Lives,
    IsRefused,
    IsMistaken,
}

/// Plants in every place of the types, and checks that nothing is found.
fn planted(of: &[&str]) {
    let seed = seed();
    let all = beds();
    let season = season(&all, of, &seed);
    let named = |number: &usize| season.names[number].clone();
    let mut cases = Vec::new();
    for field in fields(season.living, GARDENS) {
        cases.push((Way::Lives, field));
    }
    for field in fields(season.refused, 3 * GARDENS) {
        cases.push((Way::IsRefused, field));
    }
    for field in fields(season.mistaken, 5 * GARDENS) {
        cases.push((Way::IsMistaken, field));
    }
    let wrong = Mutex::new(Vec::new());
    let (tried, hidden) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (echoed, outside) = (AtomicUsize::new(0), AtomicUsize::new(0));
    in_parallel(cases, |(way, gardens)| {
        let plants = gardens.iter().flat_map(|garden| &garden.plants);
        let numbers: BTreeSet<usize> = plants.map(|plant| plant.number).collect();
        let mut field = Field::new(gardens, &seed);
        let mut found = Vec::new();
        match way {
            Way::Lives => found.extend(field.life().err()),
            Way::IsRefused => match field.refused() {
                Ok(taken) if taken.is_empty() => {}
                Ok(taken) => found.push(format!(
                    "not refused: {:?}",
                    taken.iter().map(named).collect::<Vec<_>>()
                )),
                Err(why) => found.push(why),
            },
            Way::IsMistaken => {
                found.extend(field.mistaken().err());
                field.hidden.clone_from(&numbers);
            }
        }
        if found.is_empty() && matches!(way, Way::Lives) {
            found.extend(field.ids().err());
        }
        let leaks = field.leaks.iter();
        found.extend(leaks.map(|(number, leak)| format!("{}: {leak}", named(number))));
        let unseen = numbers.difference(&field.hidden);
        found.extend(unseen.map(|number| format!("{}: no plan calls it secret", named(number))));
        tried.fetch_add(numbers.len(), Ordering::Relaxed);
        let held = field
            .hidden
            .iter()
            .filter(|number| !field.leaks.contains_key(number));
        hidden.fetch_add(held.count(), Ordering::Relaxed);
        echoed.fetch_add(field.echoed, Ordering::Relaxed);
        outside.fetch_add(field.changed_outside, Ordering::Relaxed);
        wrong.lock().unwrap().extend(found);
    });
    let [tried, hidden] = [tried, hidden].map(AtomicUsize::into_inner);
    println!("reliability: planted secrets {tried} tried {hidden} hidden");
    let mut wrong = wrong.into_inner().unwrap();
    let untaken = UNTAKEN.iter().map(|(name, _)| (*name).to_owned());
    let untaken: Vec<String> = untaken
        .filter(|name| of.iter().any(|start| name.starts_with(start)))
        .collect();
    if season.untaken != untaken {
        wrong.push(format!(
            "cannot be planted: {:?}, not {untaken:?}",
            season.untaken
        ));
    }
    let idle = REFUSED.iter().flat_map(|(_, names)| *names);
    let idle = idle.filter(|name| of.iter().any(|start| name.starts_with(start)));
    wrong.extend(
        idle.filter(|name| !season.names.values().any(|it| it == *name))
            .map(|name| format!("{name} is no place")),
    );
    if echoed.into_inner() == 0 && of != LOCAL {
        wrong.push("no request was echoed".to_owned());
    }
    if outside.into_inner() == 0 && of != LOCAL {
        wrong.push("nothing was changed outside".to_owned());
    }
    let count = wrong.len();
    assert!(
        count == 0,
        "STACKCTL_FUZZ_SEED={seed}: {count} found\n{}",
        wrong.join("\n")
    );
    assert_eq!(tried, hidden);
}

/// The types, by the test that plants in them.
const GROUPS: [&[&str]; 9] = [
    &[
        "aws:apigateway:",
        "aws:apigatewayv2:Api",
        "aws:apigatewayv2:Deployment",
    ],
    &["aws:apigatewayv2:Integration"],
    &["aws:apigatewayv2:Route", "aws:apigatewayv2:Stage"],
    &["aws:lambda:EventSourceMapping"],
    &["aws:lambda:Function", "aws:lambda:Permission"],
    &["aws:iam:", "aws:cloudwatch:"],
    &["aws:s3:"],
    &["aws:sns:", "aws:sqs:"],
    LOCAL,
];

/// Those that call nobody.
const LOCAL: &[&str] = &["random:", "archive:"];

#[test]
fn every_type_is_in_one_group() {
    let names = native()
        .resources()
        .keys()
        .chain(native().data_sources().keys());
    for name in names.filter(|name| !places(schema(name)).is_empty()) {
        let groups = GROUPS.iter().flat_map(|group| *group);
        let own = groups.filter(|start| name.starts_with(*start)).count();
        assert_eq!(own, 1, "{name}");
    }
}

#[test]
fn no_secret_planted_in_an_api_is_printed_or_kept() {
    planted(GROUPS[0]);
}

#[test]
fn no_secret_planted_in_an_integration_is_printed_or_kept() {
    planted(GROUPS[1]);
}

#[test]
fn no_secret_planted_in_a_route_or_stage_is_printed_or_kept() {
    planted(GROUPS[2]);
}

#[test]
fn no_secret_planted_in_a_mapping_is_printed_or_kept() {
    planted(GROUPS[3]);
}

#[test]
fn no_secret_planted_in_a_function_is_printed_or_kept() {
    planted(GROUPS[4]);
}

#[test]
fn no_secret_planted_in_iam_or_logs_is_printed_or_kept() {
    planted(GROUPS[5]);
}

#[test]
fn no_secret_planted_in_s3_is_printed_or_kept() {
    planted(GROUPS[6]);
}

#[test]
fn no_secret_planted_in_sqs_is_printed_or_kept() {
    planted(GROUPS[7]);
}

#[test]
fn no_secret_planted_in_random_values_or_archives_is_printed_or_kept() {
    planted(GROUPS[8]);
}
