//! The injector: sees every event before it takes effect, and lets faults take theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use linchpin_tracer::{
    Approach, CallId, Channel, Decision, Event, NodeId, Observer, Options, Remote, Site,
};
use linchpin_tracker::dissect::Rules;
use linchpin_tracker::live::Live;
use linchpin_tracker::{EventId, Recorder};

use crate::controller::Controller;
use crate::durable::Shadow;
use crate::fault::{Count, Effect, Fault, Kind, Lateness, Pattern, Trigger, Until};
use crate::queue::{Latch, Queue};
use crate::report::FaultReport;
use crate::schedule::Schedule;
use crate::watch::{Happening, Watch};

/// Longest that healing waits for nodes that are being ended or started.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What a run is about.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The nodes, by name.
    pub nodes: Vec<String>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How messages get their labels.
    pub rules: Rules,
    /// Addresses that belong to one node alone, which is what events with this id come from.
    pub addresses: BTreeMap<IpAddr, NodeId>,
    /// An empty directory, for what power loss needs.
    pub scratch: PathBuf,
}

/// How far a fault has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its trigger has not come.
    Waiting,
    /// It is in force.
    Active,
    /// It was in force.
    Over,
}

/// A fault and its patterns.
#[derive(Debug)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    pub(crate) phase: Phase,
    pub(crate) trigger: Option<usize>,
    pub(crate) given: Vec<usize>,
    pub(crate) given_left: BTreeSet<usize>,
    pub(crate) until: Option<usize>,
    pub(crate) subject: Option<usize>,
    /// The event delayed messages wait for.
    pub(crate) late: Option<usize>,
    pub(crate) latch: Latch,
    /// A datagram that waits for the next: its socket, content and destination.
    pub(crate) overtaken: Option<(OwnedFd, Vec<u8>, Vec<u8>)>,
    /// What it cut, to be healed.
    pub(crate) cuts: Vec<(usize, usize)>,
    pub(crate) paused: Vec<Remote>,
    pub(crate) hung: Vec<(usize, Channel)>,
    pub(crate) report: FaultReport,
}

/// A pattern that was met, for the how-manieth time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) watch: usize,
    pub(crate) number: u32,
}

/// A call between its entry and its exit.
#[derive(Clone, Debug)]
pub(crate) struct Under {
    pub(crate) happening: Happening,
    pub(crate) at: At,
    pub(crate) hits: Vec<Hit>,
    pub(crate) channel: Option<Channel>,
}

/// A place in the record.
#[derive(Clone, Debug, Default)]
pub(crate) struct At {
    pub(crate) name: String,
    pub(crate) event: Option<EventId>,
    pub(crate) time_ns: u64,
    pub(crate) who: Who,
}

/// Whom an event is about: what faults of whichever node it is happen to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Who {
    /// Where it happens.
    pub(crate) node: Option<usize>,
    pub(crate) peer: Option<usize>,
    /// The peer is the one that sends.
    pub(crate) is_incoming: bool,
}

impl Who {
    /// The nodes of an event.
    pub(crate) fn of(happening: &Happening) -> Who {
        let is_incoming = matches!(happening.kind, Kind::Receive | Kind::Accept);
        Who { node: Some(happening.node), peer: happening.peer, is_incoming }
    }

    /// That at which it happens, then the other one.
    pub(crate) fn node_first(self) -> [Option<usize>; 2] {
        [self.node, self.peer]
    }

