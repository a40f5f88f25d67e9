//! The clock, the network, the disks, and the faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use linchpin_hunt::{
    Acknowledgement, EventName, Fault, Kind, MessageName, Moment, Roles, Trace, TraceEvent, Trigger,
};

use super::{Action, Context, FINAL, History, Model, Process, nodes as nodes_of, tokens};

const LATENCY_MS: u64 = 2;
/// The workload is given up after this long, and so are the final reads.
const PATIENCE_MS: u64 = 4000;
const QUIESCE_MS: u64 = 1500;

enum Due {
    Arrive {
        message: Message,
    },
    Timer {
        node: String,
        life: u32,
        name: u32,
    },
    /// What a paused handler still has to do.
    Resume {
        node: String,
        life: u32,
        actions: VecDeque<Action>,
        receive: Option<usize>,
    },
    Restart {
        node: String,
    },
    Heal,
    FinalReads,
    GiveUp,
}

#[derive(Clone)]
struct Message {
    name: MessageName,
    text: String,
    send: usize,
    /// Life of the receiver to which the connection was made.
    life: u32,
}

#[derive(Default)]
struct NodeState {
    process: Option<Box<dyn Process>>,
    life: u32,
    paused_until: u64,
    disk: Vec<String>,
    synced: usize,
    writes: u32,
    syncs: u32,
    /// As counted when a handler asks, which may be before the write takes place.
    writes_asked: u32,
    syncs_asked: u32,
}

pub(crate) struct World<'a> {
    model: &'a Model,
    faults: &'a [Fault],
    fired: Vec<bool>,
    roles: Roles,
    /// How often what faults call an event has happened.
    called: BTreeMap<EventName, u32>,
    parameter: Option<String>,
    jitter_ms: u64,
    seed: u64,
    time: u64,
    sequence: u64,
    due: BTreeMap<(u64, u64), Due>,
    nodes: BTreeMap<String, NodeState>,
    counts: BTreeMap<(String, String, String), u32>,
    /// When the last message of a link arrives.
    arrival: BTreeMap<(String, String), u64>,
    /// Links that are cut, and what is held on them.
    cut: BTreeSet<(String, String)>,
    held: Vec<Message>,
    events: Vec<TraceEvent>,
    history: History,
    requested: BTreeMap<usize, BTreeSet<String>>,
    /// Operations whose first send is still to come.
    waiting: Vec<usize>,
    request: BTreeMap<usize, usize>,
    acknowledgements: Vec<Acknowledgement>,
    outcome: Vec<usize>,
    begin: Option<usize>,
    end: Option<usize>,
    reading: bool,
    over: bool,
}

impl<'a> World<'a> {
    pub(crate) fn new(model: &'a Model, faults: &'a [Fault], jitter_ms: u64, seed: u64) -> Self {
        let parameter = faults.iter().find_map(|fault| match fault {
            Fault::Input { value, .. } => Some(value.clone()),
            _ => None,
        });
        let fired = faults.iter().map(|fault| fault.kind() == Kind::Input).collect();
        let names = model.nodes.iter().map(|(name, _)| *name).chain(["client"]);
        let nodes = names.map(|name| (name.to_owned(), NodeState::default())).collect();
        Self {
            model,
            faults,
            fired,
            roles: Roles::of(&nodes_of(model)),
            called: BTreeMap::new(),
            parameter,
            jitter_ms,
            seed,
            time: 0,
            sequence: 0,
            due: BTreeMap::new(),
            nodes,
            counts: BTreeMap::new(),
            arrival: BTreeMap::new(),
            cut: BTreeSet::new(),
            held: Vec::new(),
            events: Vec::new(),
            history: History::default(),
            requested: BTreeMap::new(),
            waiting: Vec::new(),
            request: BTreeMap::new(),
            acknowledgements: Vec::new(),
            outcome: Vec::new(),
            begin: None,
            end: None,
            reading: false,
            over: false,
        }
    }

    pub(crate) fn run(mut self) -> (History, Trace, Vec<bool>) {
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        for name in names {
            self.boot(&name);
        }
        self.after(PATIENCE_MS, Due::Heal);
        while let Some(((time, _), due)) = self.due.pop_first() {
            self.time = time;
            self.step(due);
            if self.over {
                break;
            }
        }
        let count = self.events.len();
        let trace = Trace {
            nodes: nodes_of(self.model),
            events: self.events,
            acknowledgements: self.acknowledgements,
            outcome: self.outcome,
            begin: self.begin.unwrap_or(0),
            end: self.end.unwrap_or(count),
        };
        (self.history, trace, self.fired)
    }

