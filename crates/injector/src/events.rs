//! From events to triggers: what happens is named, counted, and put to every fault.

use std::path::{Path, PathBuf};

use linchpin_tracer::{
    Action, Approach, Call, CallId, Channel, Decision, Endpoint, Event, NodeId, Site,
};
use linchpin_tracker::EventId;
use linchpin_tracker::live::Moment;

use crate::fault::{Count, Kind, Side, Trigger};
use crate::injector::{At, Hit, Injector, State, Under, Who};
use crate::socket;
use crate::watch::Happening;

/// Errors after which a program makes the same call again: it is counted when it succeeds.
const TRANSIENT: [i32; 2] = [libc::EAGAIN, libc::EINTR];

impl Injector {
    pub(crate) fn event(&self, event: Event, site: &Site<'_>) -> Decision {
        let mut guard = self.lock();
        let state = &mut *guard;
        let (id, moments) = {
            let (tracker, id) = self.recorder.record(event.clone());
            (id, state.live.moments(&tracker, id))
        };
        let Some(place) = self.place(state, event.node) else { return Decision::Continue };
        match &event.action {
            Action::Exec { .. } => {
                state.remotes.insert(place, site.node().clone());
            }
            Action::Sent { call, bytes, error, .. } => {
                self.left(state, (event.node, *call), *error, Some(*bytes));
            }
            Action::Answered { call, result } => {
                let error = (*result < 0).then_some(-*result as i32);
                self.left(state, (event.node, *call), error, None);
            }
            Action::Connected { call, channel, error } => {
                if *error != Some(libc::EINPROGRESS) {
                    state.connecting.remove(channel);
                }
                self.left(state, (event.node, *call), *error, None);
            }
            Action::Synced { call, error } => {
                self.synced(state, place, (event.node, *call), *error);
                self.left(state, (event.node, *call), *error, None);
            }
            Action::Shutdown { channel, write: true, read } => {
                let how = if *read { libc::SHUT_RDWR } else { libc::SHUT_WR };
                if let Some(decision) =
                    state.queues.get(channel).and_then(|queue| queue.shutdown(how))
                {
                    return decision;
                }
            }
            Action::Close { endpoint } => self.keep_cut(state, event.process, &[*endpoint], site),
            Action::ProcessExit { closed, .. } => {
                self.keep_cut(state, event.process, closed, site);
            }
            // What a receive that waits gets when its connection is reset from this side.
            Action::ReceiveFailed { error: libc::EPIPE, .. } => {
                return Decision::Answer(-i64::from(libc::ECONNRESET));
            }
            Action::Accept { channel, .. } => self.accept_cut(state, place, *channel, site),
            Action::File { error, .. } => self.file_done(state, place, &event, *error),
            _ => {}
        }
        let mut decision = Decision::Continue;
        for moment in moments {
            let now = self.moment(state, &event, id, &moment, site);
            if !matches!(now, Decision::Continue) {
                decision = now;
            }
        }
        decision
    }

    /// Something with a name happens.
    fn moment(
        &self,
        state: &mut State,
        event: &Event,
        id: EventId,
        moment: &Moment,
        site: &Site<'_>,
    ) -> Decision {
        let Some(place) = self.place(state, moment.node) else { return Decision::Continue };
        let peer = moment.peer.and_then(|peer| self.place(state, peer));
        let mut happening = Happening::of(moment, place, peer);
        if happening.kind == Kind::Sync {
            happening.label = happening.label.map(|path| self.stable_path(place, path));
        }
        if happening.kind == Kind::Start {
            self.start_shadow(state, place);
        }
        if let (Kind::Connect, Some(channel)) = (happening.kind, moment.channel)
            && !state.connecting.insert(channel)
        {
            return Decision::Continue; // it asks how its connect went
        }
        let (at, hits) = self.count(state, &happening, Some(id), event.time_ns);
        if happening.kind.only_after() {
            self.stage(state, Side::After, &hits, &at);
            return Decision::Continue;
        }
        self.stage(state, Side::Before, &hits, &at);
        if happening.kind == Kind::Close {
            self.stage(state, Side::After, &hits, &at);
            return Decision::Continue;
        }
        let interesting = !hits.is_empty();
        let under = Under { happening, at, hits, channel: moment.channel };
        let decision = match &event.action {
            Action::Send { channel, payload, .. } => {
                self.sending(state, &under, *channel, payload.length, site)
            }
            Action::Connect { channel, .. } => self.connecting(state, &under, *channel, site),
            _ => self.failing(state, &under, 0),
        };
        if let Some(call) = moment.call {
            state.calls.insert((moment.node, call), under);
        }
        match decision {
            Some(decision) => decision,
            None if interesting || self.recorder.tracker().may_fail(id) => Decision::Follow,
            None => Decision::Continue,
        }
    }

