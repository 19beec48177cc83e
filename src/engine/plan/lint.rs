//! What the rules of `lint` find in the resources of a plan.

use super::instance::Instance;
use super::mistakes::{Mistakes, violation};
use super::planned::FAULTY;
use super::planner::Planner;
use super::rules::properties;
use crate::content::Finding;
use crate::data::{Data, Path};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::evaluate;
use crate::lang::references::Node;
use crate::lint::{self, Facts, Resource};
use crate::resource::Rules;
use crate::resource::archive;
use crate::schema::broken::Broken;
use crate::severity::Severity;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// The findings, those of all instances of a block once.
    pub(super) fn lint(&self) -> Vec<Diagnostic> {
        let stack = self.request.stack;
        let none = Data::default();
        let resources = self.out.instances.iter().enumerate();
        let resources = resources.map(|(at, instance)| {
            let props = instance.change.after.as_ref().unwrap_or(&none);
            let written = &stack.resources[&instance.block].properties;
            let name = instance.kind.name();
            let is_sound = self.is_sound(instance);
            Resource::new(at, &instance.block, name, (props, written), is_sound)
        });
        let peer_of = |at: usize, path: &Path| self.peer_at(&self.out.instances[at], path);
        let archive_has = |name: &str, files: &[String]| self.archive_has(name, files);
        let facts = Facts::new(
            stack,
            resources.collect(),
            (self.request.world.unix_time, self.region()),
            &peer_of,
            &archive_has,
        );
        let mut found = Vec::new();
        let mut mistakes: BTreeMap<&str, Mistakes> = BTreeMap::new();
        let mut add = |at: usize, severity: Severity, broken: Broken| {
            let instance = &self.out.instances[at];
            let mut one = diagnostic(instance, broken);
            one.severity = severity;
            match instance.each {
                Some(_) => {
                    let mistakes = mistakes.entry(&instance.block).or_default();
                    mistakes.add(&instance.change.address, vec![one]);
                }
                None => found.push(one),
            }
        };
        for one in lint::findings(&facts) {
            add(one.at, one.rule.severity, one.broken);
        }
        for resource in facts.resources.iter().filter(|one| one.is_twin()) {
            for broken in self.stated_by_the_twin(&facts, resource) {
                let rule = broken.code.and_then(lint::rule);
                let severity = rule.map_or(Severity::Error, |rule| rule.severity);
                add(resource.at, severity, broken);
            }
        }
        for (block, mistakes) in mistakes {
            let count = self.by_block.get(block).map_or(0, Vec::len);
            found.extend(mistakes.diagnostics(count));
        }
        found
    }

    /// The region that the calls go to, or offline the one that the file names; none where neither is
    /// known.
    fn region(&self) -> Option<String> {
        let written = self.request.stack.aws.get("region");
        let named = || evaluate(written?, &self.values).ok().filter(Data::is_known);
        let region = self.request.world.region.clone();
        region.or_else(|| Some(named()?.value.as_str()?.to_owned()))
    }

    /// Whether nothing was wrong so far with a resource: what follows from a mistake is none.
    fn is_sound(&self, instance: &Instance) -> bool {
        let props = instance.change.after.as_ref();
        let is_whole = props.is_some_and(|props| props.unknown_at(&Path::root()) != Some(FAULTY));
        let block = Node::Resource(instance.block.clone());
        is_whole && !self.faulty.contains(&block)
    }

    /// What the rules of stackctl's own type say of a resource of a CloudFormation type: those with
    /// a code.
    fn stated_by_the_twin(&self, facts: &Facts<'_>, resource: &Resource<'_>) -> Vec<Broken> {
        let Some(kind) = self.request.types.resource(resource.type_name) else {
            return Vec::new();
        };
        let peer = |path: &Path| {
            let peer = facts.peer(resource, path)?;
            let name = self.request.types.resource(peer.type_name)?.name();
            Some((name, &*peer.props))
        };
        let rules = Rules {
            props: &resource.props,
            peer: &peer,
        };
        let cautions = kind.cautions(&rules).into_iter();
        let cautions = cautions.map(|caution| caution.broken);
        let all = kind.rules(&rules).into_iter().chain(cautions);
        all.filter(|broken| broken.code.is_some() && resource.is_sound)
            .map(|broken| resource.in_file(broken))
            .collect()
    }

    /// Whether the archive that a data source builds has one of these files.
    fn archive_has(&self, name: &str, files: &[String]) -> Option<bool> {
        let block = self.request.stack.data.get(name)?;
        let args = evaluate(&block.properties, &self.values).ok()?;
        if !args.is_known() {
            return None;
        }
        let args = args.value;
        let seen = |is_there: bool| Finding {
            path: Path::root(),
            severity: Severity::Warning,
            message: is_there.to_string(),
            help: None,
        };
        let kind = format!("{} with {}", block.type_name, files.join(" or "));
        let look = |dir: &std::path::Path| {
            let names = archive::files::names(dir, &args);
            let found = names.map(|names| files.iter().any(|file| names.contains(file)));
            found.map(seen).into_iter().collect()
        };
        let found = self.request.read_file.inspect(&kind, &args, &look);
        // What leads out of the project was reported with the data source.
        self.request.read_file.leading_out();
        found.first().map(|found| found.message == "true")
    }
}

/// A finding as a mistake in the file: one of the resource as a whole is at its name.
fn diagnostic(instance: &Instance, broken: Broken) -> Diagnostic {
    let base = properties(instance);
    let is_whole = broken.path.is_root();
    let mut found = violation(&base, broken);
    if is_whole && let Some(block) = base.parent() {
        found.place = Place::Key(block);
    }
    found
}
