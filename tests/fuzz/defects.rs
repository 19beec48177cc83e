//! Mistakes planted on purpose: each is found by the invariants, within a few cases.

use super::driver::Defect;
use super::{Counts, search};

/// In how many cases each must be found.
const WITHIN: usize = 150;

#[test]
fn each_planted_defect_is_caught() {
    let defects: [(Defect, &[&str]); 5] = [
        (Defect::NoIntent, &["orphan"][..]),
        (Defect::NoFind, &["orphan"]),
        (Defect::DeleteOrder, &["is deleted before its user"]),
        (Defect::StateFirst, &["made", "phantom"]),
        (Defect::NoLease, &["orphan", "exists already"]),
    ];
    let found: Vec<String> = std::thread::scope(|scope| {
        let searches = defects.map(|(defect, signs)| {
            scope.spawn(move || {
                let counts = Counts::default();
                let found = search("planted", WITHIN, Some(defect), &counts);
                let found = found.unwrap_or_else(|| panic!("{defect:?} is not found"));
                let shown = signs.iter().any(|sign| found.contains(sign));
                assert!(shown, "{defect:?} shows as: {found}");
                format!("{defect:?}: {}", found.lines().next().unwrap_or_default())
            })
        });
        searches.map(|it| it.join().unwrap()).to_vec()
    });
    for line in &found {
        println!("{line}");
    }
    println!(
        "reliability: planted defects {} tried {} caught",
        defects.len(),
        found.len()
    );
}
