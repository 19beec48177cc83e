//! Which step is next: all that it waits for is done, its lane is free, and among those
//! the one with the longest way to the end behind it.
//!
//! Services that refuse parallel writes under one parent give a `lane`, and no two steps of a lane
//! overlap. The longest way first, so that serialising a lane does not lengthen the run.

use crate::engine::plan::{Op, Step, StepId};
use crate::resource::types::Types;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Waiting,
    Ready,
    Released,
    Over,
}

/// The queue of a run.
#[derive(Debug)]
pub(super) struct Queue {
    users: Vec<Vec<StepId>>,
    missing: Vec<usize>,
    status: Vec<Status>,
    rank: Vec<usize>,
    remote: Vec<bool>,
    /// The steps that delete something: only these go on when a deletion is released.
    deletes: Vec<bool>,
    local_ready: BinaryHeap<(usize, std::cmp::Reverse<StepId>)>,
    remote_ready: BinaryHeap<(usize, std::cmp::Reverse<StepId>)>,
    /// Who is in a lane, and who waits for it.
    lanes: HashMap<String, (StepId, Vec<StepId>)>,
    lane_of: HashMap<StepId, String>,
}

impl Queue {
    /// A queue of these steps.
    pub(super) fn new(steps: &[Step], types: &Types) -> Self {
        let mut users = vec![Vec::new(); steps.len()];
        for (id, step) in steps.iter().enumerate() {
            for &before in &step.after {
                users[before].push(id);
            }
        }
        let calls = |step: &Step| {
            matches!(
                step.op,
                Op::Create { .. } | Op::Update { .. } | Op::Delete { .. } | Op::Read { .. }
            )
        };
        let remote: Vec<bool> = steps
            .iter()
            .map(|step| {
                calls(step) && (types.is_remote(&step.type_name) || step.type_name.is_empty())
            })
            .collect();
        let mut queue = Self {
            rank: ranks(steps, &users, &remote),
            missing: steps.iter().map(|step| step.after.len()).collect(),
            status: vec![Status::Waiting; steps.len()],
            users,
            remote,
            deletes: steps
                .iter()
                .map(|step| matches!(step.op, Op::Delete { .. } | Op::Forget { .. }))
                .collect(),
            local_ready: BinaryHeap::new(),
            remote_ready: BinaryHeap::new(),
            lanes: HashMap::new(),
            lane_of: HashMap::new(),
        };
        for id in 0..steps.len() {
            if queue.missing[id] == 0 {
                queue.ready(id);
            }
        }
        queue
    }

    /// The longest row of steps that call AWS, each waiting for the one before.
    pub(super) fn depth(&self) -> usize {
        self.rank.iter().copied().max().unwrap_or_default()
    }

    fn ready(&mut self, id: StepId) {
        self.status[id] = Status::Ready;
        let entry = (self.rank[id], std::cmp::Reverse(id));
        if self.remote[id] {
            self.remote_ready.push(entry);
        } else {
            self.local_ready.push(entry);
        }
    }

    /// The next step; one that calls AWS only if `remote`.
    pub(super) fn pop(&mut self, remote: bool) -> Option<StepId> {
        let next = self.local_ready.pop();
        let next = next.or_else(|| {
            if remote {
                self.remote_ready.pop()
            } else {
                None
            }
        });
        next.map(|(_, std::cmp::Reverse(id))| id)
    }

    /// Takes the lane for a step; where it is taken, the step gets its turn later.
    pub(super) fn enter(&mut self, id: StepId, lane: String) -> bool {
        if let Some((holder, waiting)) = self.lanes.get_mut(&lane) {
            if *holder != id {
                waiting.push(id);
                return false;
            }
            return true;
        }
        self.lane_of.insert(id, lane.clone());
        self.lanes.insert(lane, (id, Vec::new()));
        true
    }

    fn leave(&mut self, id: StepId) {
        let Some(lane) = self.lane_of.remove(&id) else {
            return;
        };
        let waiting = self
            .lanes
            .remove(&lane)
            .map(|(_, waiting)| waiting)
            .unwrap_or_default();
        for id in waiting {
            if self.status[id] == Status::Ready {
                self.ready(id);
            }
        }
    }

    /// The step is done: its lane is free, and what waited for it may be ready.
    pub(super) fn done(&mut self, id: StepId) {
        self.leave(id);
        let all = self.status[id] != Status::Released;
        self.free_users(id, |deletes| all || !deletes);
        self.status[id] = Status::Over;
    }

    /// The step goes on, but what is to be deleted does not have to wait for it any more. What is
    /// to be created may have its name, and does.
    pub(super) fn released(&mut self, id: StepId) {
        if self.status[id] == Status::Ready {
            self.status[id] = Status::Released;
            self.free_users(id, |deletes| deletes);
        }
    }

