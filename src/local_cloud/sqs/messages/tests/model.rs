//! Drawn histories of calls against a second, simple account of what a queue promises: which
//! messages can be received, how many are, and in which order those of a group come.

use super::Here;
use aws_sdk_sqs::types::Message;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// How long a message stays invisible, and how long an id is remembered, in seconds.
const VISIBILITY: u64 = 30;
const REMEMBERED: u64 = 300;

/// A message that was not deleted.
struct Kept {
    body: String,
    group: String,
    /// When it is visible.
    at: u64,
    /// The last time it was received.
    last: Option<Message>,
}

/// What the queue should hold; times are in seconds.
struct Model {
    fifo: bool,
    now: u64,
    kept: Vec<Kept>,
    /// The ids that were sent, until when they are remembered.
    ids: BTreeMap<String, u64>,
}

impl Model {
    /// The lane of a message: its group, or itself.
    fn lane(&self, message: &Kept) -> String {
        match self.fifo {
            true => message.group.clone(),
            false => message.body.clone(),
        }
    }

    /// The bodies that can be received, by lane, in order.
    fn open(&self) -> BTreeMap<String, Vec<String>> {
        let hidden = self.kept.iter().filter(|it| it.at > self.now);
        let closed: BTreeSet<String> = hidden.map(|it| self.lane(it)).collect();
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in &self.kept {
            let lane = self.lane(message);
            if !closed.contains(&lane) {
                open.entry(lane).or_default().push(message.body.clone());
            }
        }
        open
    }

    fn find(&mut self, body: &str) -> &mut Kept {
        let mut kept = self.kept.iter_mut();
        kept.find(|it| it.body == body).unwrap()
    }
}

async fn history(seed: u64, fifo: bool) {
    let mut rng = StdRng::seed_from_u64(seed);
    let here = Here::new().await;
    let url = match fifo {
        true => here.queue("q.fifo", &[("FifoQueue", "true")]).await,
        false => here.queue("q", &[]).await,
    };
    let mut model = Model {
        fifo,
        now: 0,
        kept: Vec::new(),
        ids: BTreeMap::new(),
    };
    for step in 0..250 {
        let told = format!("seed {seed}, fifo {fifo}, step {step}");
        match rng.random_range(0..10) {
            0..=3 => send(&here, &url, &mut model, &mut rng, step).await,
            4..=5 => receive(&here, &url, &mut model, &mut rng, &told).await,
            6..=7 => settle(&here, &url, &mut model, &mut rng).await,
            8 => {
                let seconds = rng.random_range(1..=VISIBILITY);
                here.pass(seconds);
                model.now += seconds;
            }
            _ => {
                let hidden = model.kept.iter().filter(|it| it.at > model.now).count();
                let visible = model.kept.len() - hidden;
                let counts = [visible, hidden, 0].map(|count| count.to_string());
                assert_eq!(here.counts(&url).await, counts, "{told}");
            }
        }
    }
}

async fn send(here: &Here, url: &str, model: &mut Model, rng: &mut StdRng, step: u64) {
    let group = format!("g{}", rng.random_range(0..4));
    let body = step.to_string();
    let call = here.aws.sqs_once().send_message().queue_url(url);
    let call = call.message_body(&body);
    if !model.fifo {
        call.send().await.unwrap();
    } else {
        let id = format!("id{}", rng.random_range(0..60));
        let call = call.message_group_id(&group).message_deduplication_id(&id);
        call.send().await.unwrap();
        if model.ids.get(&id).is_some_and(|until| *until > model.now) {
            return;
        }
        model.ids.insert(id, model.now + REMEMBERED);
    }
    let at = model.now;
    model.kept.push(Kept {
        body,
        group,
        at,
        last: None,
    });
}

async fn receive(here: &Here, url: &str, model: &mut Model, rng: &mut StdRng, told: &str) {
    let most = rng.random_range(1..=10);
    let mut open = model.open();
    let there: usize = open.values().map(Vec::len).sum();
    let received = here.receive(url, most).await;
    assert_eq!(received.len(), there.min(most as usize), "{told}");
    for message in received {
        let body = message.body().unwrap().to_owned();
        let until = model.now + VISIBILITY;
        let kept = model.find(&body);
        kept.at = until;
        kept.last = Some(message);
        let lane = match model.fifo {
            true => model.find(&body).group.clone(),
            false => body.clone(),
        };
        let first = open.get_mut(&lane).map(|bodies| bodies.remove(0));
        assert_eq!(first, Some(body), "{told}");
    }
}

/// Deletes a message that was received, or changes how long it is invisible.
async fn settle(here: &Here, url: &str, model: &mut Model, rng: &mut StdRng) {
    let now = model.now;
    let in_flight = model.kept.iter().filter(|it| it.at > now);
    let bodies: Vec<String> = in_flight.map(|it| it.body.clone()).collect();
    if bodies.is_empty() {
        return;
    }
    let body = &bodies[rng.random_range(0..bodies.len())];
    let message = model.find(body).last.clone().unwrap();
    if rng.random_bool(0.7) {
        here.delete(url, &message).await;
        model.kept.retain(|it| it.body != *body);
    } else {
        let seconds = rng.random_range(0..60);
        here.hide(url, &message, seconds).await;
        model.find(body).at = now + u64::from(seconds.unsigned_abs());
    }
}

#[tokio::test]
async fn a_fifo_queue_keeps_its_promises() {
    for seed in 0..8 {
        history(seed, true).await;
    }
}

#[tokio::test]
async fn a_standard_queue_keeps_its_promises() {
    for seed in 0..4 {
        history(seed, false).await;
    }
}