    /// Who sends, then who receives.
    pub(crate) fn sender_first(self) -> [Option<usize>; 2] {
        match self.is_incoming {
            true => [self.peer, self.node],
            false => [self.node, self.peer],
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) live: Live,
    pub(crate) watches: Vec<Watch>,
    pub(crate) faults: Vec<Armed>,
    /// Calls under way, and calls on files by thread.
    pub(crate) calls: BTreeMap<(NodeId, CallId), Under>,
    pub(crate) file_calls: BTreeMap<(NodeId, i32), Under>,
    /// Files that a write through a synchronous descriptor is about to change.
    pub(crate) synchronous: BTreeMap<(NodeId, i32), PathBuf>,
    /// Sockets whose connect has been reported and has not ended.
    pub(crate) connecting: BTreeSet<Channel>,
    pub(crate) remotes: BTreeMap<usize, Remote>,
    pub(crate) lives: BTreeMap<NodeId, usize>,
    pub(crate) queues: BTreeMap<Channel, Arc<Queue>>,
    /// How many faults cut each link; true if the controller did it.
    pub(crate) cuts: BTreeMap<(usize, usize), (u32, bool)>,
    /// Sockets that drop what comes in, their node, and the links that asked for it.
    pub(crate) filtered: BTreeMap<Channel, (usize, BTreeSet<(usize, usize)>)>,
    /// Sockets that retransmit more often than usual, likewise.
    pub(crate) hurried: BTreeMap<Channel, (usize, BTreeSet<(usize, usize)>)>,
    /// Sockets their program closed while they were cut.
    pub(crate) closed: BTreeMap<Channel, OwnedFd>,
    /// What opens when a link is healed.
    pub(crate) latches: BTreeMap<(usize, usize), Latch>,
    /// Links of hosts that went quiet.
    pub(crate) dark: BTreeMap<usize, Vec<(usize, usize)>>,
    /// Sockets of hosts that went quiet.
    pub(crate) silenced: BTreeMap<usize, Vec<OwnedFd>>,
    pub(crate) crashing: BTreeSet<usize>,
    /// Restarts that are due later: the fault, the node, its data.
    pub(crate) due_back: Vec<(usize, usize, crate::Data)>,
    /// How many nodes are being started again.
    pub(crate) returning: usize,
    pub(crate) shadows: BTreeMap<usize, Shadow>,
    /// How often each event has happened, by its name.
    pub(crate) census: BTreeMap<String, u32>,
    pub(crate) begun: Option<Instant>,
    /// Nothing goes wrong any more.
    pub(crate) over: bool,
    pub(crate) workers: Vec<JoinHandle<()>>,
}

/// Lets faults take effect in traced processes: the observer of every node of a run.
#[derive(Debug)]
pub struct Injector {
    pub(crate) nodes: Vec<String>,
    pub(crate) scratch: PathBuf,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) controller: Shared,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) start: Instant,
    pub(crate) own: Weak<Injector>,
    state: Mutex<State>,
}

/// Whoever runs the nodes.
pub(crate) struct Shared(Arc<dyn Controller>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Controller")
    }
}

impl std::ops::Deref for Shared {
    type Target = dyn Controller;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

fn arm(fault: Fault, rules: &Rules, watches: &mut Vec<Watch>) -> Armed {
    let mut fault = fault;
    // A restart without an event of its own comes after the node has ended.
    if let (Effect::Restart(node, _), Trigger::Given) = (&fault.effect, &fault.trigger)
        && fault.given.is_empty()
    {
        let exit = Pattern {
            kind: Kind::Exit,
            node: node.clone(),
            peer: None,
            label: None,
            port: None,
            connection: None,
            count: Count::Nth(1),
        };
        fault.trigger = Trigger::Event(crate::Side::After, exit);
    }
    let since = fault.since.as_ref().map(|pattern| {
        watches.push(Watch::new(pattern, rules));
        watches.len() - 1
    });
    let mut watch = |pattern: &Pattern| {
        watches.push(Watch { since, ..Watch::new(pattern, rules) });
        watches.len() - 1
    };
    let trigger = match &fault.trigger {
        Trigger::Event(_, pattern) => Some(watch(pattern)),
        _ => None,
    };
    let until = match &fault.until {
        Some(Until::Event(pattern)) => Some(watch(pattern)),
        _ => None,
    };
    let late = match &fault.effect {
        Effect::Delay(_, Lateness::Until(Until::Event(pattern))) => Some(watch(pattern)),
        _ => None,
    };
    let subject = fault.effect.subject().map(&mut watch);
    let given: Vec<usize> = fault.given.iter().map(&mut watch).collect();
    if let (Effect::Error(_, Pattern { kind: Kind::Receive | Kind::Accept, .. }), Some(subject)) =
        (&fault.effect, subject)
    {
        watches[subject].calls = true;
    }
    let at_once = matches!(fault.trigger, Trigger::Given) && given.is_empty() && subject.is_some();
    let report = FaultReport {
        fault: fault.to_string(),
        firings: Vec::new(),
        count: 0,
        reason: None,
        problems: Vec::new(),
    };
    Armed {
        phase: if at_once { Phase::Active } else { Phase::Waiting },
        trigger,
        given_left: given.iter().copied().collect(),
        given,
        until,
        subject,
        late,
        latch: Latch::default(),
        overtaken: None,
        cuts: Vec::new(),
        paused: Vec::new(),
        hung: Vec::new(),
        report,
        fault,
    }
}

impl Injector {
    /// An injector for one run, which feeds `recorder`. The nodes that faults name must have been
    /// checked ([`crate::check_nodes`]). `start` is the origin of the events' times.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(
        setup: Setup,
        recorder: Arc<Recorder>,
        controller: Arc<dyn Controller>,
        start: Instant,
    ) -> io::Result<Arc<Injector>> {
        let mut watches = Vec::new();
        let faults =
            setup.faults.into_iter().map(|fault| arm(fault, &setup.rules, &mut watches)).collect();
        let state = State {
            live: Live::new(setup.rules, setup.addresses),
            watches,
            faults,
            calls: BTreeMap::new(),
            file_calls: BTreeMap::new(),
            synchronous: BTreeMap::new(),
            connecting: BTreeSet::new(),
            remotes: BTreeMap::new(),
            lives: BTreeMap::new(),
            queues: BTreeMap::new(),
            cuts: BTreeMap::new(),
            filtered: BTreeMap::new(),
            hurried: BTreeMap::new(),
            closed: BTreeMap::new(),
            latches: BTreeMap::new(),
            dark: BTreeMap::new(),
            silenced: BTreeMap::new(),
            crashing: BTreeSet::new(),
            due_back: Vec::new(),
            returning: 0,
            shadows: BTreeMap::new(),
            census: BTreeMap::new(),
            begun: None,
            over: false,
            workers: Vec::new(),
        };
        let schedule = Schedule::start()?;
        Ok(Arc::new_cyclic(|own| Injector {
            nodes: setup.nodes,
            scratch: setup.scratch,
            recorder,
            controller: Shared(controller),
            schedule,
            start,
            own: own.clone(),
            state: Mutex::new(state),
        }))
    }

