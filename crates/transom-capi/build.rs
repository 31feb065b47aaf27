//! Gives the shared library the name that programs linked with it ask for at start.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "linux" {
        // The number changes only when the C interface breaks.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtransom.so.0");
    }
}
