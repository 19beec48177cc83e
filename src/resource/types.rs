//! The types there are, by name: handed to whatever checks, plans, applies, recovers or rebuilds.

use super::home::{AWS, Home};
use super::typed::{DataSourceType, ResourceType};
use crate::schema::{Declarations, Schema};
use std::collections::BTreeMap;

/// Resource types and data sources by name. A type lives as long as the process: steps in progress
/// hold it, and a process meets few.
#[derive(Clone, Default)]
pub struct Types {
    resources: BTreeMap<&'static str, &'static dyn ResourceType>,
    data_sources: BTreeMap<&'static str, &'static dyn DataSourceType>,
    family: Option<Family>,
}

/// Resource types that are known by their names, and made when they are first asked for.
#[derive(Clone, Copy)]
pub struct Family {
    /// The type of a name.
    pub of: fn(&str) -> Option<&'static dyn ResourceType>,
    /// The names that one may mean which is none, best first.
    pub like: fn(&str) -> Vec<&'static str>,
}

impl Types {
    /// Adds a resource type, in place of one of the same name.
    pub fn add(&mut self, kind: impl ResourceType + 'static) {
        self.add_static(Box::leak(Box::new(kind)));
    }

    /// The same for one that is never created at run time.
    pub fn add_static(&mut self, kind: &'static dyn ResourceType) {
        self.resources.insert(kind.name(), kind);
    }

    /// Adds a family of types, in place of another; a type of its own name comes first.
    pub fn add_family(&mut self, family: Family) {
        self.family = Some(family);
    }

    /// Adds a data source, in place of one of the same name.
    pub fn add_data_source(&mut self, kind: &'static dyn DataSourceType) {
        self.data_sources.insert(kind.name(), kind);
    }

    /// The resource type of this name.
    pub fn resource(&self, name: &str) -> Option<&'static dyn ResourceType> {
        let own = self.resources.get(name).copied();
        own.or_else(|| (self.family?.of)(name))
    }

    /// The data source of this name.
    pub fn data_source(&self, name: &str) -> Option<&'static dyn DataSourceType> {
        self.data_sources.get(name).copied()
    }

    /// The declaration of the resource type of this name.
    pub fn schema(&self, name: &str) -> Option<&'static Schema> {
        Some(self.resource(name)?.schema())
    }

    /// Every resource type, without the family.
    pub fn resources(&self) -> &BTreeMap<&'static str, &'static dyn ResourceType> {
        &self.resources
    }

    /// Every data source.
    pub fn data_sources(&self) -> &BTreeMap<&'static str, &'static dyn DataSourceType> {
        &self.data_sources
    }

    /// Where the resources of a type exist, or what a data source reads. A type that is not known
    /// counts as a provider's: nobody takes for granted that nothing exists.
    pub fn home(&self, name: &str) -> Home {
        let of_resource = self.resource(name).map(|kind| kind.home());
        let of_data = || self.data_source(name).map(|kind| kind.home());
        of_resource.or_else(of_data).unwrap_or(AWS)
    }

    /// Whether a provider has them; the others have nothing to read and nothing to call.
    pub fn is_remote(&self, name: &str) -> bool {
        self.home(name) != Home::State
    }
}

impl Declarations for Types {
    fn resource(&self, name: &str) -> Option<&Schema> {
        self.schema(name)
    }

    fn data_source(&self, name: &str) -> Option<&Schema> {
        Some(self.data_source(name)?.schema())
    }

    fn resource_names(&self) -> Vec<&str> {
        self.resources.keys().copied().collect()
    }

    fn data_source_names(&self) -> Vec<&str> {
        self.data_sources.keys().copied().collect()
    }

    fn others_like(&self, name: &str) -> Vec<&'static str> {
        self.family
            .map_or_else(Vec::new, |family| (family.like)(name))
    }
}