    /// Gives a happening its number, and finds the patterns it matches.
    pub(crate) fn count(
        &self,
        state: &mut State,
        happening: &Happening,
        event: Option<EventId>,
        time_ns: u64,
    ) -> (At, Vec<Hit>) {
        let mut pattern = happening.pattern(&self.nodes);
        let number = state.census.entry(pattern.to_string()).or_default();
        *number += 1;
        pattern.count = Count::Nth(*number);
        let mut hits = Vec::new();
        for index in 0..state.watches.len() {
            if !state.watches[index].calls {
                hits.extend(self.hit(state, index, happening));
            }
        }
        let who = Who::of(happening);
        (At { name: pattern.to_string(), event, time_ns, who }, hits)
    }

    /// Counts a happening that a watch waits for.
    fn hit(&self, state: &mut State, index: usize, happening: &Happening) -> Option<Hit> {
        let since = state.watches[index].since;
        if since.is_some_and(|since| !state.watches[since].is_met()) {
            return None;
        }
        let watch = &mut state.watches[index];
        let is_met = watch.matches(happening, &self.nodes);
        watch.seen += u32::from(is_met);
        is_met.then_some(Hit { watch: index, number: watch.seen })
    }

    /// It did not happen after all: the program will try again.
    fn uncount(&self, state: &mut State, under: &Under) {
        let name = under.happening.pattern(&self.nodes).to_string();
        if let Some(number) = state.census.get_mut(&name) {
            *number = number.saturating_sub(1);
        }
        for hit in &under.hits {
            let watch = &mut state.watches[hit.watch];
            watch.seen = watch.seen.saturating_sub(1);
        }
    }

    /// The exit of a call, or its answer.
    fn left(
        &self,
        state: &mut State,
        call: (NodeId, CallId),
        error: Option<i32>,
        bytes: Option<u64>,
    ) {
        let Some(under) = state.calls.remove(&call) else { return };
        if let (Kind::Send, Some(event)) = (under.happening.kind, under.at.event) {
            match (error, bytes) {
                (Some(_), _) => state.live.taken(event, 0),
                (None, Some(bytes)) if bytes > 0 => state.live.taken(event, bytes),
                _ => {}
            }
        }
        if error.is_some_and(|error| TRANSIENT.contains(&error)) {
            self.uncount(state, &under);
            return;
        }
        if error.is_none() || error == Some(libc::EINPROGRESS) {
            self.stage(state, Side::After, &under.hits, &under.at);
        }
        if let (Kind::Send, Some(channel)) = (under.happening.kind, under.channel) {
            self.overtake(state, channel, &under.at);
        }
    }

    /// Puts a happening to every fault: does it begin, does it end?
    fn stage(&self, state: &mut State, side: Side, hits: &[Hit], at: &At) {
        for fault in 0..state.faults.len() {
            let met = |state: &State, watch: Option<usize>| {
                hits.iter().any(|hit| {
                    Some(hit.watch) == watch && state.watches[hit.watch].is_meant(hit.number)
                })
            };
            if side == Side::After {
                if met(state, state.faults[fault].until) {
                    self.end(state, fault);
                }
                if met(state, state.faults[fault].late) {
                    state.faults[fault].latch.open();
                }
                self.given(state, fault, hits, at);
            }
            let armed = &state.faults[fault];
            let Trigger::Event(wanted, _) = &armed.fault.trigger else { continue };
            if *wanted != side || !met(state, armed.trigger) {
                continue;
            }
            if armed.given_left.is_empty() {
                let word = if side == Side::Before { "before" } else { "after" };
                let at = At { name: format!("{word} {}", at.name), ..at.clone() };
                self.activate(state, fault, &at);
            } else {
                let left = armed.given_left.iter();
                let left: Vec<String> =
                    left.map(|watch| format!("`{}`", state.watches[*watch].pattern)).collect();
                let reason = format!("`{}` came before {}", at.name, left.join(", "));
                state.faults[fault].report.reason = Some(reason);
            }
        }
    }