    fn after(&mut self, delay: u64, due: Due) {
        self.at(self.time + delay, due);
    }

    fn at(&mut self, time: u64, due: Due) {
        self.sequence += 1;
        self.due.insert((time, self.sequence), due);
    }

    fn boot(&mut self, name: &str) {
        let process = (self.model.program)(name, self.parameter.as_deref());
        let node = self.nodes.get_mut(name).expect("a node");
        node.process = Some(process);
        node.life += 1;
        self.handle(name, None, |process, context| process.start(context));
    }

    fn step(&mut self, due: Due) {
        match due {
            Due::Arrive { message } => self.arrive(message),
            Due::Timer { node, life, name } => {
                let state = &self.nodes[&node];
                if state.life != life || state.process.is_none() {
                    return;
                }
                if state.paused_until > self.time {
                    self.at(state.paused_until, Due::Timer { node, life, name });
                    return;
                }
                self.handle(&node, None, |process, context| process.timer(context, name));
            }
            Due::Resume { node, life, actions, receive } => {
                if self.nodes[&node].life == life && self.nodes[&node].process.is_some() {
                    self.perform(&node, actions, receive);
                }
            }
            Due::Restart { node } => {
                if self.nodes[&node].process.is_none() {
                    self.boot(&node);
                }
            }
            Due::Heal => self.heal(),
            Due::FinalReads => {
                self.reading = true;
                self.handle("client", None, |process, context| process.timer(context, FINAL));
                self.after(PATIENCE_MS, Due::GiveUp);
            }
            Due::GiveUp => self.over = true,
        }
    }

