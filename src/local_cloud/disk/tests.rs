use super::*;
use serde_json::json;
use tempfile::TempDir;

fn put(disk: &mut Disk, key: &str, value: Value) {
    let done = disk.transact(|_, store| {
        store.put(key, value);
        Ok::<_, ()>(())
    });
    assert_eq!(done.unwrap(), Ok(()));
}

fn keys(disk: &mut Disk) -> Vec<String> {
    disk.all().unwrap().into_iter().map(|pair| pair.0).collect()
}

fn folder() -> (TempDir, Disk) {
    let dir = TempDir::new().unwrap();
    let disk = Disk::open(dir.path(), 1.0).unwrap();
    (dir, disk)
}

#[test]
fn what_was_kept_exists_again() {
    let (dir, mut disk) = folder();
    put(&mut disk, "a/1", json!({"x": [1, null]}));
    put(&mut disk, "a/2", json!(null));
    disk.transact(|_, store| {
        store.remove("a/1");
        store.put("b", json!("é\n"));
        Ok::<_, ()>(())
    })
    .unwrap()
    .unwrap();
    let mut again = Disk::open(dir.path(), 1.0).unwrap();
    assert_eq!(
        again.all().unwrap(),
        [
            ("a/2".to_owned(), json!(null)),
            ("b".to_owned(), json!("é\n"))
        ]
    );
}

#[test]
fn what_was_refused_is_dropped() {
    let (_dir, mut disk) = folder();
    put(&mut disk, "a", json!(1));
    let refused = disk.transact(|_, store| {
        store.put("b", json!(2));
        store.remove("a");
        assert_eq!(store.scan("").len(), 1);
        assert_eq!(store.get("a"), None);
        Err::<(), _>("no")
    });
    assert_eq!(refused.unwrap(), Err("no"));
    assert_eq!(keys(&mut disk), ["a"]);
}

#[test]
fn a_torn_last_line_never_counts() {
    let (dir, mut disk) = folder();
    put(&mut disk, "a", json!(1));
    let log = dir.path().join("log");
    let whole = fs::read(&log).unwrap();
    put(&mut disk, "b", json!({"long": "value"}));
    let both = fs::read(&log).unwrap();
    for end in whole.len()..both.len() {
        fs::write(&log, &both[..end]).unwrap();
        let mut again = Disk::open(dir.path(), 1.0).unwrap();
        assert_eq!(keys(&mut again), ["a"], "cut at {end}");
        put(&mut again, "c", json!(3));
        let mut later = Disk::open(dir.path(), 1.0).unwrap();
        assert_eq!(keys(&mut later), ["a", "c"], "cut at {end}");
    }
}

#[test]
fn a_damaged_line_is_an_error() {
    let (dir, mut disk) = folder();
    put(&mut disk, "a", json!(1));
    let log = dir.path().join("log");
    let mut text = fs::read(&log).unwrap();
    text.extend(b"[[\"b\"\n[[\"c\",1]]\n");
    fs::write(&log, text).unwrap();
    assert!(Disk::open(dir.path(), 1.0).is_err());
    assert!(disk.all().is_err());
}

#[test]
fn two_handles_see_each_other() {
    let (dir, mut one) = folder();
    let mut two = Disk::open(dir.path(), 1.0).unwrap();
    put(&mut one, "a", json!(1));
    put(&mut two, "b", json!(2));
    put(&mut one, "c", json!(3));
    assert_eq!(keys(&mut one), ["a", "b", "c"]);
    assert_eq!(keys(&mut two), ["a", "b", "c"]);
}

#[test]
fn many_writers_lose_nothing() {
    let dir = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                let mut disk = Disk::open(dir, 1.0).unwrap();
                for at in 0..100 {
                    put(&mut disk, &format!("{writer}/{at}"), json!(at));
                    disk.transact(|_, store| {
                        let count = store.get("count").and_then(|n| n.as_u64());
                        store.put("count", json!(count.unwrap_or(0) + 1));
                        Ok::<_, ()>(())
                    })
                    .unwrap()
                    .unwrap();
                }
            });
        }
    });
    let all: BTreeMap<_, _> = Disk::open(dir.path(), 1.0)
        .unwrap()
        .all()
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(all.len(), 401);
    assert_eq!(all["count"], json!(400));
}

