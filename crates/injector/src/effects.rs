//! What faults do: to nodes and links when they begin and end, to single calls while in force.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linchpin_tracer::{Channel, Decision, Gate, Site, Transport};

use crate::durable::Shadow;
use crate::fault::{Count, Data, Effect, Lateness, Name, Trigger, Until};
use crate::injector::{At, Injector, Phase, State, Under};
use crate::queue::{Due, Queue};
use crate::report::Firing;
use crate::socket;

/// Longest that a node is waited for until it stands still, or has ended.
const LIMIT: Duration = Duration::from_secs(10);
/// Firings of one fault that are listed.
const FIRINGS_MAX: usize = 100;
/// A datagram that nothing follows is sent after this.
const OVERTAKEN_MAX: Duration = Duration::from_secs(1);

/// How a node goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    Loud,
    Silent,
    PowerLoss,
}

impl Injector {
    /// The nodes a name means; of `{a,b}` the first of those an event is about.
    fn matching(&self, name: &Name, about: [Option<usize>; 2]) -> Vec<usize> {
        let is_meant =
            |place: &usize| self.nodes.get(*place).is_some_and(|known| name.matches(known));
        match name.is_whichever() {
            true => about.into_iter().flatten().find(is_meant).into_iter().collect(),
            false => (0..self.nodes.len()).filter(is_meant).collect(),
        }
    }

    /// The nodes at both ends of a link.
    fn ends(&self, from: &Name, to: &Name, at: &At) -> (Vec<usize>, Vec<usize>) {
        let [sender, receiver] = at.who.sender_first();
        (self.matching(from, [sender, receiver]), self.matching(to, [receiver, sender]))
    }

    pub(crate) fn record(&self, state: &mut State, fault: usize, at: &At) {
        let report = &mut state.faults[fault].report;
        report.count += 1;
        report.reason = None;
        if report.firings.len() < FIRINGS_MAX {
            let At { name, event, time_ns, .. } = at.clone();
            report.firings.push(Firing { at: name, event, time_ns });
        }
    }