    /// Strikes an event off the list of what must have happened.
    fn given(&self, state: &mut State, fault: usize, hits: &[Hit], at: &At) {
        let armed = &state.faults[fault];
        let struck: Vec<usize> = hits
            .iter()
            .filter(|hit| {
                armed.given_left.contains(&hit.watch)
                    && state.watches[hit.watch].is_meant(hit.number)
            })
            .map(|hit| hit.watch)
            .collect();
        if struck.is_empty() {
            return;
        }
        let armed = &mut state.faults[fault];
        for watch in struck {
            armed.given_left.remove(&watch);
        }
        if armed.given_left.is_empty() && armed.fault.trigger == Trigger::Given {
            let at = At { name: format!("after {}", at.name), ..at.clone() };
            self.activate(state, fault, &at);
        }
    }

    /// A call without entry event is about to run.
    pub(crate) fn approached(&self, approach: &Approach, site: &Site<'_>) -> Decision {
        let Some(kind) = kind_of(approach.call) else { return Decision::Continue };
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(place) = self.place(state, approach.node) else { return Decision::Continue };
        let happening = match (approach.channel, &approach.path) {
            (Some(channel), _) => self.incoming(state, kind, place, channel),
            (None, Some(path)) => self.changing(kind, place, path, approach),
            (None, None) => return Decision::Continue,
        };
        let key = (approach.node, approach.thread);
        if kind == Kind::Write
            && state.shadows.contains_key(&place)
            && site.duplicate().is_ok_and(|file| socket::is_synchronous(&file))
        {
            state.synchronous.insert(key, PathBuf::from(approach.path.clone().unwrap_or_default()));
        }
        if !kind.on_files() {
            // Receives and accepts are counted by their exits; here only those that are to fail.
            return self.refusal(state, &happening);
        }
        let (at, hits) = self.count(state, &happening, None, self.now_ns());
        self.stage(state, Side::Before, &hits, &at);
        let under = Under { happening, at, hits, channel: None };
        let decision = self.failing(state, &under, approach.length);
        if !matches!(decision, Some(Decision::Answer(_))) {
            state.file_calls.insert(key, under);
        }
        decision.unwrap_or_default()
    }

    fn incoming(&self, state: &mut State, kind: Kind, place: usize, channel: Channel) -> Happening {
        let peer = {
            let tracker = self.recorder.tracker();
            state.live.peer(&tracker, channel, None)
        };
        let peer = peer.and_then(|peer| self.place(state, peer));
        let (label, port) = (None, None);
        Happening { kind, node: place, peer, label, port, connection: 0, in_data: true }
    }

    fn changing(&self, kind: Kind, place: usize, path: &str, approach: &Approach) -> Happening {
        let data = self.nodes.get(place).and_then(|name| self.controller.data(name));
        let within = |path: &str| {
            data.as_ref().is_none_or(|data| path.starts_with(&*data.to_string_lossy()))
        };
        let in_data = within(path) || approach.target.as_deref().is_some_and(within);
        Happening {
            kind,
            node: place,
            peer: None,
            label: Some(self.stable_path(place, path.to_owned())),
            port: None,
            connection: 0,
            in_data,
        }
    }

    /// A path as it is in every run: below the node's data directory, which has another place each
    /// time.
    fn stable_path(&self, place: usize, path: String) -> String {
        let data = self.nodes.get(place).and_then(|name| self.controller.data(name));
        match data.map(|data| Path::new(&path).strip_prefix(data)) {
            Some(Ok(rest)) if rest.as_os_str().is_empty() => ".".into(),
            Some(Ok(rest)) => rest.to_string_lossy().into_owned(),
            _ => path,
        }
    }

    /// The exit of a change of a file.
    fn file_done(&self, state: &mut State, place: usize, event: &Event, error: Option<i32>) {
        let key = (event.node, event.thread);
        if let Some(path) = state.synchronous.remove(&key)
            && error.is_none()
        {
            self.durable(state, place, |shadow| shadow.sync(&path));
        }
        let Some(under) = state.file_calls.remove(&key) else { return };
        if error.is_none() {
            self.stage(state, Side::After, &under.hits, &under.at);
        }
    }

