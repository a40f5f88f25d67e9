//! What is known by channel: looked up at every event, so by hash, and never taken away.

use linchpin_tracer::Channel;
use rustc_hash::FxHashMap;

/// Values by channel.
#[derive(Clone, Debug)]
pub(crate) struct ByChannel<T> {
    places: FxHashMap<Channel, u32>,
    values: Vec<(Channel, T)>,
}

impl<T> Default for ByChannel<T> {
    fn default() -> ByChannel<T> {
        ByChannel { places: FxHashMap::default(), values: Vec::new() }
    }
}

impl<T: Default> ByChannel<T> {
    pub(crate) fn get(&self, channel: Channel) -> Option<&T> {
        self.places.get(&channel).map(|place| &self.values[*place as usize].1)
    }

    pub(crate) fn get_mut(&mut self, channel: Channel) -> Option<&mut T> {
        self.places.get(&channel).map(|place| &mut self.values[*place as usize].1)
    }

    /// The value of a channel, made if there is none.
    pub(crate) fn entry(&mut self, channel: Channel) -> &mut T {
        let next = self.values.len() as u32;
        let place = *self.places.entry(channel).or_insert(next);
        if place == next {
            self.values.push((channel, T::default()));
        }
        &mut self.values[place as usize].1
    }

    /// All of them, in the order of channels.
    pub(crate) fn sorted(&self) -> impl DoubleEndedIterator<Item = (Channel, &T)> + '_ {
        let mut all: Vec<_> =
            self.values.iter().map(|(channel, value)| (*channel, value)).collect();
        all.sort_unstable_by_key(|(channel, _)| *channel);
        all.into_iter()
    }

    /// All of them, in the order in which they were met.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Channel, &T)> + '_ {
        self.values.iter().map(|(channel, value)| (*channel, value))
    }
}
