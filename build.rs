//! Has the linker fold functions of which the code is the same: the SDK's generated code holds
//! many, and the binary gets 5 % smaller. Only where the pinned toolchain's own linker (lld) is
//! in use; others may not know the flag.
//!
//! Its table of addresses is packed where the C library of this machine can read that (glibc 2.36, of
//! 2022): 3.5 MB less.
//!
//! The program that the tests start again and again is linked to a fixed place: half of what it
//! took to start was moving its addresses.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by the environment"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let lld_is_default = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_ENV", "gnu");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let other_linker = std::env::var_os("RUSTC_LINKER").is_some()
        || flags.contains("link")
        || flags.contains("lld");
    if lld_is_default && !other_linker {
        let flags: &[&str] = match is("PROFILE", "release") {
            true if reads_packed_addresses() => &["-Wl,--icf=all", "-Wl,-z,pack-relative-relocs"],
            true => &["-Wl,--icf=all"],
            false => &["-no-pie"],
        };
        for flag in flags {
            println!("cargo:rustc-link-arg-bins={flag}");
        }
    }
}

/// Whether this machine has glibc 2.36 or newer: `ldd (…) 2.41`.
fn reads_packed_addresses() -> bool {
    let asked = std::process::Command::new("ldd").arg("--version").output();
    let said = asked.map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let version = said.lines().next().and_then(|line| line.rsplit(' ').next());
    let numbers = version.and_then(|version| version.split_once('.'));
    let minor = numbers.filter(|(major, _)| *major == "2");
    minor.is_some_and(|(_, minor)| minor.parse().is_ok_and(|minor: u32| minor >= 36))
}