    /// Something was synced: what it covers is durable.
    fn synced(&self, state: &mut State, place: usize, call: (NodeId, CallId), error: Option<i32>) {
        if error.is_some() || !state.shadows.contains_key(&place) {
            return;
        }
        let Some(Under { at, .. }) = state.calls.get(&call) else { return };
        let Some(event) = at.event else { return };
        let action = self.recorder.tracker().graph().event(event).action.clone();
        let Action::Sync { kind, path, .. } = action else { return };
        match (kind.as_str(), path) {
            ("sync" | "syncfs", _) => self.durable(state, place, |shadow| shadow.sync_all()),
            ("fsync" | "fdatasync" | "msync", Some(path)) => {
                self.durable(state, place, |shadow| shadow.sync(&PathBuf::from(path)));
            }
            _ => {}
        }
    }

    /// A socket that is cut is about to lose its last descriptor: it is kept until it is healed.
    fn keep_cut(&self, state: &mut State, process: i32, endpoints: &[Endpoint], site: &Site<'_>) {
        for Endpoint { channel, .. } in endpoints {
            state.connecting.remove(channel);
            let queue = state.queues.get(channel).filter(|queue| !queue.is_done()).cloned();
            let filtered =
                state.filtered.contains_key(channel) || state.hurried.contains_key(channel);
            if !filtered && queue.is_none() {
                continue;
            }
            // The duplicate of it that lives on must not be told of to a program that closed it.
            site.node().unwatch(process, *channel);
            if !filtered || site.node().holders(*channel).len() > 1 {
                continue;
            }
            if let Some(copy) = site.node().duplicate(*channel) {
                // What was sent before, and the end of the stream, must arrive when it is healed.
                if queue.and_then(|queue| queue.shutdown(libc::SHUT_WR)).is_none() {
                    socket::shut(&copy, libc::SHUT_WR);
                }
                state.closed.insert(*channel, copy);
            }
        }
    }

    /// A connection that was made before a cut is accepted now.
    fn accept_cut(&self, state: &mut State, place: usize, channel: Channel, site: &Site<'_>) {
        let peer = {
            let tracker = self.recorder.tracker();
            state.live.peer(&tracker, channel, None)
        };
        let Some(peer) = peer.and_then(|peer| self.place(state, peer)) else { return };
        let links = [(peer, place), (place, peer)];
        if links.iter().any(|link| self.is_severed(state, *link))
            && let Some(copy) = site.node().duplicate(channel)
        {
            // What goes the other way is dropped by the other end.
            let links = if self.is_cut(state, place, peer) { &links[..1] } else { &links[..] };
            self.begin_cut(state, place, channel, &copy, links);
        }
    }

    /// A receive or accept that is to fail.
    fn refusal(&self, state: &mut State, happening: &Happening) -> Decision {
        let mut hits = Vec::new();
        for index in 0..state.watches.len() {
            // Counted here, where the call begins: its exit may never come.
            if state.watches[index].calls {
                hits.extend(self.hit(state, index, happening));
            }
        }
        if hits.is_empty() {
            return Decision::Continue;
        }
        let mut pattern = happening.pattern(&self.nodes);
        pattern.count = Count::Nth(hits.first().map_or(1, |hit| hit.number));
        let who = Who::of(happening);
        let at = At { name: pattern.to_string(), event: None, time_ns: self.now_ns(), who };
        let under = Under { happening: happening.clone(), at, hits, channel: None };
        self.failing(state, &under, 0).unwrap_or_default()
    }
}

/// True if a call is one that faults count as `write`, if it is made on a file.
#[must_use]
pub fn is_write_to_file(call: Call) -> bool {
    kind_of(call) == Some(Kind::Write)
}

fn kind_of(call: Call) -> Option<Kind> {
    Some(match call {
        Call::Read
        | Call::Readv
        | Call::Preadv2
        | Call::Recvfrom
        | Call::Recvmsg
        | Call::Recvmmsg => Kind::Receive,
        Call::Accept | Call::Accept4 => Kind::Accept,
        Call::Write
        | Call::Writev
        | Call::Pwritev2
        | Call::Pwrite64
        | Call::Pwritev
        | Call::Ftruncate
        | Call::Truncate
        | Call::Fallocate => Kind::Write,
        Call::Open | Call::Openat | Call::Openat2 | Call::Creat | Call::Mkdir | Call::Mkdirat => {
            Kind::Open
        }
        Call::Rename | Call::Renameat | Call::Renameat2 | Call::Link | Call::Linkat => Kind::Rename,
        Call::Unlink | Call::Unlinkat | Call::Rmdir => Kind::Unlink,
        _ => return None,
    })
}
