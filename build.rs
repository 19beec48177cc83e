//! Has the linker fold functions of which the code is the same: the SDK's generated code holds
//! many, and the binary gets 5 % smaller. Only where the pinned toolchain's own linker (lld) is
//! in use; others may not know the flag.
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
        let flag = match is("PROFILE", "release") {
            true => "-Wl,--icf=all",
            false => "-no-pie",
        };
        println!("cargo:rustc-link-arg-bins={flag}");
    }
}
