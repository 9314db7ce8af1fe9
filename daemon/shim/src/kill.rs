//! The order in which an agent is ended: SIGTERM, a grace, SIGKILL until nobody is left.
//!
//! A pure state with deadlines. It signals nobody and looks at no process: the caller tells it who is left.

use std::time::{Duration, Instant};

/// How often the caller should look who is left while an agent is being ended: a grandchild's end sends no signal.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long SIGKILL is repeated. A process that outlives it hangs in the kernel, and nothing more can be done.
const KILL_FOR: Duration = Duration::from_secs(10);

/// What the caller must do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Look who is left and say so by [`KillPlan::looked`].
    Look,
}

/// What follows from who is left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wait,
    /// SIGKILL to all that are left.
    Kill,
    /// Nobody is left, or nothing more can be done.
    Over,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    /// SIGTERM is out.
    Asked {
        kill_at: Instant,
        look_at: Instant,
    },
    /// SIGKILL is out.
    Killing {
        give_up_at: Instant,
        look_at: Instant,
    },
    Over,
}

#[derive(Debug, Default)]
pub(crate) struct KillPlan {
    phase: Phase,
}

impl KillPlan {
    /// Somebody wants the agent ended. True if SIGTERM must go out now; a later request can only shorten the grace.
    pub(crate) fn request(&mut self, now: Instant, grace: Duration) -> bool {
        let wanted = now + grace;
        match &mut self.phase {
            Phase::Idle => {
                self.phase = Phase::Asked { kill_at: wanted, look_at: now + LOOK_EVERY.min(grace) };
                true
            }
            Phase::Asked { kill_at, look_at } => {
                *kill_at = (*kill_at).min(wanted);
                *look_at = (*look_at).min(*kill_at);
                false
            }
            Phase::Killing { .. } | Phase::Over => false,
        }
    }

    pub(crate) fn requested(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether the agent is being ended and not all is done.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Asked { .. } | Phase::Killing { .. })
    }

    /// A child has ended: look at the next opportunity.
    pub(crate) fn child_ended(&mut self, now: Instant) {
        if let Phase::Asked { look_at, .. } | Phase::Killing { look_at, .. } = &mut self.phase {
            *look_at = now;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Asked { look_at, .. } | Phase::Killing { look_at, .. } => Some(look_at),
            Phase::Idle | Phase::Over => None,
        }
    }

    pub(crate) fn step(&self, now: Instant) -> Step {
        if self.deadline().is_some_and(|at| at <= now) { Step::Look } else { Step::Nothing }
    }

    /// The caller looked, and this many are left.
    pub(crate) fn looked(&mut self, now: Instant, left: usize) -> Verdict {
        let (next, verdict) = match self.phase {
            Phase::Idle | Phase::Over => (self.phase, Verdict::Over),
            _ if left == 0 => (Phase::Over, Verdict::Over),
            Phase::Asked { kill_at, .. } if now < kill_at => {
                (Phase::Asked { kill_at, look_at: kill_at.min(now + LOOK_EVERY) }, Verdict::Wait)
            }
            Phase::Asked { .. } => {
                (Phase::Killing { give_up_at: now + KILL_FOR, look_at: now + LOOK_EVERY }, Verdict::Kill)
            }
            Phase::Killing { give_up_at, .. } if now < give_up_at => {
                (Phase::Killing { give_up_at, look_at: now + LOOK_EVERY }, Verdict::Kill)
            }
            Phase::Killing { .. } => (Phase::Over, Verdict::Over),
        };
        self.phase = next;
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_millis(100);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn an_obedient_agent_is_never_killed() {
        let start = Instant::now();
        let mut plan = KillPlan::default();
        assert_eq!(plan.step(start), Step::Nothing);
        assert!(plan.request(start, GRACE), "SIGTERM goes out");
        assert_eq!(plan.step(start + ms(1)), Step::Nothing);
        plan.child_ended(start + ms(2));
        assert_eq!(plan.step(start + ms(2)), Step::Look);
        assert_eq!(plan.looked(start + ms(2), 0), Verdict::Over);
        assert!(!plan.is_active() && plan.requested());
        assert!(!plan.request(start + ms(3), GRACE), "there is nobody to ask any more");
    }

    #[test]
    fn a_stubborn_agent_is_killed_after_the_grace_until_nobody_is_left() {
        let start = Instant::now();
        let mut plan = KillPlan::default();
        plan.request(start, GRACE);
        assert_eq!(plan.looked(start + ms(25), 3), Verdict::Wait);
        assert_eq!(plan.looked(start + ms(99), 3), Verdict::Wait);
        assert_eq!(plan.deadline(), Some(start + GRACE), "no look is later than the end of the grace");
        assert_eq!(plan.looked(start + GRACE, 2), Verdict::Kill);
        assert_eq!(plan.looked(start + ms(130), 1), Verdict::Kill, "one that forked meanwhile");
        assert_eq!(plan.looked(start + ms(160), 0), Verdict::Over);
    }

    #[test]
    fn a_second_request_only_shortens_the_grace() {
        let start = Instant::now();
        let mut plan = KillPlan::default();
        plan.request(start, GRACE);
        assert!(!plan.request(start, ms(5_000)));
        assert!(!plan.request(start + ms(10), Duration::ZERO));
        assert_eq!(plan.step(start + ms(10)), Step::Look);
        assert_eq!(plan.looked(start + ms(10), 1), Verdict::Kill);
    }

    #[test]
    fn what_even_sigkill_does_not_end_is_given_up() {
        let start = Instant::now();
        let mut plan = KillPlan::default();
        plan.request(start, Duration::ZERO);
        assert_eq!(plan.looked(start, 1), Verdict::Kill);
        assert_eq!(plan.looked(start + KILL_FOR - ms(1), 1), Verdict::Kill);
        assert_eq!(plan.looked(start + KILL_FOR, 1), Verdict::Over);
        assert_eq!(plan.deadline(), None);
    }
}
