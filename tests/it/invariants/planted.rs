//! Bugs planted on purpose: each rule broken once, and who sees it.
