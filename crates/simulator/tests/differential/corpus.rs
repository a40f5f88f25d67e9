//! Programs that once told two evaluations apart, each with what was wrong.
