//! What is kept of a run so that it need not be made again.

use crate::InputValue;

/// What a run taught besides its outcome and besides what its system can work out without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memo {
    /// The channels over which something was sent: sender, receiver, time. Kept where a system
    /// cannot say more of a run than "the same messages, the same outcome".
    pub channels: Option<Vec<(String, String, u32)>>,
    /// The rows achieved by the run without faults, in ascending order, if other runs are judged by
    /// them.
    pub achieved: Option<Vec<Vec<InputValue>>>,
}

impl Memo {
    /// True if there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.channels.is_none() && self.achieved.is_none()
    }
}