    /// What the tracer must look at for these faults, beyond `base`.
    pub fn options(faults: &[Fault], base: Options) -> Options {
        let patterns = || faults.iter().flat_map(Fault::patterns);
        let power = faults.iter().any(|fault| matches!(fault.effect, Effect::PowerLoss(_)));
        let writes = power || patterns().any(|pattern| pattern.kind == Kind::Write);
        let files = patterns().any(|pattern| pattern.kind.on_files());
        Options {
            writes: base.writes || writes,
            files: base.files || files,
            single_messages: base.single_messages || !faults.is_empty(),
            ..base
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node == name)
    }

    /// The node of the cluster that events with this id come from.
    pub(crate) fn place(&self, state: &mut State, id: NodeId) -> Option<usize> {
        if let Some(known) = state.lives.get(&id) {
            return Some(*known);
        }
        let found = self.controller.node_of(id).and_then(|name| self.index(&name))?;
        state.lives.insert(id, found);
        Some(found)
    }

    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The workload begins: faults at a time count from now, and those without a trigger begin.
    pub fn begin(&self) {
        let mut state = self.lock();
        state.begun = Some(Instant::now());
        for fault in 0..state.faults.len() {
            let armed = &state.faults[fault];
            if armed.phase == Phase::Active {
                self.schedule_end(&mut state, fault);
                continue;
            }
            match armed.fault.trigger {
                Trigger::Time(time) => self.later(time, move |injector| injector.time_came(fault)),
                Trigger::Given if armed.given.is_empty() => {
                    let at = At { name: "at 0s".into(), time_ns: self.now_ns(), ..At::default() };
                    self.activate(&mut state, fault, &at);
                }
                _ => {}
            }
        }
    }

    /// Ends every fault that lasts, and lets none begin: links are healed, paused nodes go on,
    /// delayed messages leave, and nodes that were to be started again later are started now. Other
    /// nodes that crashed stay as they are.
    pub fn heal(&self) {
        // A node that is being ended or started: what follows from that must not be lost.
        self.wait_until(|state| state.crashing.is_empty());
        let due = std::mem::take(&mut self.lock().due_back);
        for (fault, place, data) in due {
            self.restart(fault, place, data);
        }
        self.wait_until(|state| state.returning == 0);
        let mut state = self.lock();
        state.over = true;
        for fault in 0..state.faults.len() {
            self.end(&mut state, fault);
            state.faults[fault].latch.open();
            state.faults[fault].phase = Phase::Over;
        }
    }

