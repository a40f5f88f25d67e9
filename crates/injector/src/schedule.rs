//! What is to be done later, by a thread of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Work for the injector's thread.
pub(crate) type Task = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Agenda {
    tasks: BTreeMap<(Instant, u64), Task>,
    count: u64,
    closed: bool,
}

/// Tasks in the order of their times, those of one time in the order in which they came.
#[derive(Default)]
pub(crate) struct Schedule {
    agenda: Mutex<Agenda>,
    changed: Condvar,
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Schedule")
    }
}

impl Schedule {
    pub(crate) fn start() -> std::io::Result<Arc<Schedule>> {
        let schedule = Arc::new(Schedule::default());
        let own = Arc::clone(&schedule);
        std::thread::Builder::new().name("injector".into()).spawn(move || own.run())?;
        Ok(schedule)
    }

    pub(crate) fn after(&self, delay: Duration, task: Task) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        if agenda.closed {
            return;
        }
        agenda.count += 1;
        let key = (Instant::now() + delay, agenda.count);
        agenda.tasks.insert(key, task);
        self.changed.notify_all();
    }

    /// Drops what has not been done, and ends the thread.
    pub(crate) fn close(&self) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        agenda.closed = true;
        let tasks = std::mem::take(&mut agenda.tasks);
        self.changed.notify_all();
        drop(agenda);
        drop(tasks);
    }

    fn run(&self) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        while !agenda.closed {
            let wait = match agenda.tasks.first_key_value() {
                None => Duration::from_secs(3600),
                Some(((time, _), _)) => time.saturating_duration_since(Instant::now()),
            };
            if wait.is_zero() {
                if let Some((_, task)) = agenda.tasks.pop_first() {
                    drop(agenda);
                    task();
                    agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
                }
                continue;
            }
            agenda =
                self.changed.wait_timeout(agenda, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
