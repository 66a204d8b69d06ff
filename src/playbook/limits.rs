//! How large a playbook may be. Every limit has its name, and every one can be set.

/// The limits of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest file.
    pub file_bytes_max: usize,
    /// The deepest nesting of lists and maps.
    pub depth_max: usize,
    /// The most values of a file, after aliases were filled in.
    pub nodes_max: usize,
    /// The most uses of anchors.
    pub aliases_max: usize,
    /// The most steps of a plan, those under `finally` and those of used playbooks included.
    pub steps_max: usize,
    /// The most edges of a plan.
    pub edges_max: usize,
    /// The most other playbooks that one uses, those that they use included.
    pub includes_max: usize,
    /// How deep playbooks use each other.
    pub include_depth_max: usize,
    /// So many mistakes are shown; the rest is counted.
    pub mistakes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 1 << 20,
            depth_max: 64,
            nodes_max: 50_000,
            aliases_max: 100,
            steps_max: 1_000,
            edges_max: 10_000,
            includes_max: 32,
            include_depth_max: 8,
            mistakes_max: 200,
        }
    }
}
