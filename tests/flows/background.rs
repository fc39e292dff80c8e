//! What is to be done after an answer, and what alarms set off.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use vestibule::app::App;
use vestibule::flow;
use vestibule::runtime::{Runtime, Task};

use crate::accounts::Object;
use crate::schedule::ended;
use crate::site::Site;
use crate::world::World;

/// A task, and where it was asked for: an object of a later life does not know it any more.
pub(crate) struct Job {
    pub(crate) isolate: Rc<App>,
    pub(crate) location: usize,
    pub(crate) object: Option<(Rc<Object>, u64)>,
    pub(crate) task: Task,
}

#[derive(Default)]
pub(crate) struct Background {
    jobs: RefCell<VecDeque<Job>>,
    /// Whether the jobs wait for [`World::serving_background`].
    pub(crate) is_held: Cell<bool>,
}

impl Background {
    pub(crate) fn add(&self, job: Job) {
        self.jobs.borrow_mut().push_back(job);
    }

    /// How many jobs wait.
    pub(crate) fn count(&self) -> usize {
        self.jobs.borrow().len()
    }

    /// The isolates end before they have done what waits.
    pub(crate) fn forget(&self) {
        self.jobs.take();
    }
}

impl World {
    /// Does what waits, and what that leads to, one after the other.
    pub(crate) async fn serving_background(&self) {
        for _ in 0..MOST_JOBS {
            let Some(job) = self.background.jobs.borrow_mut().pop_front() else { return };
            self.perform(job).await;
        }
        panic!("the background work never ends");
    }

    pub(crate) fn finish_background(&self) {
        if !self.background.is_held.get() {
            ended(self.serving_background());
        }
    }

    async fn perform(&self, job: Job) {
        let site = Site::of_job(self, &job);
        let work = Box::pin(flow::perform(&site.isolate, &site, job.task));
        match job.object {
            None => work.await,
            Some((object, life)) if object.life() == life => {
                if object.run(&self.accounts, work).await.is_ok() {
                    object.storage.commit();
                }
            }
            Some(_) => (),
        }
    }

    /// Wakes the objects whose alarm is due.
    pub(crate) fn fire_alarms(&self) {
        ended(self.firing_alarms());
        self.finish_background();
    }

    pub(crate) async fn firing_alarms(&self) {
        for object in self.accounts.alarmed(self.site().now()) {
            let site = Site::inside(self, &object);
            let work = Box::pin(flow::account_expired(&site.isolate, &site));
            match object.run(&self.accounts, work).await {
                Ok(Ok(())) => object.storage.commit(),
                // The platform calls again a little later.
                Ok(Err(_)) => object.storage.roll_back(),
                Err(_) => (),
            }
        }
    }
}

const MOST_JOBS: usize = 1000;