    fn free_users(&mut self, id: StepId, which: impl Fn(bool) -> bool) {
        for user in self.users[id].clone() {
            if !which(self.deletes[user]) {
                continue;
            }
            self.missing[user] -= 1;
            if self.missing[user] == 0 && self.status[user] == Status::Waiting {
                self.ready(user);
            }
        }
    }

    /// The step failed: all that waits for it, directly or not, is put into `skipped`.
    pub(super) fn failed(&mut self, id: StepId, skipped: &mut BTreeSet<StepId>) {
        self.leave(id);
        self.status[id] = Status::Over;
        let mut todo = self.users[id].clone();
        while let Some(user) = todo.pop() {
            if self.status[user] == Status::Waiting {
                self.status[user] = Status::Over;
                skipped.insert(user);
                todo.extend(self.users[user].iter().copied());
            }
        }
    }

    /// The steps that were not started, when the run ends early.
    pub(super) fn take_unstarted(&mut self) -> Vec<StepId> {
        let left: Vec<StepId> = (0..self.status.len())
            .filter(|id| self.status[*id] != Status::Over)
            .collect();
        for &id in &left {
            self.status[id] = Status::Over;
        }
        left
    }
}

/// For each step how many calls lie, one after the other, from its start to the end.
fn ranks(steps: &[Step], users: &[Vec<StepId>], remote: &[bool]) -> Vec<usize> {
    let mut left: Vec<usize> = users.iter().map(Vec::len).collect();
    let mut rank: Vec<usize> = remote.iter().map(|remote| usize::from(*remote)).collect();
    let mut free: Vec<StepId> = (0..steps.len()).filter(|id| left[*id] == 0).collect();
    while let Some(id) = free.pop() {
        for &before in &steps[id].after {
            rank[before] = rank[before].max(rank[id] + usize::from(remote[before]));
            left[before] -= 1;
            if left[before] == 0 {
                free.push(before);
            }
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table::native;

    /// Steps that read, each after those named.
    fn steps(after: &[&[StepId]]) -> Vec<Step> {
        let step = |after: &&[StepId]| Step {
            address: "a".to_owned(),
            type_name: "aws:sqs:Queue".to_owned(),
            op: Op::Delete { deposed: None },
            after: after.iter().copied().collect(),
        };
        after.iter().map(step).collect()
    }

    fn lane() -> String {
        "lane".to_owned()
    }

    #[test]
    fn a_lane_is_free_again_once_its_step_is_done_or_failed() {
        for fails in [false, true] {
            let mut queue = Queue::new(&steps(&[&[], &[], &[]]), native());
            let (one, other) = (queue.pop(true).unwrap(), queue.pop(true).unwrap());
            assert!(queue.enter(one, lane()) && queue.enter(one, lane()));
            assert!(!queue.enter(other, lane()));
            let third = queue.pop(true).unwrap();
            assert_eq!(
                queue.pop(true),
                None,
                "what waits for the lane is not ready"
            );
            let mut skipped = BTreeSet::new();
            match fails {
                true => queue.failed(one, &mut skipped),
                false => queue.done(one),
            }
            assert!(skipped.is_empty());
            assert_eq!(queue.pop(true), Some(other));
            assert!(queue.enter(other, lane()));
            queue.done(third);
            queue.done(other);
            assert!(queue.take_unstarted().is_empty());
        }
    }

    #[test]
    fn what_waits_for_a_failed_step_is_skipped_and_nothing_else() {
        let mut queue = Queue::new(&steps(&[&[], &[0], &[1], &[], &[3]]), native());
        assert_eq!(queue.depth(), 3);
        assert_eq!(queue.pop(true), Some(0), "the longest way first");
        let mut skipped = BTreeSet::new();
        queue.failed(0, &mut skipped);
        assert_eq!(skipped, BTreeSet::from([1, 2]));
        assert_eq!((queue.pop(true), queue.pop(true)), (Some(3), None));
        queue.done(3);
        assert_eq!(queue.take_unstarted(), [4], "it was not started");
        assert!(queue.take_unstarted().is_empty());
    }

    #[test]
    fn a_deletion_that_lets_go_frees_deletions_only() {
        let mut steps = steps(&[&[], &[0], &[0]]);
        steps[2].op = Op::Read {
            args: crate::data::Data::default(),
        };
        let mut queue = Queue::new(&steps, native());
        assert_eq!(queue.pop(true), Some(0));
        queue.released(0);
        queue.released(0);
        assert_eq!((queue.pop(true), queue.pop(true)), (Some(1), None));
        queue.done(0);
        assert_eq!((queue.pop(true), queue.pop(true)), (Some(2), None));
    }

    #[test]
    fn a_step_that_calls_waits_for_room() {
        let mut queue = Queue::new(&steps(&[&[], &[]]), native());
        assert_eq!(queue.pop(false), None);
        assert_eq!(queue.pop(true), Some(0), "of equals the first");
    }
}