    fn problem(&self, state: &mut State, fault: usize, problem: impl Into<String>) {
        let problem = problem.into();
        let problems = &mut state.faults[fault].report.problems;
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// A fault begins.
    pub(crate) fn activate(&self, state: &mut State, fault: usize, at: &At) {
        let armed = &state.faults[fault];
        let again = matches!(&armed.fault.trigger,
            Trigger::Event(_, pattern) if pattern.count == Count::Every);
        if state.over && armed.report.count == 0 {
            let reason = format!("{} came only after the faults were healed", at.name);
            state.faults[fault].report.reason = Some(reason);
            return;
        }
        if state.over || armed.phase == Phase::Active || (armed.phase == Phase::Over && !again) {
            return;
        }
        let effect = armed.fault.effect.clone();
        if effect.subject().is_some() {
            state.faults[fault].phase = Phase::Active;
            self.schedule_end(state, fault);
            return;
        }
        state.faults[fault].phase = if effect.lasts() { Phase::Active } else { Phase::Over };
        match &effect {
            Effect::Crash(node) => self.crash(state, fault, node, Crash::Loud, at),
            Effect::SilentCrash(node) => self.crash(state, fault, node, Crash::Silent, at),
            Effect::PowerLoss(node) => self.crash(state, fault, node, Crash::PowerLoss, at),
            Effect::Restart(node, data) => {
                let (delay, data) = (state.faults[fault].fault.pause, *data);
                self.record(state, fault, at);
                for place in self.matching(node, at.who.node_first()) {
                    state.due_back.push((fault, place, data));
                    self.later(delay, move |injector| {
                        let mut state = injector.lock();
                        let due = (fault, place, data);
                        let Some(index) = state.due_back.iter().position(|one| *one == due) else {
                            return;
                        };
                        state.due_back.swap_remove(index);
                        state.returning += 1;
                        injector.aside(&mut state, move |injector| {
                            injector.restart(fault, place, data);
                            injector.lock().returning -= 1;
                        });
                    });
                }
            }
            Effect::Pause(node) => {
                let places = self.matching(node, at.who.node_first());
                for remote in places.iter().filter_map(|place| state.remotes.get(place).cloned()) {
                    remote.pause();
                    state.faults[fault].paused.push(remote);
                }
                self.record(state, fault, at);
            }
            Effect::Partition(groups) => {
                let pairs = self.pairs(groups, at);
                self.cut_all(state, fault, &pairs, at);
            }
            Effect::Stall(from, to) => {
                let (from, to) = self.ends(from, to, at);
                let pairs: Vec<(usize, usize)> = from
                    .iter()
                    .flat_map(|from| to.iter().map(move |to| (*from, *to)))
                    .filter(|(from, to)| from != to)
                    .collect();
                self.cut_all(state, fault, &pairs, at);
            }
            Effect::Reset(from, to) => self.reset(state, fault, from, to, at),
            _ => {}
        }
        self.schedule_end(state, fault);
    }

    /// The links a partition cuts. A group of `*` is all that no group before it names.
    fn pairs(&self, groups: &[Vec<Name>], at: &At) -> Vec<(usize, usize)> {
        let mut taken: Vec<usize> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        for group in groups {
            let members = group.iter().flat_map(|name| self.matching(name, at.who.node_first()));
            let mut members: Vec<usize> = members.collect();
            members.retain(|place| !taken.contains(place));
            taken.extend(&members);
            places.push(members);
        }
        let mut pairs = Vec::new();
        for (index, one) in places.iter().enumerate() {
            for other in places.iter().skip(index + 1).flatten() {
                for place in one {
                    pairs.extend([(*place, *other), (*other, *place)]);
                }
            }
        }
        pairs
    }

    pub(crate) fn schedule_end(&self, state: &mut State, fault: usize) {
        let begun = state.begun.unwrap_or(self.start);
        let delay = match state.faults[fault].fault.until {
            Some(Until::For(length)) => length,
            Some(Until::Time(time)) => (begun + time).saturating_duration_since(Instant::now()),
            _ => return,
        };
        self.later(delay, move |injector| injector.end(&mut injector.lock(), fault));
    }

    /// A fault ends.
    pub(crate) fn end(&self, state: &mut State, fault: usize) {
        let armed = &mut state.faults[fault];
        if armed.phase != Phase::Active {
            return;
        }
        armed.phase = Phase::Over;
        for remote in std::mem::take(&mut armed.paused) {
            remote.resume();
        }
        let hung = std::mem::take(&mut armed.hung);
        let overtaken = armed.overtaken.take();
        let cuts = std::mem::take(&mut armed.cuts);
        for (place, channel) in hung {
            if let Some(copy) = state.remotes.get(&place).and_then(|node| node.duplicate(channel)) {
                let _ = socket::drop_nothing(&copy);
            }
        }
        if let Some((socket, bytes, to)) = overtaken {
            let _ = socket::send(&socket, &bytes, &to);
        }
        for link in cuts {
            self.heal_link(state, fault, link);
        }
    }

    fn crash(&self, state: &mut State, fault: usize, node: &Name, how: Crash, at: &At) {
        let mut down = Vec::new();
        for place in self.matching(node, at.who.node_first()) {
            let remote = state.remotes.get(&place).cloned();
            let Some(remote) = remote.filter(|node| !node.processes().is_empty()) else {
                down.push(self.nodes[place].clone());
                continue;
            };
            if !state.crashing.insert(place) {
                down.push(self.nodes[place].clone());
                continue;
            }
            // From here on it makes no step: what is about to happen does not.
            remote.pause();
            self.record(state, fault, at);
            self.aside(state, move |injector| injector.bring_down(fault, place, how));
        }
        if !down.is_empty() && state.faults[fault].report.count == 0 {
            let reason = format!("{} was down already when {}", down.join(", "), at.name);
            state.faults[fault].report.reason = Some(reason);
        }
    }

    /// Ends a node that stands still. Waits, so it has a thread of its own.
    fn bring_down(&self, fault: usize, place: usize, how: Crash) {
        let name = self.nodes[place].clone();
        let Some(remote) = self.lock().remotes.get(&place).cloned() else { return };
        remote.still(LIMIT);
        if how == Crash::Loud {
            // What it had sent over a link that is cut must arrive when that is healed.
            let mut state = self.lock();
            let cut: Vec<Channel> = state
                .hurried
                .iter()
                .filter(|(_, (node, _))| *node == place)
                .map(|(channel, _)| *channel)
                .collect();
            for channel in cut {
                if let Some(copy) = remote.duplicate(channel) {
                    state.closed.insert(channel, copy);
                }
            }
        } else {
            self.silence(&mut self.lock(), fault, place);
            let sockets: Vec<OwnedFd> = remote
                .sockets()
                .into_iter()
                .map(|(_, copy)| copy)
                .filter(|copy| socket::drop_all(copy).is_ok() && socket::is_internet(copy))
                .collect();
            self.lock().silenced.entry(place).or_default().extend(sockets);
        }
        self.controller.kill(&name);
        remote.kill();
        let ended = remote.finished(LIMIT);
        let mut state = self.lock();
        if how == Crash::Loud {
            let own = state.hurried.iter().filter(|(_, (node, _))| *node == place);
            for channel in own.map(|(channel, _)| channel) {
                if let Some(copy) = state.closed.get(channel) {
                    socket::shut(copy, libc::SHUT_WR);
                }
            }
        }
        if !ended {
            self.problem(
                &mut state,
                fault,
                format!("{name} has not ended {LIMIT:?} after it was killed"),
            );
        }
        if how == Crash::PowerLoss {
            match state.shadows.get_mut(&place).map(Shadow::restore) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    self.problem(&mut state, fault, format!("the data of {name}: {error}"));
                }
                None => {
                    let problem = format!("{name} has no data directory: nothing was undone");
                    self.problem(&mut state, fault, problem);
                }
            }
        }
        state.crashing.remove(&place);
    }

    pub(crate) fn restart(&self, fault: usize, place: usize, data: Data) {
        let name = self.nodes[place].clone();
        let limit = Instant::now() + 2 * LIMIT;
        while self.lock().crashing.contains(&place) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(1));
        }
        let remote = {
            let mut state = self.lock();
            if state.over {
                return;
            }
            let remote = state.remotes.get(&place).cloned();
            let running = remote.filter(|node| !node.processes().is_empty());
            if let Some(remote) = &running {
                state.crashing.insert(place);
                remote.pause();
            }
            running
        };
        if remote.is_some() {
            self.bring_down(fault, place, Crash::Loud);
        }
        {
            let mut state = self.lock();
            // The host is back: its kernel knows nothing of the connections it had.
            for socket in state.silenced.remove(&place).unwrap_or_default() {
                socket::forget(socket);
            }
            self.unsilence(&mut state, fault, place);
            if data == Data::Lose {
                state.shadows.remove(&place);
            }
        }
        if let Err(error) = self.controller.restart(&name, data) {
            let problem = format!("{name} could not be started again: {error}");
            self.problem(&mut self.lock(), fault, problem);
        }
    }

    fn reset(&self, state: &mut State, fault: usize, from: &Name, to: &Name, at: &At) {
        let (from, to) = self.ends(from, to, at);
        let mut count = 0;
        for place in &from {
            for (_, socket, peer) in self.connections(state, *place) {
                if peer.is_some_and(|peer| to.contains(&peer)) && socket::reset(&socket).is_ok() {
                    count += 1;
                }
            }
        }
        if count > 0 {
            self.record(state, fault, at);
        } else {
            state.faults[fault].report.reason =
                Some(format!("there was no connection to reset {}", at.name));
        }
    }

    /// The TCP connections of a node, with duplicates of its sockets and their other ends.
    pub(crate) fn connections(
        &self,
        state: &mut State,
        place: usize,
    ) -> Vec<(Channel, OwnedFd, Option<usize>)> {
        let Some(remote) = state.remotes.get(&place).cloned() else { return Vec::new() };
        let mut found = Vec::new();
        for (channel, socket) in remote.sockets() {
            let peer = {
                let tracker = self.recorder.tracker();
                let facts = tracker.facts(channel);
                let connected = facts.is_some_and(|facts| {
                    facts.transport == Transport::Stream && !facts.local_family && !facts.listening
                });
                if !connected {
                    continue;
                }
                state.live.peer(&tracker, channel, None)
            };
            let peer = peer.and_then(|peer| self.place(state, peer));
            found.push((channel, socket, peer));
        }
        found
    }

    /// A send, while the sender stands still.
    pub(crate) fn sending(
        &self,
        state: &mut State,
        under: &Under,
        channel: Channel,
        length: u64,
        site: &Site<'_>,
    ) -> Option<Decision> {
        let (datagram, local) = {
            let tracker = self.recorder.tracker();
            let facts = tracker.facts(channel);
            (
                facts.is_some_and(|facts| facts.transport != Transport::Stream),
                facts.is_none_or(|facts| facts.local_family),
            )
        };
        for fault in self.meant(state, under) {
            let effect = state.faults[fault].fault.effect.clone();
            let decision = match effect {
                Effect::Error(errno, _) => {
                    self.record(state, fault, &under.at);
                    Some(Decision::Answer(-i64::from(errno.0)))
                }
                Effect::ShortWrite(_, bytes) if length > bytes => {
                    self.record(state, fault, &under.at);
                    Some(Decision::Shorten(bytes))
                }
                Effect::Omit(_) | Effect::Duplicate(_) | Effect::Reorder(_) if !datagram => {
                    let reason = "no network loses or doubles part of a stream: use stall, delay \
                                  or reset";
                    state.faults[fault].report.reason = Some(reason.into());
                    None
                }
                Effect::Omit(_) => {
                    self.record(state, fault, &under.at);
                    Some(Decision::Answer(length as i64))
                }
                effect => self.taken_over(state, fault, &effect, under, (channel, datagram), site),
            };
            if decision.is_some() {
                return decision;
            }
        }
        self.cut_or_queued(state, under, channel, (datagram, local), length, site)
    }

    /// A message whose bytes the injector delivers itself.
    fn taken_over(
        &self,
        state: &mut State,
        fault: usize,
        effect: &Effect,
        under: &Under,
        (channel, datagram): (Channel, bool),
        site: &Site<'_>,
    ) -> Option<Decision> {
        let Some(mut content) = site.content() else {
            return self.held(state, fault, effect, under);
        };
        let to = site.destination();
        let socket = match site.duplicate() {
            Ok(socket) => socket,
            Err(error) => {
                self.problem(state, fault, format!("the socket could not be reached: {error}"));
                return None;
            }
        };
        let length = content.len() as u64;
        match effect {
            Effect::Delay(_, lateness) => {
                let due = self.due(state, fault, lateness);
                self.record(state, fault, &under.at);
                if datagram {
                    self.send_later(state, due, socket, content, to);
                    return Some(Decision::Deliver(length));
                }
                self.queue(state, channel, socket).send(content, due, site.waits())
            }
            Effect::Corrupt(_, byte) => {
                let place = byte.unwrap_or(length / 2);
                let Some(byte) = content.get_mut(place as usize) else {
                    let reason = format!("the message has {length} bytes only");
                    state.faults[fault].report.reason = Some(reason);
                    return None;
                };
                *byte ^= 0xff;
                self.record(state, fault, &under.at);
                if datagram {
                    let _ = socket::send(&socket, &content, &to);
                    return Some(Decision::Deliver(length));
                }
                self.queue(state, channel, socket).send(content, Due::Next, site.waits())
            }
            Effect::Duplicate(_) => {
                self.record(state, fault, &under.at);
                let _ = socket::send(&socket, &content, &to);
                None
            }
            Effect::Reorder(_) => {
                self.record(state, fault, &under.at);
                state.faults[fault].overtaken = Some((socket, content, to));
                self.later(OVERTAKEN_MAX, move |injector| {
                    injector.overtaken(&mut injector.lock(), fault);
                });
                Some(Decision::Deliver(length))
            }
            _ => None,
        }
    }

    /// A message that is not in the program's memory, or comes with descriptors: its thread waits.
    fn held(
        &self,
        state: &mut State,
        fault: usize,
        effect: &Effect,
        under: &Under,
    ) -> Option<Decision> {
        let Effect::Delay(_, lateness) = effect else {
            let reason = "the content is not in the program's memory (sendfile), or comes with \
                          descriptors";
            state.faults[fault].report.reason = Some(reason.into());
            return None;
        };
        let gate = Gate::new();
        let due = self.due(state, fault, lateness);
        self.record(state, fault, &under.at);
        let opening = gate.clone();
        self.aside(state, move |_| {
            due.wait();
            opening.open(Decision::Follow);
        });
        Some(Decision::Hold(gate))
    }

    fn due(&self, state: &State, fault: usize, lateness: &Lateness) -> Due {
        let begun = state.begun.unwrap_or(self.start);
        match lateness {
            Lateness::By(length) | Lateness::Until(Until::For(length)) => {
                Due::At(Instant::now() + *length)
            }
            Lateness::Until(Until::Time(time)) => Due::At(begun + *time),
            Lateness::Until(Until::Event(_)) => Due::Open(state.faults[fault].latch.clone()),
        }
    }

    fn send_later(
        &self,
        state: &mut State,
        due: Due,
        socket: OwnedFd,
        bytes: Vec<u8>,
        to: Vec<u8>,
    ) {
        match due {
            Due::At(time) => {
                let delay = time.saturating_duration_since(Instant::now());
                self.later(delay, move |_| {
                    let _ = socket::send(&socket, &bytes, &to);
                });
            }
            due => self.aside(state, move |_| {
                due.wait();
                let _ = socket::send(&socket, &bytes, &to);
            }),
        }
    }

    /// The queue of a connection; made if there is none that lives.
    fn queue(&self, state: &mut State, channel: Channel, socket: OwnedFd) -> QueueOrNothing {
        if let Some(queue) = state.queues.get(&channel).filter(|queue| !queue.is_done()) {
            return QueueOrNothing(Some(Arc::clone(queue)));
        }
        let queue = Queue::new(socket).ok();
        match &queue {
            Some(queue) => state.queues.insert(channel, Arc::clone(queue)),
            None => state.queues.remove(&channel),
        };
        QueueOrNothing(queue)
    }

    /// A message on a link that is cut, or behind others that are late.
    fn cut_or_queued(
        &self,
        state: &mut State,
        under: &Under,
        channel: Channel,
        (datagram, local): (bool, bool),
        length: u64,
        site: &Site<'_>,
    ) -> Option<Decision> {
        let link = under.happening.peer.map(|peer| (under.happening.node, peer));
        // No network is between the ends of an AF_UNIX socket.
        let cut = link.filter(|(from, to)| {
            self.is_cut(state, *from, *to) || local && self.is_severed(state, (*from, *to))
        });
        if let (Some(_), true) = (cut, datagram) {
            return Some(Decision::Answer(length as i64));
        }
        let queued = state.queues.get(&channel).is_some_and(|queue| !queue.is_done());
        let accepted = self.recorder.tracker().peer(channel).is_some();
        // The receiver's socket cannot be reached: AF_UNIX has no such filter, and a connection
        // that nobody has accepted yet has no descriptor.
        let stuck = cut.filter(|_| local || !accepted);
        if !queued && stuck.is_none() {
            return None;
        }
        let due = match stuck {
            Some(link) => Due::Open(state.latches.entry(link).or_default().clone()),
            None => Due::Next,
        };
        match (site.content(), site.duplicate()) {
            (Some(content), Ok(socket)) => {
                self.queue(state, channel, socket).send(content, due, site.waits())
            }
            _ if queued => state.queues.get(&channel).and_then(|queue| queue.wait()),
            _ => None,
        }
    }

    /// The faults in force whose subject this is.
    fn meant(&self, state: &State, under: &Under) -> Vec<usize> {
        if state.over {
            return Vec::new();
        }
        (0..state.faults.len())
            .filter(|fault| {
                let armed = &state.faults[*fault];
                armed.phase == Phase::Active
                    && under.hits.iter().any(|hit| {
                        Some(hit.watch) == armed.subject
                            && state.watches[hit.watch].is_meant(hit.number)
                    })
            })
            .collect()
    }

    /// A connect, while the thread stands still.
    pub(crate) fn connecting(
        &self,
        state: &mut State,
        under: &Under,
        channel: Channel,
        site: &Site<'_>,
    ) -> Option<Decision> {
        for fault in self.meant(state, under) {
            let error = match &state.faults[fault].fault.effect {
                Effect::Refuse(_) => libc::ECONNREFUSED,
                Effect::TimeOut(_) => libc::ETIMEDOUT,
                Effect::Error(errno, _) => errno.0,
                Effect::Hang(_) => {
                    if site.duplicate().and_then(|copy| socket::drop_all(&copy)).is_ok() {
                        self.record(state, fault, &under.at);
                        state.faults[fault].hung.push((under.happening.node, channel));
                    }
                    continue;
                }
                _ => continue,
            };
            state.connecting.remove(&channel);
            self.record(state, fault, &under.at);
            return Some(Decision::Answer(-i64::from(error)));
        }
        let (from, to) = (under.happening.node, under.happening.peer?);
        let links = [(from, to), (to, from)];
        if links.iter().any(|link| self.is_severed(state, *link))
            && let Ok(copy) = site.duplicate()
        {
            // The answer to the request for a connection is lost: it hangs until it is healed.
            self.begin_cut(state, from, channel, &copy, &links);
        }
        None
    }

    /// A call that may be made to fail, or to write less.
    pub(crate) fn failing(
        &self,
        state: &mut State,
        under: &Under,
        length: u64,
    ) -> Option<Decision> {
        for fault in self.meant(state, under) {
            match state.faults[fault].fault.effect {
                Effect::Error(errno, _) => {
                    self.record(state, fault, &under.at);
                    return Some(Decision::Answer(-i64::from(errno.0)));
                }
                Effect::ShortWrite(_, bytes) if length > bytes => {
                    self.record(state, fault, &under.at);
                    return Some(Decision::Shorten(bytes));
                }
                _ => {}
            }
        }
        None
    }

    /// A datagram has left: those it overtakes follow.
    pub(crate) fn overtake(&self, state: &mut State, channel: Channel, at: &At) {
        let _ = channel;
        for fault in 0..state.faults.len() {
            let own = state.faults[fault].report.firings.last();
            if own.is_some_and(|firing| firing.event != at.event) {
                self.overtaken(state, fault);
            }
        }
    }

    fn overtaken(&self, state: &mut State, fault: usize) {
        if let Some((socket, bytes, to)) = state.faults[fault].overtaken.take() {
            let _ = socket::send(&socket, &bytes, &to);
        }
    }

    /// A node's program runs: what its data directory holds is durable.
    pub(crate) fn start_shadow(&self, state: &mut State, place: usize) {
        let loses_power = |name: &Name| name.matches(&self.nodes[place]);
        let faults: Vec<usize> = (0..state.faults.len())
            .filter(|fault| {
                matches!(&state.faults[*fault].fault.effect,
                    Effect::PowerLoss(node) if loses_power(node))
            })
            .collect();
        if faults.is_empty() || state.shadows.contains_key(&place) {
            return;
        }
        let name = &self.nodes[place];
        let Some(data) = self.controller.data(name) else { return };
        match Shadow::new(&data, &self.scratch.join(name)) {
            Ok(shadow) => {
                state.shadows.insert(place, shadow);
            }
            Err(error) => {
                for fault in faults {
                    self.problem(state, fault, format!("the data of {name}: {error}"));
                }
            }
        }
    }

    pub(crate) fn durable(
        &self,
        state: &mut State,
        place: usize,
        work: impl FnOnce(&mut Shadow) -> io::Result<()>,
    ) {
        let Some(shadow) = state.shadows.get_mut(&place) else { return };
        if let Err(error) = work(shadow) {
            let problem = format!("what {} synced could not be kept: {error}", self.nodes[place]);
            for fault in 0..state.faults.len() {
                if matches!(&state.faults[fault].fault.effect, Effect::PowerLoss(_)) {
                    self.problem(state, fault, problem.clone());
                }
            }
        }
    }
}

/// A queue, unless no thread could be had for one.
struct QueueOrNothing(Option<Arc<Queue>>);

impl QueueOrNothing {
    fn send(&self, bytes: Vec<u8>, due: Due, waits: bool) -> Option<Decision> {
        self.0.as_ref()?.send(bytes, due, waits)
    }
}