    fn wait_until(&self, condition: impl Fn(&State) -> bool) {
        let limit = Instant::now() + WAIT_MAX;
        while !condition(&self.lock()) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Heals, waits for what is being carried out, and says what became of each fault. Crashed
    /// hosts' sockets are let go.
    pub fn finish(&self) -> Vec<FaultReport> {
        self.heal();
        loop {
            let workers = std::mem::take(&mut self.lock().workers);
            if workers.is_empty() {
                break;
            }
            for worker in workers {
                let _ = worker.join();
            }
        }
        self.schedule.close();
        let mut state = self.lock();
        state.queues.clear();
        state.silenced.clear();
        state.closed.clear();
        (0..state.faults.len()).map(|fault| self.report_of(&state, fault)).collect()
    }

    fn report_of(&self, state: &State, fault: usize) -> FaultReport {
        let armed = &state.faults[fault];
        let mut report = armed.report.clone();
        if report.count == 0 && report.reason.is_none() {
            report.reason = Some(self.why_not(state, armed));
        }
        report
    }

    fn why_not(&self, state: &State, armed: &Armed) -> String {
        let missing: Vec<String> = armed
            .given_left
            .iter()
            .map(|watch| format!("`{}` did not happen", state.watches[*watch].pattern))
            .collect();
        if !missing.is_empty() {
            return missing.join(", ");
        }
        let Some(watch) = armed.subject.or(armed.trigger) else {
            return "the run ended before".into();
        };
        let Watch { pattern, seen, since: watch_since, .. } = &state.watches[watch];
        if *seen > 0 && armed.subject.is_some() && armed.phase == Phase::Waiting {
            return "the event it begins at did not happen".into();
        }
        if let Some(since) = watch_since.filter(|since| !state.watches[*since].is_met()) {
            return format!("`{}` did not happen", state.watches[since].pattern);
        }
        if state.watches[watch].is_met() {
            return match armed.fault.effect {
                Effect::ShortWrite(_, bytes) => format!("no such call had more than {bytes} bytes"),
                _ => "it happened when the workload had ended, and faults with it".into(),
            };
        }
        if *seen > 0 {
            return format!("only {seen} such events were seen");
        }
        // What there was instead, of the same kind at the same node.
        let start = format!("{} {}", pattern.kind.word(), pattern.node);
        let near: Vec<String> = state
            .census
            .iter()
            .filter(|(name, _)| name.starts_with(&start) && !name.contains("->outside"))
            .map(|(name, count)| if *count > 1 { format!("{name} x{count}") } else { name.clone() })
            .take(6)
            .collect();
        if near.is_empty() {
            format!("no `{start}` was seen")
        } else {
            format!("seen: {}", near.join(", "))
        }
    }

    /// Does something later, unless the run is over by then.
    pub(crate) fn later(&self, delay: Duration, task: impl FnOnce(&Injector) + Send + 'static) {
        let own = self.own.clone();
        let task = move || {
            if let Some(injector) = own.upgrade() {
                task(&injector);
            }
        };
        self.schedule.after(delay, Box::new(task));
    }

    /// Does something now, on a thread of its own, that may wait.
    pub(crate) fn aside(&self, state: &mut State, task: impl FnOnce(&Injector) + Send + 'static) {
        let own = self.own.clone();
        let worker = std::thread::Builder::new().name("fault".into()).spawn(move || {
            if let Some(injector) = own.upgrade() {
                task(&injector);
            }
        });
        state.workers.extend(worker.ok());
    }

    fn time_came(&self, fault: usize) {
        let mut state = self.lock();
        let Trigger::Time(time) = state.faults[fault].fault.trigger else { return };
        let name = format!("at {}s", time.as_secs_f64());
        let at = At { name, time_ns: self.now_ns(), ..At::default() };
        if state.faults[fault].given_left.is_empty() {
            self.activate(&mut state, fault, &at);
        }
    }
}

impl Observer for Injector {
    fn observe(&self, event: Event) -> Decision {
        self.recorder.observe(event)
    }

    fn decide(&self, event: Event, site: &Site<'_>) -> Decision {
        self.event(event, site)
    }

    fn approach(&self, approach: &Approach, site: &Site<'_>) -> Decision {
        self.approached(approach, site)
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        self.schedule.close();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for armed in &state.faults {
            armed.latch.open();
        }
        for latch in state.latches.values() {
            latch.open();
        }
    }
}