#[test]
fn a_long_log_is_rewritten_and_others_follow() {
    let (dir, mut disk) = folder();
    for at in 0..OUTDATED + 10 {
        put(&mut disk, "same", json!(at));
    }
    let long = fs::metadata(dir.path().join("log")).unwrap().len();
    let mut again = Disk::open(dir.path(), 1.0).unwrap();
    let short = fs::metadata(dir.path().join("log")).unwrap().len();
    assert!(short < long / 10, "{long} to {short}");
    put(&mut again, "new", json!(1));
    put(&mut disk, "old", json!(2));
    assert_eq!(keys(&mut again), ["new", "old", "same"]);
    assert_eq!(keys(&mut disk), ["new", "old", "same"]);
}

#[test]
fn a_log_that_grows_while_it_is_used_is_rewritten() {
    let (dir, mut disk) = folder();
    let mut other = Disk::open(dir.path(), 1.0).unwrap();
    let large = "x".repeat(1 << 20);
    for n in 0..40 {
        put(&mut disk, "a", json!([n, large]));
        put(&mut disk, "b", json!(n));
    }
    let length = fs::metadata(dir.path().join("log")).unwrap().len();
    assert!(length < 20 << 20, "{length}");
    let seen = other.all().unwrap();
    assert_eq!(seen[1].1, json!(39));
    put(&mut other, "b", json!(40));
    assert_eq!(disk.all().unwrap()[1].1, json!(40));
}

#[test]
fn keys_come_one_at_a_time_with_what_a_request_changed() {
    let (_dir, mut disk) = folder();
    for key in ["a/1", "a/2", "a/4", "b/1"] {
        put(&mut disk, key, json!(0));
    }
    let found = disk.transact(|_, store| {
        store.remove("a/2");
        store.put("a/3", json!(0));
        store.put("a/0", json!(0));
        store.remove("a/0");
        let mut found = vec![String::new()];
        while let Some(key) = store.next_key("a/", &found[found.len() - 1]) {
            found.push(key);
        }
        assert_eq!(store.next_key("a/", "b"), None);
        assert_eq!(store.next_key("c", ""), None);
        Ok::<_, ()>(found)
    });
    assert_eq!(found.unwrap().unwrap(), ["", "a/1", "a/3", "a/4"]);
}

#[test]
fn blobs_stay_as_long_as_they_are_named() {
    let (dir, mut disk) = folder();
    let bytes = Bytes::from_static(b"\0code");
    let keep = |disk: &mut Disk, bytes: Bytes, refuse: bool| {
        disk.transact(|_, store| {
            let name = store.put_blob(&bytes);
            assert_eq!(store.blob(&name), Some(bytes.clone()));
            store.put("code", json!({"blob": name}));
            if refuse { Err(name) } else { Ok(name) }
        })
        .unwrap()
    };
    let name = keep(&mut disk, bytes.clone(), false).unwrap();
    let orphan = keep(&mut disk, Bytes::from_static(b"other"), true).unwrap_err();
    // Another speed has the log rewritten.
    let mut again = Disk::open(dir.path(), 2.0).unwrap();
    again
        .transact(|_, store| {
            assert_eq!(store.blob(&name), Some(bytes));
            assert_eq!(store.blob(&orphan), None);
            Ok::<_, ()>(())
        })
        .unwrap()
        .unwrap();
}

#[test]
fn time_never_jumps_back_when_the_speed_changes() {
    let (dir, disk) = folder();
    let start = disk.now();
    let fast = Disk::open(dir.path(), 10_000.0).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let later = fast.now();
    assert!(later >= start + 200_000, "{start} to {later}");
    let slow = Disk::open(dir.path(), 1.0).unwrap();
    assert!(slow.now() >= later);
    assert!(slow.now() < later + 60_000_000);
}
