//! Drift, for people: rows as in a plan, from what was applied to what is live.

use super::page::{BOLD, Page};
use super::{BODY, Style, difference, main_properties, place, title};
use crate::engine::after::drift::Drift;
use crate::engine::plan::unfinished;
use crate::engine::world::World;
use crate::report::drift::as_change;
use crate::report::view::resource;

/// What somebody else changed, resource by resource, ended by the line that counts.
pub fn drift(drift: &Drift, world: &World, style: &Style) -> String {
    let mut page = Page::new(style);
    let state = &world.state;
    let account = world.identity.as_ref().map(|found| found.account.clone());
    place(
        &mut page,
        &state.stack,
        [&state.env, &account, &world.region],
        &world.head,
    );
    for found in &drift.drifted {
        let change = as_change(found);
        let change = resource(&change, style.show_secrets);
        page.out.push('\n');
        let reason = if found.deleted {
            "gone: deleted outside stackctl"
        } else {
            "last applied -> live"
        };
        title(&mut page, &change, reason);
        if found.deleted {
            main_properties(&mut page, &change);
        } else {
            difference::rows(&mut page, BODY, &change);
        }
    }
    page.out.push('\n');
    for address in &drift.unfinished {
        let text = format!(
            "# {address}: {}, which is no drift; plan shows what is left to do",
            unfinished::REASON
        );
        page.note(0, &text);
    }
    if drift.deposed > 0 {
        let text = format!(
            "# {} replaced before and not deleted yet; apply deletes what is left",
            drift.deposed
        );
        page.note(0, &text);
    }
    page.piece(BOLD, &last_line(drift));
    page.end();
    page.out
}

fn last_line(drift: &Drift) -> String {
    let gone = drift.drifted.iter().filter(|found| found.deleted).count();
    let changed = drift.drifted.len() - gone;
    let plural = if drift.read == 1 { "" } else { "s" };
    match drift.drifted.len() {
        0 => format!(
            "No drift. What was read is as last applied: {} resource{plural}.",
            drift.read
        ),
        _ => format!(
            "Drift: {changed} changed outside, {gone} gone, of {} resource{plural} read.",
            drift.read
        ),
    }
}
