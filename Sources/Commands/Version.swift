// The version that outputs and `doctor` name.

/// The version of this build, written into every output as `created_by`.
let headlampVersion = "0.1.0"
