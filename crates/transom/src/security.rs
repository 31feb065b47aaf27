//! Who may open a named object: security descriptors as far as this system can honour them (M41, Y38).

pub use transom_core::security::Security;
