#![no_main]

#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let dir = std::env::temp_dir().join(format!("stackctl-fuzz-{}", std::process::id()));
    if std::fs::create_dir_all(&dir).is_ok() {
        targets::state_file(bytes, &dir);
    }
});