    fn heal(&mut self) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(self.events.len());
        self.cut.clear();
        for node in self.nodes.values_mut() {
            node.paused_until = node.paused_until.min(self.time);
        }
        for message in std::mem::take(&mut self.held) {
            self.deliver(message, 0);
        }
        self.after(QUIESCE_MS, Due::FinalReads);
    }

    fn handle(
        &mut self,
        name: &str,
        receive: Option<usize>,
        handler: impl FnOnce(&mut dyn Process, &mut Context<'_>),
    ) {
        let state = self.nodes.get_mut(name).expect("a node");
        let Some(mut process) = state.process.take() else { return };
        let disk = state.disk.clone();
        let (mut writes, mut syncs) = (state.writes_asked, state.syncs_asked);
        let (faults, fired) = (self.faults, &mut self.fired);
        let mut asked = [0, 0];
        let (roles, called) = (&self.roles, &self.called);
        let fails = |is_sync: bool| {
            let count = if is_sync { &mut syncs } else { &mut writes };
            *count += 1;
            asked[usize::from(is_sync)] += 1;
            let asked = asked[usize::from(is_sync)];
            let is_one = |fault: &Fault, event: &EventName| match fault {
                Fault::Error { event: failing, .. } if roles.event(event) == *event => {
                    failing == event
                }
                Fault::Error { event: failing, .. } => {
                    let done = called.get(&roles.event(event).kind()).copied().unwrap_or(0);
                    failing.kind() == roles.event(event).kind()
                        && failing.occurrence() == done + asked
                }
                _ => false,
            };
            let (node, occurrence) = (name.to_owned(), *count);
            let event = if is_sync {
                EventName::Sync { node, occurrence }
            } else {
                EventName::Write { node, occurrence }
            };
            let fault = faults.iter().position(|fault| is_one(fault, &event));
            if let Some(index) = fault {
                fired[index] = true;
            }
            fault.is_some()
        };
        let mut context =
            Context { time: self.time, disk: &disk, actions: Vec::new(), fails: Box::new(fails) };
        handler(&mut *process, &mut context);
        let actions = std::mem::take(&mut context.actions);
        drop(context);
        let state = self.nodes.get_mut(name).expect("a node");
        (state.writes_asked, state.syncs_asked) = (writes, syncs);
        state.process = Some(process);
        self.perform(name, actions.into(), receive);
    }

    /// Does what a handler wanted, step by step: a fault may come in between.
    fn perform(&mut self, name: &str, mut actions: VecDeque<Action>, receive: Option<usize>) {
        let life = self.nodes[name].life;
        while let Some(action) = actions.pop_front() {
            let state = &self.nodes[name];
            if state.process.is_none() || state.life != life {
                return;
            }
            if state.paused_until > self.time {
                actions.push_front(action);
                let until = state.paused_until;
                self.at(until, Due::Resume { node: name.into(), life, actions, receive });
                return;
            }
            match action {
                Action::Send { to, label, text } => {
                    let occurrence = self.counts.get(&(name.into(), to.clone(), label.clone()));
                    let occurrence = occurrence.copied().unwrap_or(0) + 1;
                    let message = MessageName {
                        from: name.into(),
                        to: to.clone(),
                        label: label.clone(),
                        occurrence,
                    };
                    let event = EventName::Send(message.clone());
                    if self.strike(Moment::Before, &event, name) {
                        actions.push_front(Action::Send { to, label, text });
                        continue;
                    }
                    self.counts.insert((name.into(), to.clone(), label), occurrence);
                    let send = self.record(event.clone(), Vec::new(), tokens(&text));
                    let life = self.nodes.get(&to).map_or(0, |node| node.life);
                    let delay = self.delay(&message);
                    self.deliver(Message { name: message, text, send, life }, delay);
                    self.strike(Moment::After, &event, name);
                }
                Action::Write(line) => {
                    let occurrence = self.nodes[name].writes + 1;
                    let event = EventName::Write { node: name.into(), occurrence };
                    if self.strike(Moment::Before, &event, name) {
                        actions.push_front(Action::Write(line));
                        continue;
                    }
                    let state = self.nodes.get_mut(name).expect("a node");
                    state.writes += 1;
                    self.record(event.clone(), Vec::new(), tokens(&line));
                    self.nodes.get_mut(name).expect("a node").disk.push(line);
                    self.strike(Moment::After, &event, name);
                }
                Action::Sync => {
                    let occurrence = self.nodes[name].syncs + 1;
                    let event = EventName::Sync { node: name.into(), occurrence };
                    if self.strike(Moment::Before, &event, name) {
                        actions.push_front(Action::Sync);
                        continue;
                    }
                    let state = self.nodes.get_mut(name).expect("a node");
                    state.syncs += 1;
                    let lines = state.disk[state.synced..].join(" ");
                    state.synced = state.disk.len();
                    self.record(event.clone(), Vec::new(), tokens(&lines));
                    self.strike(Moment::After, &event, name);
                }
                Action::Timer { after, name: timer } => {
                    self.after(after, Due::Timer { node: name.into(), life, name: timer });
                }
                Action::Invoke { operation, tokens } => {
                    self.requested.insert(operation, tokens);
                    self.waiting.push(operation);
                }
                Action::Complete { operation } => {
                    let tokens = self.requested.get(&operation).cloned().unwrap_or_default();
                    self.history.acknowledged.extend(tokens.iter().cloned());
                    let request = self.request.get(&operation).copied();
                    if let (Some(request), Some(answer)) = (request, receive) {
                        self.acknowledgements.push(Acknowledgement { request, answer, tokens });
                    }
                }
                Action::Learned(what) => {
                    self.history.learned.push(what);
                    self.outcome.extend(receive);
                }
                Action::Finished if self.reading => self.over = true,
                Action::Finished => self.after(0, Due::Heal),
            }
        }
    }

    fn record(&mut self, name: EventName, causes: Vec<usize>, tokens: BTreeSet<String>) -> usize {
        let index = self.events.len();
        *self.called.entry(self.roles.event(&name).kind()).or_default() += 1;
        if name.node() == "client" {
            self.begin.get_or_insert(index);
            if name.is_visible() {
                for operation in std::mem::take(&mut self.waiting) {
                    self.request.insert(operation, index);
                }
            }
        }
        self.events.push(TraceEvent {
            name,
            causes,
            tokens,
            after: Vec::new(),
            is_datagram: false,
        });
        index
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn delay(&mut self, message: &MessageName) -> u64 {
        let event = EventName::Send(message.clone());
        let fault = self.faults.iter().position(|fault| {
            matches!(fault, Fault::Delay { .. }) && self.is_meant(fault, Moment::After, &event)
        });
        match fault {
            Some(index) => {
                self.fired[index] = true;
                match &self.faults[index] {
                    Fault::Delay { duration_ms, .. } => *duration_ms,
                    _ => 0,
                }
            }
            None => 0,
        }
    }

    fn deliver(&mut self, message: Message, delay: u64) {
        let link = (message.name.from.clone(), message.name.to.clone());
        if self.cut.contains(&link) {
            self.held.push(message);
            return;
        }
        let jitter = if self.jitter_ms > 0 { self.random(self.jitter_ms + 1) } else { 0 };
        let last = self.arrival.get(&link).copied().unwrap_or(0);
        let arrival = (self.time + LATENCY_MS + jitter + delay).max(last);
        self.arrival.insert(link, arrival);
        self.at(arrival, Due::Arrive { message });
    }

    fn arrive(&mut self, message: Message) {
        let MessageName { from, to, .. } = &message.name;
        let (from, to) = (from.clone(), to.clone());
        let Some(state) = self.nodes.get(&to) else { return };
        if state.process.is_none() || state.life != message.life {
            return;
        }
        if self.cut.contains(&(from.clone(), to.clone())) {
            self.held.push(message);
            return;
        }
        if state.paused_until > self.time {
            self.at(state.paused_until, Due::Arrive { message });
            return;
        }
        let event = EventName::Receive(message.name.clone());
        let receive = self.record(event, vec![message.send], tokens(&message.text));
        let (label, text) = (message.name.label.clone(), message.text);
        self.handle(&to, Some(receive), |process, context| {
            process.receive(context, &from, &label, &text);
        });
    }

    /// Lets the faults happen that wait for this; true if the event must not take place now.
    fn strike(&mut self, moment: Moment, event: &EventName, node: &str) -> bool {
        let faults = self.faults;
        for (index, fault) in faults.iter().enumerate() {
            let at = match fault {
                Fault::Node { at, .. } | Fault::Partition { at, .. } | Fault::Stall { at, .. } => {
                    at
                }
                _ => continue,
            };
            let Trigger { moment: when, .. } = at;
            if self.fired[index]
                || *when != moment
                || !self.is_meant(fault, moment, event)
                || self.end.is_some()
            {
                continue;
            }
            self.fired[index] = true;
            self.happen(&fault.at(event));
        }
        let state = &self.nodes[node];
        state.process.is_none() || state.paused_until > self.time
    }

    /// Whether a fault waits for this event, which is about to be recorded or was just now.
    fn is_meant(&self, fault: &Fault, moment: Moment, event: &EventName) -> bool {
        let Some(wanted) = fault.trigger() else { return false };
        let called = self.roles.event(event);
        if called == *event {
            return wanted == called;
        }
        let before = self.called.get(&called.kind()).copied().unwrap_or(0);
        let number = before + u32::from(moment == Moment::Before);
        wanted.kind() == called.kind() && wanted.occurrence() == number
    }

    fn happen(&mut self, fault: &Fault) {
        match fault {
            Fault::Node { kind: Kind::Pause, node, duration_ms, .. } => {
                let until = self.time + duration_ms;
                self.nodes.get_mut(node).expect("a node").paused_until = until;
            }
            Fault::Node { kind, node, duration_ms, .. } => {
                let state = self.nodes.get_mut(node).expect("a node");
                state.process = None;
                state.paused_until = 0;
                if *kind == Kind::PowerLoss {
                    state.disk.truncate(state.synced);
                }
                self.held.retain(|message| message.name.from != *node);
                (state.writes_asked, state.syncs_asked) = (state.writes, state.syncs);
                if matches!(kind, Kind::Restart | Kind::PowerLoss) {
                    self.after(*duration_ms, Due::Restart { node: node.clone() });
                }
            }
            Fault::Partition { one, other, .. } => {
                for (from, to) in one.iter().flat_map(|one| other.iter().map(move |two| (one, two)))
                {
                    self.cut.insert((from.clone(), to.clone()));
                    self.cut.insert((to.clone(), from.clone()));
                }
            }
            Fault::Stall { from, to, .. } => {
                self.cut.insert((from.clone(), to.clone()));
            }
            _ => {}
        }
    }
}
